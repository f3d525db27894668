"""The one answer of a bundle: what a person reads first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dyssync.evaluation.conformal import DEFER
from dyssync.prediction.members import BASE_RATE
from dyssync.prediction.predictor import ModelPrediction, Prediction


@dataclass(frozen=True)
class ShortAnswer:
    """One probability with what belongs beside it.

    Attributes:
        model: that gives it: of those that are no rules, the best graded one which can judge the
            recording.
        said: what it says.
        low, high: range of two ways to calibrate the probability, 0-1; None where nothing can be
            said. No confidence interval.
        base_rate: share of responders in the study, 0-1.
        beside: statements of rules that need no patients to learn from.
        encoder: what its network first learnt from, in words; None without a network.
        cautions: why the number may not hold, a sentence each.
    """

    model: str
    said: ModelPrediction
    low: float | None
    high: float | None
    base_rate: float
    beside: Mapping[str, str]
    encoder: str | None
    cautions: tuple[str, ...]

    @property
    def silent(self) -> bool:
        """Whether the model can say nothing of the recording."""
        return self.said.basis == BASE_RATE

    @property
    def defers(self) -> bool:
        """Whether both outcomes stay possible even at 80 %, or nothing can be said."""
        return self.silent or self.said.set_80 == DEFER


def short_answer(prediction: Prediction) -> ShortAnswer | None:
    """Return the one answer of a prediction; None where no model that gives it was asked."""
    if prediction.answer is None:
        return None
    said = prediction.models[prediction.answer]
    low, high = calibration_range(said)
    return ShortAnswer(
        model=prediction.answer,
        said=said,
        low=low,
        high=high,
        base_rate=prediction.base_rate,
        beside=prediction.beside,
        encoder=prediction.encoders.get(prediction.answer),
        cautions=prediction.cautions,
    )


def calibration_range(said: ModelPrediction) -> tuple[float | None, float | None]:
    """Return from the probability, which a smooth curve calibrates, to the Venn-Abers range."""
    low, high = said.venn_abers_low, said.venn_abers_high
    if low is None or high is None:
        return None, None
    return min(low, said.probability), max(high, said.probability)
