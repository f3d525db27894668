"""Intervals and tests over seeds whose test parts overlap (Nadeau & Bengio 2003).

Ten random splits of one cohort are not ten independent experiments: the plain standard error of
their mean is about half of what it should be. The corrected variance of the mean of J splits is
``(1/J + n_test/n_train) * var`` (Machine Learning 52:239, DOI 10.1023/A:1024068626366).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from dyssync.arrays import Floats


@dataclass(frozen=True)
class CorrectedMean:
    """Mean over seeds with its corrected 95 % interval and two-sided p-value against 0.

    NaN interval and p-value with fewer than two values.
    """

    mean: float
    sd: float
    low: float
    high: float
    p_value: float
    n: int


def corrected_mean(values: Floats, test_share: float, level: float = 0.95) -> CorrectedMean:
    """Return the mean of one value a seed with the Nadeau-Bengio interval.

    Args:
        values: (J,) one a seed; NaN (undefined there) is left out and does not count in `n`.
        test_share: n_test / n_train, train being the patients that weights are fitted to. Those
            that only stop training are in neither: with 60/20/20 it is 57/171.
        level: of the interval.
    """
    held = values[~np.isnan(values)]
    n = len(held)
    nan = float("nan")
    if n == 0:
        return CorrectedMean(nan, nan, nan, nan, nan, 0)
    mean = float(held.mean())
    if n == 1:
        return CorrectedMean(mean, nan, nan, nan, nan, 1)
    sd = float(held.std(ddof=1))
    error = float(np.sqrt((1 / n + test_share) * sd**2))
    half = float(stats.t.ppf(0.5 + level / 2, n - 1)) * error
    p_value = float(2 * stats.t.sf(abs(mean) / error, n - 1)) if error > 0 else float(mean == 0)
    return CorrectedMean(mean, sd, mean - half, mean + half, p_value, n)
