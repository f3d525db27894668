"""Metrics of predicted probabilities: plain functions and one table.

Every metric takes `y` (n,) int 0/1, `p` (n,) float64 0-1 and a threshold (a patient with
``p >= threshold`` is called a responder), and returns NaN where it is undefined, never 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn import metrics as reference

from dyssync.arrays import Bools, Floats, Ints
from dyssync.registry import Registry

NAN = float("nan")


@dataclass(frozen=True)
class Metric:
    """A metric and how to speak of it.

    Attributes:
        compute: from y, p and threshold to a number or NaN.
        label: as in a table head.
        uses_threshold: whether the threshold matters.
        higher_is_better: direction.
        bounds: least and largest value there can be; an interval ends there.
    """

    compute: Callable[[Ints, Floats, float], float]
    label: str
    uses_threshold: bool
    higher_is_better: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)


def _share(hits: Bools, among: Bools) -> float:
    return float(hits[among].mean()) if among.any() else NAN


def accuracy(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of patients called rightly."""
    return float(np.mean((p >= threshold) == (y == 1)))


def ppv(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of responders among those called responders; NaN when none is."""
    return _share(y == 1, p >= threshold)


def npv(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of non-responders among those called non-responders; NaN when none is."""
    return _share(y == 0, p < threshold)


def sensitivity(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of responders that are called so; NaN without responders."""
    return _share(p >= threshold, y == 1)


def specificity(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of non-responders that are called so; NaN without non-responders."""
    return _share(p < threshold, y == 0)


def auroc(y: Ints, p: Floats, threshold: float = 0.5) -> float:
    """Return the area under the ROC curve; NaN with one class.

    >>> auroc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    return float(reference.roc_auc_score(y, p)) if len(np.unique(y)) == 2 else NAN


def auprc(y: Ints, p: Floats, threshold: float = 0.5) -> float:
    """Return the average precision; the share of responders is what chance reaches."""
    return float(reference.average_precision_score(y, p)) if np.any(y == 1) else NAN


def brier(y: Ints, p: Floats, threshold: float = 0.5) -> float:
    """Return the mean squared error of the probability."""
    return float(np.mean((p - y) ** 2))


METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "accuracy": Metric(accuracy, "Accuracy", True),
        "ppv": Metric(ppv, "PPV", True),
        "npv": Metric(npv, "NPV", True),
        "sensitivity": Metric(sensitivity, "Sensitivity", True),
        "specificity": Metric(specificity, "Specificity", True),
        "auroc": Metric(auroc, "AUROC", False),
        "auprc": Metric(auprc, "AUPRC", False),
        "brier": Metric(brier, "Brier score", False, higher_is_better=False),
    },
)


def youden_threshold(y: Ints, p: Floats) -> float:
    """Return the threshold with the largest sensitivity + specificity - 1 (Youden 1950).

    Candidates lie half-way between neighbouring probabilities. Among equals the one nearest to 0.5
    is taken; 0.5 when there is nothing to choose (one class, or one probability for all).
    """
    values = np.unique(p)
    if len(values) < 2 or len(np.unique(y)) < 2:
        return 0.5
    candidates = (values[1:] + values[:-1]) / 2
    scores = np.array([sensitivity(y, p, t) + specificity(y, p, t) for t in candidates])
    best = candidates[scores >= scores.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])
