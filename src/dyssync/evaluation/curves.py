"""Curves of predicted probabilities: ROC, and the two classes apart.

Pure functions of outcomes ``y`` (n,) int64, 1 = responder, and probabilities of response ``p`` (n,)
float64, 0-1. Nothing here draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_curve

from dyssync.arrays import Floats, Ints

# Net benefit below 10 % or above 90 % would mean that a needless implantation weighs 9 times less
# or more than a missed one; no clinic decides there, and the estimates are very unsteady.
DECISION_THRESHOLDS: Floats = np.linspace(0.10, 0.90, 81)


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Sensitivity against 1 - specificity, both (m,) float64, 0-1; m = 0 where undefined."""

    false_positive_rate: Floats
    true_positive_rate: Floats


@dataclass(frozen=True, eq=False)
class ClassHistogram:
    """Share of each class in bins of the probability, (m,) float64; ``edges`` (m + 1,)."""

    edges: Floats
    responders: Floats
    non_responders: Floats


def roc_points(y: Ints, p: Floats) -> RocCurve:
    """Return the ROC curve; without points where only one class is present.

    >>> roc_points(np.array([0, 1]), np.array([0.2, 0.9])).true_positive_rate.tolist()
    [0.0, 1.0, 1.0]
    """
    if len(np.unique(y)) < 2:
        return RocCurve(np.empty(0), np.empty(0))
    false_positive, true_positive, _ = roc_curve(y, p)
    return RocCurve(false_positive, true_positive)


def class_histogram(y: Ints, p: Floats, n_bins: int = 20) -> ClassHistogram:
    """Return how the probabilities of each class are distributed; zeros for an absent class."""
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    shares = [
        np.histogram(p[y == outcome], edges)[0] / max(1, int((y == outcome).sum()))
        for outcome in (1, 0)
    ]
    return ClassHistogram(edges, shares[0], shares[1])
