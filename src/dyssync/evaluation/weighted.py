"""Metrics under many weightings of the same patients, by matrix products: what a bootstrap needs.

Pure functions of outcomes ``y`` (n,) int64, 1 = responder, probabilities of response ``p`` (n,)
float64, and weights (B, n) at least 0; a row that weighs everybody 1 gives the metric itself. NaN
where a metric is undefined under a row.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.evaluation.calibration import weighted_curve, weighted_in_the_large, weighted_slope
from dyssync.evaluation.logistic import TINY, logits, probabilities


def threshold_metrics(
    y: Ints, p: Floats, weight: Floats, thresholds: Floats
) -> Mapping[str, Floats]:
    """Return what depends on a threshold (m,) by name of the metric, each (B, m).

    A patient with ``p >= threshold`` is called a responder.
    """
    called = (p[:, None] >= thresholds).astype(np.float64)  # (n, m)
    total = weight.sum(axis=1, keepdims=True)
    true_positive = (weight * y) @ called / total  # shares of all patients, (B, m)
    false_positive = (weight * (1 - y)) @ called / total
    ones = (weight @ y)[:, None] / total  # (B, 1)
    true_negative = (1 - ones) - false_positive
    positive = true_positive + false_positive
    accuracy = true_positive + true_negative
    odds = thresholds / (1 - thresholds)
    treat_all = ones - (1 - ones) * odds
    return {
        "accuracy": accuracy,
        "ppv": _ratio(true_positive, positive),
        "npv": _ratio(true_negative, 1 - positive),
        "sensitivity": _ratio(true_positive, ones),
        "specificity": _ratio(true_negative, 1 - ones),
        "accuracy_gain": accuracy - np.maximum(ones, 1 - ones),
        "net_benefit_gain": true_positive - false_positive * odds - np.maximum(treat_all, 0),
    }


def probability_metrics(y: Ints, p: Floats, weight: Floats) -> Mapping[str, Floats]:
    """Return what depends on the probabilities themselves by name of the metric, each (B,)."""
    total = weight.sum(axis=1)
    share = weight @ y / total
    brier = weight @ (p - y) ** 2 / total
    distance = np.abs(weighted_curve(y, p, weight, p) - probabilities(logits(p)))  # (B, n)
    return {
        "brier": brier,
        "scaled_brier": 1 - _ratio(brier, share * (1 - share)),
        "calibration_in_the_large": weighted_in_the_large(y, p, weight),
        "calibration_slope": weighted_slope(y, p, weight),
        "observed_to_expected": _ratio(weight @ y, weight @ p),
        "ici": np.einsum("bn,bn->b", weight, distance) / total,
    }


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where there is no whole (less than rounding)."""
    whole = np.broadcast_to(whole, part.shape)
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > TINY)
    return ratio
