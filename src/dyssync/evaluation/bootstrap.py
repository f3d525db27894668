"""Intervals and bands by a bootstrap of patients over out-of-fold predictions.

A draw is a row of weights: how often each patient was drawn. All metrics of all thresholds come
from the same draws, so that what belongs together moves together.

References:
    Efron B, Tibshirani RJ. An Introduction to the Bootstrap. Chapman & Hall 1993, chapter 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.evaluation.calibration import smooth_calibration, weighted_curve
from dyssync.evaluation.curves import DECISION_THRESHOLDS
from dyssync.evaluation.weighted import probability_metrics, threshold_metrics

DRAWS = 2000
TAILS = (0.025, 0.975)
# An interval is made of the draws in which a metric is defined; of fewer than half of them it would
# describe other studies than this one.
LEAST_DEFINED = 0.5


@dataclass(frozen=True, eq=False)
class Band:
    """Values (m,) with pointwise 95 % intervals; NaN where undefined."""

    value: Floats
    low: Floats
    high: Floats


def patient_weights(n: int, seed: int, draws: int = DRAWS) -> Floats:
    """Return how often each of n patients is drawn, (draws, n)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, np.full(n, 1 / max(n, 1)), size=draws).astype(np.float64)


def threshold_bands(y: Ints, p: Floats, thresholds: Floats, weight: Floats) -> Mapping[str, Band]:
    """Return every metric of a threshold with its band over `thresholds` (m,).

    Args:
        y: (n,) outcomes.
        p: (n,) probabilities.
        thresholds: in (0, 1).
        weight: (B, n) draws.
    """
    found = threshold_metrics(y, p, np.ones((1, len(y))), thresholds)
    draws = threshold_metrics(y, p, weight, thresholds)
    return {name: percentile_band(found[name][0], draws[name]) for name in found}


def probability_bands(y: Ints, p: Floats, weight: Floats) -> Mapping[str, Band]:
    """Return every metric of the probabilities themselves, bands of one value each."""
    found = probability_metrics(y, p, np.ones((1, len(y))))
    draws = probability_metrics(y, p, weight)
    return {name: percentile_band(found[name], draws[name][:, None]) for name in found}


def calibration_band(y: Ints, p: Floats, grid: Floats, weight: Floats) -> Band:
    """Return the smooth calibration curve at probabilities `grid` (m,) with its band."""
    return percentile_band(smooth_calibration(y, p, grid), weighted_curve(y, p, weight, grid))


def net_benefit_band(
    y: Ints, p: Floats, weight: Floats, thresholds: Floats = DECISION_THRESHOLDS
) -> Band:
    """Return net benefit minus the better of treating all and none, with its pointwise band."""
    return threshold_bands(y, p, thresholds, weight)["net_benefit_gain"]


def percentile_band(value: Floats, draws: Floats) -> Band:
    """Return values (m,) with the percentiles of their draws (B, m)."""
    low, high = np.full(len(value), np.nan), np.full(len(value), np.nan)
    shown = (np.isfinite(draws).mean(axis=0) >= LEAST_DEFINED) & np.isfinite(value)
    if shown.any():
        low[shown], high[shown] = np.nanquantile(draws[:, shown], TAILS, axis=0)
    return Band(value, low, high)
