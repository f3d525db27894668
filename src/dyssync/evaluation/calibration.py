"""Is "70 %" 70 of 100? Calibration-in-the-large, slope, O/E, ICI, Brier, and the smooth curve.

Pure functions of outcomes ``y`` (n,) int64, 1 = responder, and probabilities of response ``p`` (n,)
float64, 0-1 inclusive; NaN where a measure is undefined.

The smooth curve is a logistic regression on a restricted cubic spline of logit p with three knots
(Harrell's, at the quantiles .1, .5, .9; linear beyond), not loess: it is defined at both ends,
needs no bandwidth, cannot leave 0-1, and is fast enough for thousands of resamples.

References:
    Van Calster B et al. J Clin Epidemiol 2016;74:167, doi 10.1016/j.jclinepi.2015.12.005.
    Austin PC, Steyerberg EW. Stat Med 2019;38:4051, doi 10.1002/sim.8281 (ICI).
    Harrell FE. Regression Modeling Strategies, 2nd ed. Springer 2015, 2.4.5 (spline, knots).
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.evaluation.logistic import TINY, fit_logistic, logits, probabilities

NAN = float("nan")
KNOTS = (0.1, 0.5, 0.9)  # quantiles of logit p
SAME = 1e-9  # logits nearer than this are one


def calibration_in_the_large(y: Ints, p: Floats) -> float:
    """Return by how many logits the outcomes lie above the probabilities; 0 is right.

    The intercept of a logistic regression with offset logit p. NaN with one class.

    >>> round(calibration_in_the_large(np.array([0, 1, 1, 1]), np.full(4, 0.5)), 4)  # ln 3
    1.0986
    """
    return float(weighted_in_the_large(y, p, _once(y))[0])


def calibration_slope(y: Ints, p: Floats) -> float:
    """Return the slope of the outcomes on logit p; below 1 the probabilities are too extreme.

    NaN with one class, one probability for all, or classes that a threshold separates.
    """
    return float(weighted_slope(y, p, _once(y))[0])


def observed_to_expected(y: Ints, p: Floats) -> float:
    """Return responders observed to responders predicted; NaN where none is predicted."""
    return float(y.sum() / p.sum()) if p.sum() > TINY else NAN


def integrated_calibration_index(y: Ints, p: Floats) -> float:
    """Return the mean distance of the probabilities from the smooth curve; NaN where that is."""
    curves = weighted_curve(y, p, _once(y), p)  # (1, n)
    return float(np.abs(curves[0] - probabilities(logits(p))).mean())


def scaled_brier(y: Ints, p: Floats) -> float:
    """Return 1 - Brier / Brier of the base rate; 0 is the base rate. NaN with one class."""
    share = y.mean()
    return float(1 - np.mean((p - y) ** 2) / (share * (1 - share))) if 0 < share < 1 else NAN


def ici_of_right_model(p: Floats, rng: np.random.Generator, draws: int = 1000) -> Floats:
    """Return the ICI (draws,) that probabilities have in so few patients although they are right.

    A distance is never negative, so that noise alone makes it positive: in 200 patients about .04.

    Args:
        p: (n,) probabilities, of which outcomes are drawn.
        rng: all randomness.
        draws: how many cohorts; one without patients of both classes gives NaN.
    """
    y = (rng.random((draws, len(p))) < p).astype(np.int64)
    both = (y.min(axis=1) < y.max(axis=1))[:, None]
    x = logits(p)
    design = _spline(x, spline_knots(x))
    start = np.zeros(design.shape[1])
    start[1:2] = 1.0
    fits = fit_logistic(design, y, np.where(both, np.ones(y.shape), 0.0), start)
    return np.asarray(np.abs(probabilities(fits @ design.T) - probabilities(x)).mean(axis=1))


def smooth_calibration(y: Ints, p: Floats, grid: Floats) -> Floats:
    """Return the share of responders (m,) that the smooth curve gives at probabilities (m,)."""
    return np.asarray(weighted_curve(y, p, _once(y), grid)[0])


def weighted_in_the_large(y: Ints, p: Floats, weight: Floats) -> Floats:
    """Return calibration-in-the-large (B,) under each row of weights (B, n)."""
    constant, zero = np.ones((len(y), 1)), np.zeros(1)
    fits = fit_logistic(constant, y, _both_classes(y, weight), zero, offset=logits(p))
    return np.asarray(fits[:, 0])


def weighted_slope(y: Ints, p: Floats, weight: Floats) -> Floats:
    """Return the calibration slope (B,) under each row of weights (B, n)."""
    x = logits(p)
    if len(x) == 0 or np.ptp(x) < SAME:
        return np.full(len(weight), NAN)
    design = np.column_stack([np.ones(len(x)), x])
    fits = fit_logistic(design, y, _both_classes(y, weight), np.array([0.0, 1.0]))
    return np.asarray(fits[:, 1])


def weighted_curve(y: Ints, p: Floats, weight: Floats, grid: Floats) -> Floats:
    """Return the smooth curve at `grid` (m,) under each row of weights (B, n), (B, m).

    The knots are those of all patients, so that resamples differ in their outcomes alone. With
    fewer than four probabilities, or knots that coincide, the curve is a line in logit p; with one
    probability for all it is the share of responders.
    """
    knots = spline_knots(logits(p))
    design = _spline(logits(p), knots)
    start = np.zeros(design.shape[1])
    start[1:2] = 1.0  # the diagonal: the curve of probabilities that are right
    fits = fit_logistic(design, y, _both_classes(y, weight), start)  # (B, d)
    return probabilities(fits @ _spline(logits(grid), knots).T)


def spline_knots(x: Floats) -> Floats:
    """Return three knots for logits x (n,); two for a line, one for a constant, without meaning."""
    values = np.unique(x)
    if len(values) == 0 or np.ptp(values) < SAME:
        return np.zeros(1)
    knots = np.quantile(x, KNOTS)
    return knots if len(values) > 3 and np.diff(knots).min() > SAME else np.zeros(2)


def _spline(x: Floats, knots: Floats) -> Floats:
    """Return the basis (n, number of knots): 1, x, and the cubic term that is linear outside."""
    columns = [np.ones(len(x)), x][: len(knots)]
    if len(knots) == 3:
        a, b, c = knots
        cubes = [np.maximum(x - knot, 0) ** 3 for knot in (a, b, c)]
        bent = cubes[0] - cubes[1] * (c - a) / (c - b) + cubes[2] * (b - a) / (c - b)
        columns.append(bent / (c - a) ** 2)
    return np.column_stack(columns)


def _once(y: Ints) -> Floats:
    return np.ones((1, len(y)))


def _both_classes(y: Ints, weight: Floats) -> Floats:
    """Return the weights, without those rows that hold one class only: they have no fit."""
    ones, all_ = weight @ y, weight.sum(axis=1)  # (B,)
    return np.where(((ones > 0) & (ones < all_))[:, None], weight, 0.0)
