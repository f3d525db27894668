"""One answer for a person instead of a table of models: in natural frequencies, or "defer".

Which model answers was settled before the patient came: the one whose graded answers to the
patients of the study, by fits that had not seen them, have the smallest Brier score. Rules stand
beside it and never in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from dyssync.evaluation.metrics import METRICS
from dyssync.models.prevalence import Prevalence
from dyssync.models.protocols import Rule
from dyssync.prediction.crossfit import CrossFit
from dyssync.prediction.members import BASE_RATE
from dyssync.prediction.predictor import ModelPrediction, Prediction, Predictor

DEFER = "defer"
LEVELS = {80: "set_80", 90: "set_90"}  # % in each class
LEVEL = 80


@dataclass(frozen=True)
class ShortAnswer:
    """What is said first of one patient.

    Attributes:
        model: that answers.
        of_100: of 100 such patients, how many responded; None where nothing can be said.
        low, high: the same by the two ways to calibrate; None where calibration has no range.
        base_of_100: of 100 patients of the study.
        verdict: "responder", "non-responder" or "defer", at `level`.
        level: % of each class that keep their outcome.
        said: all that the model said.
    """

    model: str
    of_100: int | None
    low: int | None
    high: int | None
    base_of_100: int
    verdict: str
    level: int
    said: ModelPrediction


def answering_order(predictor: Predictor) -> tuple[str, ...]:
    """Return the models that learn, best graded first; rules and the base rate are left out."""
    scores: dict[str, float] = {}
    for name, answerer in predictor.models.items():
        if not isinstance(answerer.usual.models[0], (Rule, Prevalence)):
            scores[name] = graded_brier(answerer.usual.fit)
    return tuple(sorted(scores, key=scores.__getitem__))


def graded_brier(fit: CrossFit) -> float:
    """Return the Brier score of the graded answers to the patients of the study, 0-1.

    That of the base rate where nobody was tested.
    """
    if not fit.scores:
        return fit.base_rate * (1 - fit.base_rate)
    mean = np.array([np.mean(scores) for scores in fit.scores])
    p = expit(fit.graded_intercept + fit.graded_slope * mean)
    return float(METRICS["brier"].compute(np.array(fit.outcomes, dtype=np.int64), p, 0.5))


def short_answer(
    prediction: Prediction, order: Sequence[str], level: int = LEVEL
) -> ShortAnswer | None:
    """Return what is said first; None where no model that learns was asked.

    Args:
        prediction: of one patient.
        order: of :func:`answering_order`; the first that could be asked about this recording.
        level: 80 or 90 %, chosen before the patient.
    """
    asked = [name for name in order if name in prediction.models]
    if not asked:
        return None
    said = prediction.models[asked[0]]
    silent = said.basis == BASE_RATE
    low, high = _range(said)
    return ShortAnswer(
        model=asked[0],
        of_100=None if silent else _of_100(said.probability),
        low=None if low is None else _of_100(low),
        high=None if high is None else _of_100(high),
        base_of_100=_of_100(prediction.base_rate),
        verdict=DEFER if silent else getattr(said, LEVELS[level]),
        level=level,
        said=said,
    )


def _range(said: ModelPrediction) -> tuple[float | None, float | None]:
    """Return the ends of both ways to calibrate, the probability's own among them."""
    low, high = said.venn_abers_low, said.venn_abers_high
    if low is None or high is None:
        return None, None
    return min(low, said.probability), max(high, said.probability)


def _of_100(p: float) -> int:
    return round(100 * p)


def in_words(answer: ShortAnswer) -> str:
    """Return the answer as one sentence.

    Of what is deferred a frequency is said too: it holds for such patients, and decides nothing.
    """
    base = f"in the study {answer.base_of_100} of 100 did"
    if answer.of_100 is None:
        return f"Nothing can be said of this patient; {base}."
    between = "" if answer.low is None else f" ({answer.low} to {answer.high})"
    return f"Of 100 such patients, {answer.of_100} responded{between}; {base}."
