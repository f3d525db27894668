"""Which model of a bundle gives the one answer: by a rule that is the same for every study."""

from __future__ import annotations

import pandas as pd

from dyssync.models import MODELS
from dyssync.models.protocols import Rule


def brier_scores(answers: pd.DataFrame) -> pd.Series[float]:
    """Return the Brier score of the out-of-fold answers of each model, by its name."""
    return (answers["p"] - answers["y"]).pow(2).groupby(answers["model"]).mean()


def best_first(answers: pd.DataFrame) -> tuple[str, ...]:
    """Return the models that are no rules, the lowest Brier score of their answers first.

    The answers are by fits that had not seen the patient, recalibrated without his or her outcome,
    so that no model is chosen for what it remembers. The score of the first of several still
    flatters it a little. Among equals the order of the study decides. The share of responders is
    among the models: where nothing did better, it is the answer.

    Args:
        answers: columns model, y and p; a row a patient and model.
    """
    scores = brier_scores(answers)
    names = [str(name) for name in answers["model"].unique()]
    learnt = [name for name in names if not _is_rule(name)]
    return tuple(sorted(learnt, key=lambda name: float(scores[name])))


def _is_rule(name: str) -> bool:
    # a model that somebody added, and is not installed where the report is written, is none
    return name in MODELS and isinstance(MODELS[name](), Rule)
