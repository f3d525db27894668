"""AUROC with DeLong's variance, and the difference of two AUROCs on the same patients.

Mid-ranks make it O(n log n). Pure functions of outcomes ``y`` (n,) int64, 1 = responder, and scores
(n,) float64 of any scale, larger for a likelier response. NaN where a class is absent or a score is
not known.

References:
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837, doi 10.2307/2531595.
    Sun X, Xu W. IEEE Signal Process Lett 2014;21:1389, doi 10.1109/LSP.2014.2337313.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from dyssync.arrays import Floats, Ints

# Variance of an out-of-fold metric in units of the one that takes the scores as given. They come
# from models that were fitted to the same patients, and other patients would have given other
# models: 1 + tested / learnt from, as in Nadeau & Bengio's variance of a repeated split; this is
# that of five folds, and `refit_factor` that of any. What covers on the models of a study is
# measured by `make bench-intervals`; models that overfit grossly need more (`make
# bench-coverage`). For a rule, which is not fitted, 1 is right.
REFIT_FACTOR = 1.25
NORMAL_95 = float(stats.norm.ppf(0.975))


def refit_factor(tested_per_learnt: float) -> float:
    """Return the factor where so many patients are tested for each that is learnt from.

    Args:
        tested_per_learnt: above 0; NaN, where nobody is fitted, gives that of five folds.
    """
    return REFIT_FACTOR if np.isnan(tested_per_learnt) else 1 + tested_per_learnt


@dataclass(frozen=True)
class AurocEstimate:
    """AUROC with its standard error (refitting included) and 95 % interval, cut to 0-1."""

    auroc: float
    se: float
    low: float
    high: float


@dataclass(frozen=True)
class AurocDifference:
    """First AUROC minus second, same patients; 95 % interval and two-sided p-value against 0."""

    difference: float
    se: float
    low: float
    high: float
    p_value: float


def auroc_interval(y: Ints, score: Floats, factor: float = REFIT_FACTOR) -> AurocEstimate:
    """Return the AUROC with its interval ``auroc +- 1.96 SE_DeLong sqrt(factor)``.

    Args:
        y: outcomes; one member of a class is enough for the AUROC, an interval needs two of each.
        score: out-of-fold scores.
        factor: of the variance, 1 for scores that were not fitted to these patients.

    >>> found = auroc_interval(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> found.auroc
    0.75
    """
    above, below = _placements(y, score)
    auroc = float(above.mean()) if len(above) else float("nan")
    se = float(np.sqrt(factor * (_variance_of_mean(above) + _variance_of_mean(below))))
    low, high = np.clip([auroc - NORMAL_95 * se, auroc + NORMAL_95 * se], 0.0, 1.0)
    return AurocEstimate(auroc, se, float(low), float(high))


def auroc_difference(
    y: Ints, first: Floats, second: Floats, factor: float = REFIT_FACTOR
) -> AurocDifference:
    """Return the paired DeLong comparison of two scores of the same patients.

    Args:
        y: outcomes.
        first: scores of one model.
        second: scores of the other, patient by patient.
        factor: as for :func:`auroc_interval`; both models are fitted to the same patients.
    """
    (above, below), (other_above, other_below) = _placements(y, first), _placements(y, second)
    nan = float("nan")
    if len(above) == 0:
        return AurocDifference(nan, nan, nan, nan, nan)
    gain, loss = above - other_above, below - other_below
    difference = float(gain.mean())
    se = float(np.sqrt(factor * (_variance_of_mean(gain) + _variance_of_mean(loss))))
    low, high = np.clip([difference - NORMAL_95 * se, difference + NORMAL_95 * se], -1.0, 1.0)
    p_value = float(2 * stats.norm.sf(abs(difference) / se)) if se > 0 else float(difference == 0)
    if np.isnan(se):
        p_value = nan
    return AurocDifference(difference, se, float(low), float(high), p_value)


def _placements(y: Ints, score: Floats) -> tuple[Floats, Floats]:
    """Return, ties counting half, what share of the other class lies on the right side.

    Of each responder the share of non-responders below (n1,), of each non-responder the share of
    responders above (n0,); both empty where a class is absent, NaN where a score is.
    """
    responders, others = score[y == 1], score[y == 0]
    n1, n0 = len(responders), len(others)
    if n1 == 0 or n0 == 0:
        return np.empty(0), np.empty(0)
    ranks = stats.rankdata(np.concatenate([responders, others]))  # mid-ranks; NaN if any is NaN
    above = (ranks[:n1] - stats.rankdata(responders)) / n0
    below = 1 - (ranks[n1:] - stats.rankdata(others)) / n1
    return above, below


def _variance_of_mean(values: Floats) -> float:
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else float("nan")
