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
    # counts, divided last: what equals one answer for all then gains 0, not a rounding error
    ones, zeros = ((weight @ side)[:, None] for side in (y, 1 - y))  # (B, 1)
    true_positive, false_positive = (weight * y) @ called, (weight * (1 - y)) @ called  # (B, m)
    true_negative, positive = zeros - false_positive, true_positive + false_positive
    right, odds = true_positive + true_negative, thresholds / (1 - thresholds)
    benefit, treat_all = true_positive - false_positive * odds, ones - zeros * odds
    return {
        "accuracy": ratio(right, ones + zeros),
        "ppv": ratio(true_positive, positive),
        "npv": ratio(true_negative, ones + zeros - positive),
        "sensitivity": ratio(true_positive, ones),
        "specificity": ratio(true_negative, zeros),
        "accuracy_gain": ratio(right - np.maximum(ones, zeros), ones + zeros),
        "net_benefit_gain": ratio(benefit - np.maximum(treat_all, 0), ones + zeros),
    }


def probability_metrics(y: Ints, p: Floats, weight: Floats) -> Mapping[str, Floats]:
    """Return what depends on the probabilities themselves by name of the metric, each (B,)."""
    total = weight.sum(axis=1)
    share = weight @ y / total
    brier = weight @ (p - y) ** 2 / total
    distance = np.abs(weighted_curve(y, p, weight, p) - probabilities(logits(p)))  # (B, n)
    return {
        "brier": brier,
        "scaled_brier": 1 - ratio(brier, share * (1 - share)),
        "calibration_in_the_large": weighted_in_the_large(y, p, weight),
        "calibration_slope": weighted_slope(y, p, weight),
        "observed_to_expected": ratio(weight @ y, weight @ p),
        "ici": np.einsum("bn,bn->b", weight, distance) / total,
    }


def average_precision(y: Ints, score: Floats, weight: Floats) -> Floats:
    """Return the average precision (B,) of scores of any scale; NaN without responders."""
    order = np.argsort(-score, kind="stable")
    # a threshold lies only between different scores: where a run of equal ones ends
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True)[: len(score)])
    found = np.cumsum((weight * y)[:, order], axis=1)[:, ends]  # true positives, (B, runs)
    called = np.cumsum(weight[:, order], axis=1)[:, ends]
    new = np.diff(found, axis=1, prepend=0.0)
    precision = np.nan_to_num(ratio(found, called))  # nobody drawn so far: nothing is added
    return ratio((new * precision).sum(axis=1), weight @ y)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where there is no whole (less than rounding)."""
    whole = np.broadcast_to(whole, part.shape)
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > TINY)
    return ratio
