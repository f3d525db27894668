"""Logistic regression of few parameters by maximum likelihood, with an offset.

Unpenalised on purpose: it measures calibration and tests it, and a penalty would pull the answer
towards what is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from dyssync.arrays import Floats, Ints
from dyssync.errors import InputError

# Newton needs 4 to 10 steps to a maximum. Without one the linear predictor keeps growing by about 1
# a step, and before float64 tells 1 from expit(37) no more, it is clear that it will not stop.
MOST_STEPS = 30
# Largest change of a linear predictor at which a fit has arrived; the next is about its square.
ARRIVED = 1e-6
# A probability of exactly 0 or 1 has no finite logit; 1e-6 is a chance no cohort can tell from 0.
LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """A fit of k parameters.

    Attributes:
        coefficients: (k,) float64; NaN where the likelihood has no maximum (one class only, or
            classes that the columns separate) or the columns depend on each other.
        covariance: (k, k) float64, inverse of the information; NaN likewise.
        log_likelihood: at the maximum; without one the limit it rises to, as far as was followed.
    """

    coefficients: Floats
    covariance: Floats
    log_likelihood: float

    @property
    def exists(self) -> bool:
        """Whether the likelihood has a maximum."""
        return not bool(np.isnan(self.coefficients).any())


def linear_predictor(p: Floats) -> Floats:
    """Return the logit of probabilities, (n,) float64; NaN stays NaN.

    0 and 1 are taken as 1e-6 from there, so the answer lies in -13.8 to 13.8.

    Raises:
        InputError: a value is no probability.
    """
    if bool(((p < 0) | (p > 1)).any()):
        raise InputError(
            f"probabilities: {np.nanmin(p):g} to {np.nanmax(p):g} found, 0 to 1 is needed; give "
            "probabilities, not scores"
        )
    return np.asarray(special.logit(np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)))


def fit_logistic(columns: Floats, y: Ints, offset: Floats | None = None) -> LogisticFit:
    """Maximise the likelihood of ``P(y = 1) = expit(columns @ coefficients + offset)``.

    Args:
        columns: (n, k) float64; the intercept is a column of ones. No NaN.
        y: (n,) outcomes 0/1.
        offset: (n,) added to the linear predictor with coefficient 1; none is 0.

    References:
        McCullagh P, Nelder JA. Generalized Linear Models, 2nd ed., 1989, section 2.5 (Newton's
        method for them), doi 10.1007/978-1-4899-3242-6.
    """
    n, k = columns.shape
    offset = np.zeros(n) if offset is None else offset
    beta: Floats = np.zeros(k)
    reached = _log_likelihood(offset, y)
    unknown = np.full((k, k), np.nan)
    if n == 0 or np.linalg.matrix_rank(columns) < k:
        return LogisticFit(unknown[0], unknown, reached)
    for _ in range(MOST_STEPS):
        p = special.expit(columns @ beta + offset)
        information = columns.T @ (columns * (p * (1 - p))[:, None])  # (k, k)
        if np.linalg.matrix_rank(information) < k:  # all probabilities are 0 or 1 by now
            break
        step = np.linalg.solve(information, columns.T @ (y - p))
        if float(np.abs(columns @ step).max()) < ARRIVED:
            return LogisticFit(
                beta + step, np.asarray(np.linalg.inv(information), dtype=np.float64), reached
            )
        while (better := _log_likelihood(columns @ (beta + step) + offset, y)) < reached:
            step = step / 2
        beta, reached = beta + step, better
    return LogisticFit(unknown[0], unknown, reached)


def _log_likelihood(eta: Floats, y: Ints) -> float:
    return float(np.sum(y * eta - np.logaddexp(0.0, eta)))
