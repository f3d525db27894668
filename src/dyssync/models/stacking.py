"""How much each of a few inputs counts: weights that cannot be negative, learnt with a ridge.

Breiman 1996 (Mach Learn 24:49) for non-negative stacking; Le Cessie and van Houwelingen 1992
(J R Stat Soc C 41:191) for the ridge on logistic regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from dyssync.arrays import Floats, Ints
from dyssync.models.fall import log_odds_of_response


@dataclass(frozen=True)
class Stack:
    """The log-odds of response from a few inputs.

    Attributes:
        weights: (k,) per unit of each input, at least 0.
        intercept: log-odds where all inputs are 0.
    """

    weights: Floats
    intercept: float


def stack_inputs(
    inputs: Floats, labels: Ints, falls: Floats | None, weights: Floats, penalty: float
) -> Stack:
    """Fit the weights.

    Args:
        inputs: (n, k) out-of-fold logits; no patient has taught the model that speaks of him.
        labels: (n,) responses.
        falls: (n,) % of LVESV, finite; None to learn the response.
        weights: (n,) of each recording, mean 1.
        penalty: L2, of the weight of a standardised input; 0 or more. With it several inputs of
            like worth share what one alone would get.
    """
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    z = (inputs - centre) / scale
    if falls is None:
        slopes, level = _solve(z, labels.astype(np.float64), weights, penalty, logistic=True)
    else:
        unit = float(np.std(falls)) or 1.0
        found, middle = _solve(z, falls / unit, weights, penalty, logistic=False)
        left = falls - unit * (middle + z @ found)
        sd = float(np.sqrt(np.average(left**2, weights=weights))) or unit
        zero, one = log_odds_of_response(np.array([0.0, 1.0]), sd)
        factor = float(one - zero) * unit
        slopes, level = found * factor, float(zero) + middle * factor
    slopes = slopes / scale
    return Stack(slopes, level - float(centre @ slopes))


def _solve(
    z: Floats, target: Floats, weights: Floats, penalty: float, *, logistic: bool
) -> tuple[Floats, float]:
    def loss(held: Floats) -> tuple[float, Floats]:
        slopes, level = held[:-1], held[-1]
        linear = z @ slopes + level
        if logistic:
            value = float((weights * (np.logaddexp(0, linear) - target * linear)).sum())
            pull = weights * (expit(linear) - target)
        else:
            value = float(0.5 * (weights * (linear - target) ** 2).sum())
            pull = weights * (linear - target)
        slope_pull = z.T @ pull + penalty * slopes
        return value + 0.5 * penalty * float(slopes @ slopes), np.append(slope_pull, pull.sum())

    k = z.shape[1]
    bounds = [(0.0, None)] * k + [(None, None)]
    found = minimize(loss, np.zeros(k + 1), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x[:-1]), float(found.x[-1])
