"""Points of the curves that a report draws: pure functions of outcomes and probabilities.

Nothing here draws, and nothing that draws computes. ``y`` is always (n,) int, 1 = responder, and
``p`` (n,) float64 in [0, 1], the probability of response.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, roc_curve

from dyssync.arrays import Floats, Ints

# Net benefit below 10 % or above 90 % would mean that a needless implantation weighs 9 times less
# or more than a missed one; no clinic decides there, and the estimates are very unsteady.
DECISION_THRESHOLDS: Floats = np.linspace(0.10, 0.90, 81)


@dataclass(frozen=True, eq=False)
class ModelPredictions:
    """Predictions of one model for the test patients of every seed; one entry a seed."""

    model: str
    seeds: tuple[int, ...]
    y: tuple[Ints, ...]
    p: tuple[Floats, ...]

    @property
    def pooled_y(self) -> Ints:
        """Outcomes of all seeds together, (n,)."""
        return np.concatenate([np.empty(0, dtype=np.int64), *self.y])

    @property
    def pooled_p(self) -> Floats:
        """Probabilities of all seeds together, (n,)."""
        return np.concatenate([np.empty(0), *self.p])


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Sensitivity against 1 - specificity, both (m,) from 0 to 1; m = 0 where undefined."""

    false_positive_rate: Floats
    true_positive_rate: Floats


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """Predicted and observed share of responders, (m,), in bins of equal width with n > 0.

    ``counts`` (m,) int: predictions in each bin.
    """

    predicted: Floats
    observed: Floats
    counts: Ints


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit (per patient) at each threshold, (m,), with the two rules that need no model."""

    thresholds: Floats
    net_benefit: Floats
    treat_all: Floats


@dataclass(frozen=True, eq=False)
class ClassHistogram:
    """Share of each class (m,) in bins of the probability; ``edges`` (m + 1,)."""

    edges: Floats
    responders: Floats
    non_responders: Floats


@dataclass(frozen=True)
class Confusion:
    """Counts of predictions at a threshold; "positive" means predicted to respond."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
            self.true_negative + other.true_negative,
        )


def predictions_by_model(predictions: pd.DataFrame) -> tuple[ModelPredictions, ...]:
    """Return the test-part predictions of every model, in the order of the table.

    Args:
        predictions: columns model, seed, part, y, p; rows without a probability are left out.
    """
    table = predictions[(predictions["part"] == "test") & predictions["p"].notna()]
    models = []
    for model, rows in table.groupby("model", sort=False):
        by_seed = [(int(str(seed)), part) for seed, part in rows.groupby("seed", sort=True)]
        models.append(
            ModelPredictions(
                model=str(model),
                seeds=tuple(seed for seed, _ in by_seed),
                y=tuple(part["y"].to_numpy(dtype=np.int64) for _, part in by_seed),
                p=tuple(part["p"].to_numpy(dtype=np.float64) for _, part in by_seed),
            )
        )
    return tuple(models)


def roc_points(y: Ints, p: Floats) -> RocCurve:
    """Return the ROC curve; without points where only one class is present.

    >>> roc_points(np.array([0, 1]), np.array([0.2, 0.9])).true_positive_rate.tolist()
    [0.0, 1.0, 1.0]
    """
    if len(np.unique(y)) < 2:
        return RocCurve(np.empty(0), np.empty(0))
    false_positive, true_positive, _ = roc_curve(y, p)
    return RocCurve(false_positive, true_positive)


def calibration_points(y: Ints, p: Floats, n_bins: int = 10) -> CalibrationCurve:
    """Return observed against predicted response in `n_bins` bins of equal width.

    The bins are those of ``sklearn.calibration.calibration_curve`` (strategy "uniform"), which
    does not give the counts.
    """
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    bins = np.searchsorted(edges[1:-1], p)
    counts = np.bincount(bins, minlength=n_bins)
    held = counts > 0
    predicted = np.bincount(bins, weights=p, minlength=n_bins)[held] / counts[held]
    observed = np.bincount(bins, weights=y, minlength=n_bins)[held] / counts[held]
    return CalibrationCurve(predicted, observed, counts[held].astype(np.int64))


def decision_points(y: Ints, p: Floats, thresholds: Floats = DECISION_THRESHOLDS) -> DecisionCurve:
    """Return the net benefit of treating everyone with ``p >= threshold``.

    Args:
        y: outcomes; without any the net benefits are NaN.
        p: probabilities.
        thresholds: (m,) in (0, 1).

    References:
        Vickers AJ, Elkin EB. Med Decis Making 2006;26:565, doi 10.1177/0272989X06295361.
    """
    if len(y) == 0:
        nothing = np.full(len(thresholds), np.nan)
        return DecisionCurve(thresholds, nothing, nothing)
    odds = thresholds / (1 - thresholds)
    treated = p[:, None] >= thresholds  # (n, m)
    true_positive = (treated & (y[:, None] == 1)).mean(axis=0)
    false_positive = (treated & (y[:, None] == 0)).mean(axis=0)
    share = float(y.mean())
    return DecisionCurve(
        thresholds, true_positive - false_positive * odds, share - (1 - share) * odds
    )


def class_histogram(y: Ints, p: Floats, n_bins: int = 20) -> ClassHistogram:
    """Return how the probabilities of each class are distributed; zeros for an absent class."""
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    shares = [
        np.histogram(p[y == outcome], edges)[0] / max(1, int((y == outcome).sum()))
        for outcome in (1, 0)
    ]
    return ClassHistogram(edges, shares[0], shares[1])


def count_confusion(y: Ints, p: Floats, threshold: float) -> Confusion:
    """Count the four kinds of predictions, "responder" being ``p >= threshold``.

    >>> count_confusion(np.array([1, 1, 0]), np.array([0.5, 0.2, 0.1]), 0.5)
    Confusion(true_positive=1, false_positive=0, false_negative=1, true_negative=1)
    """
    (tn, fp), (fn, tp) = confusion_matrix(y, p >= threshold, labels=[0, 1])
    return Confusion(int(tp), int(fp), int(fn), int(tn))
