"""p-values corrected for the number of questions asked."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats


def holm(p_values: Floats) -> Floats:
    """Return Holm's adjusted p-values, in the order given.

    An adjusted p-value <= 0.05 rejects its hypothesis, and the chance of any false rejection among
    all of the family is at most 5 %, however the tests depend on each other.

    Args:
        p_values: (m,) float64, 0-1. NaN is a test that could not be made: it stays NaN and does
            not count in the family.

    Returns:
        (m,) float64, 0-1.

    References:
        Holm S. Scand J Stat 1979;6:65-70, https://www.jstor.org/stable/4615733.

    >>> holm(np.array([0.01, np.nan, 0.04, 0.03])).tolist()
    [0.03, nan, 0.06, 0.06]
    """
    made = ~np.isnan(p_values)
    family = p_values[made]
    order = np.argsort(family, kind="stable")
    remaining = np.arange(len(family), 0, -1)  # hypotheses not yet rejected at each step
    steps = np.minimum(np.maximum.accumulate(remaining * family[order]), 1.0)
    adjusted = np.full(p_values.shape, np.nan)
    adjusted[np.flatnonzero(made)[order]] = steps
    return adjusted
