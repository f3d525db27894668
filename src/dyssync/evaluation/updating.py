"""Whether a model needs another intercept or slope in a new cohort, and how well a test can tell.

A small cohort cannot show that a model needs an update, which is not the same as needing none:
:func:`update_power` says how often the test would have seen a given miscalibration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import special, stats

from dyssync.arrays import Floats, Ints
from dyssync.errors import InputError
from dyssync.evaluation.logistic_fit import LogisticFit, fit_logistic, linear_predictor

NONE, INTERCEPT, INTERCEPT_AND_SLOPE = "none", "intercept", "intercept and slope"
LEVEL = 0.05
_Fits: TypeAlias = tuple[LogisticFit, LogisticFit, float, float]


@dataclass(frozen=True)
class Update:
    """What the closed test chose.

    Attributes:
        choice: NONE, INTERCEPT or INTERCEPT_AND_SLOPE.
        intercept, slope: of the linear predictor under that choice; 0 and 1 for none.
        p_original: of the original model against a new intercept and slope, 2 degrees of freedom.
        p_intercept: of a new intercept against a new intercept and slope, 1 degree of freedom;
            it decides only if `p_original` is at most the level.
    """

    choice: str
    intercept: float
    slope: float
    p_original: float
    p_intercept: float

    def updated(self, p: Floats) -> Floats:
        """Return probabilities (n,) float64 after the update; NaN stays NaN."""
        if self.choice == NONE:
            return p
        return np.asarray(special.expit(self.intercept + self.slope * linear_predictor(p)))


@dataclass(frozen=True)
class UpdatePower:
    """Share of cohorts, 0-1, in which the closed test makes each choice; together 1."""

    none: float
    intercept: float
    intercept_and_slope: float


def closed_test(y: Ints, p: Floats, level: float = LEVEL) -> Update:
    """Choose the update of a model in a new cohort by likelihood-ratio tests.

    The original model is kept unless a new intercept and slope fit better; then a new intercept is
    enough unless the slope is better still. So a good model is changed in `level` of all cohorts.
    Patients without a probability (NaN) are left out.

    Args:
        y: (n,) outcomes, 1 = responder.
        p: (n,) probabilities of response by the original model.
        level: of the tests.

    Raises:
        InputError: intercept and slope have no estimate: one class only, classes that p separates,
            or one p for all.

    References:
        Vergouwe Y et al. Stat Med 2017;36:4529, doi 10.1002/sim.7179.
    """
    known = ~np.isnan(p)
    shift, both, p_original, p_intercept = _compare(y[known], linear_predictor(p[known]))
    if not both.exists:
        raise InputError(
            f"updating: no slope can be estimated from {int(known.sum())} patients with "
            f"{int(y[known].sum())} responders; both classes, with probabilities that overlap and "
            "differ, are needed. Add patients"
        )
    choice = _choice(p_original, p_intercept, level)
    intercept, slope = {
        NONE: (0.0, 1.0),
        INTERCEPT: (float(shift.coefficients[0]), 1.0),
        INTERCEPT_AND_SLOPE: (float(both.coefficients[0]), float(both.coefficients[1])),
    }[choice]
    return Update(choice, intercept, slope, p_original, p_intercept)


def update_power(
    n: int,
    predictor: Floats,
    rng: np.random.Generator,
    intercept: float = 0.0,
    slope: float = 1.0,
    cohorts: int = 1000,
    level: float = LEVEL,
) -> UpdatePower:
    """Return how often the closed test makes each choice, by simulated cohorts of `n` patients.

    Args:
        n: patients in a cohort.
        predictor: (m,) linear predictors (logit of p) to draw patients from, with replacement.
        rng: all randomness.
        intercept: the truth is ``P(response) = expit(intercept + slope * predictor)``.
        slope: see `intercept`; 1 and an intercept of 0 are a well calibrated model.
        cohorts: how many; with 1000 a share has a standard error of 0.016 at most.
        level: of the tests.

    Raises:
        InputError: without patients or predictors to draw, or without cohorts.
    """
    if min(n, len(predictor), cohorts) < 1:
        raise InputError(
            f"power: {n} patients from {len(predictor)} predictors in {cohorts} cohorts; at least "
            "one of each is needed"
        )
    choices = []
    for _ in range(cohorts):
        drawn = rng.choice(predictor, n)
        y = (rng.random(n) < special.expit(intercept + slope * drawn)).astype(np.int64)
        _, _, p_original, p_intercept = _compare(y, drawn)
        choices.append(_choice(p_original, p_intercept, level))
    none, shift, both = (
        choices.count(choice) / cohorts for choice in (NONE, INTERCEPT, INTERCEPT_AND_SLOPE)
    )
    return UpdatePower(none, shift, both)


def _compare(y: Ints, predictor: Floats) -> _Fits:
    """Return both fits and both p-values; `predictor` is the linear predictor of the original.

    All fits start from the original model. So where one has no maximum, its likelihood is still
    that of a better model, and the tests hold.
    """
    ones = np.ones((len(y), 1))
    shift = fit_logistic(ones, y, predictor)
    change = fit_logistic(np.column_stack([ones, predictor]), y, predictor)
    both = LogisticFit(
        change.coefficients + np.array([0.0, 1.0]),
        change.covariance,
        # of equal predictors no slope can be fitted, and the intercept is all there is to gain
        max(change.log_likelihood, shift.log_likelihood),
    )
    original = float(np.sum(y * predictor - np.logaddexp(0.0, predictor)))
    p_original = float(stats.chi2.sf(2 * max(0.0, both.log_likelihood - original), 2))
    gain = both.log_likelihood - shift.log_likelihood
    return shift, both, p_original, float(stats.chi2.sf(2 * gain, 1))


def _choice(p_original: float, p_intercept: float, level: float) -> str:
    if p_original > level:
        return NONE
    return INTERCEPT if p_intercept > level else INTERCEPT_AND_SLOPE
