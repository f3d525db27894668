"""Where a decision curve lies above both rules, said for all thresholds and models at once.

A pointwise band is above 0 somewhere by chance: it is read at dozens of thresholds and for
several models. The bound here holds at all of them together.

References:
    Montiel Olea JL, Plagborg-Moller M. J Appl Econom 2019;34:1, doi 10.1002/jae.2656 (sup-t).
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.evaluation.delong import REFIT_FACTOR
from dyssync.evaluation.weighted import threshold_metrics

ALPHA = 0.025  # one side of a 95 % interval
STILL = 1e-9  # a standard deviation below this is rounding: the model treats all, or none


def gain_lower_bound(
    y: Ints,
    p: Floats,
    weight: Floats,
    thresholds: Floats,
    models: int = 1,
    factor: float = REFIT_FACTOR,
) -> Floats:
    """Return a lower bound (m,) of net benefit gained that holds at all thresholds together.

    ``value - q sqrt(factor) SD``, where q is the quantile of the largest standardised deviation of
    the draws over the thresholds; 0 where the model treats all or none in every draw, and so gains
    nothing. Bonferroni over models.

    Args:
        y: (n,) outcomes, both classes.
        p: (n,) probabilities of response.
        weight: (B, n) bootstrap draws.
        thresholds: (m,) in (0, 1).
        models: how many are looked at.
        factor: of the variance, for models fitted to the same patients; 1 for others.
    """
    value = threshold_metrics(y, p, np.ones((1, len(y))), thresholds)["net_benefit_gain"][0]
    draws = threshold_metrics(y, p, weight, thresholds)["net_benefit_gain"]  # (B, m)
    spread = draws.std(axis=0)
    moving = spread > STILL
    bound = np.zeros(len(thresholds))
    if moving.any():
        above = (draws[:, moving] - value[moving]) / spread[moving]
        q = float(np.quantile(above.max(axis=1), 1 - ALPHA / models))
        bound[moving] = value[moving] - q * np.sqrt(factor) * spread[moving]
    return bound
