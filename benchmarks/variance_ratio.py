"""Is one model more stable than another? The ratio of their variances over draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from dyssync.arrays import Floats

LEVEL = 0.95
RESAMPLES, SEED = 10_000, 0x57AB1E


@dataclass(frozen=True)
class VarianceRatio:
    """The variance of one sample, in parts of that of another.

    Attributes:
        ratio: below 1 where the first varies less.
        f_interval: 95 %, of the F distribution; exact for normal samples.
        bootstrap: 95 %, percentiles over samples drawn again; too narrow for few draws.
        p: of Brown and Forsythe's test that both vary alike (1974,
            10.1080/01621459.1974.10482955), which need not be normal.
    """

    ratio: float
    f_interval: tuple[float, float]
    bootstrap: tuple[float, float]
    p: float


def variance_ratio(first: Floats, second: Floats) -> VarianceRatio:
    """Compare two samples, (n,) and (m,), n and m at least 2; `second` must vary.

    The two are taken as independent, although a draw may teach both: paired draws would only
    narrow the intervals.
    """
    ratio = float(first.var(ddof=1) / second.var(ddof=1))
    tails = np.array([(1 + LEVEL) / 2, (1 - LEVEL) / 2])
    low, high = ratio / stats.f.ppf(tails, len(first) - 1, len(second) - 1)
    rng = np.random.default_rng(SEED)
    above, below = (
        held[rng.integers(0, len(held), (RESAMPLES, len(held)))].var(axis=1, ddof=1)
        for held in (first, second)
    )
    # one draw taken over and over does not vary at all: the other is infinitely less stable
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = above / below
    known = ratios[~np.isnan(ratios)]
    least, most = np.quantile(known, tails[::-1], method="inverted_cdf")
    p = stats.levene(first, second, center="median").pvalue
    return VarianceRatio(ratio, (float(low), float(high)), (float(least), float(most)), float(p))
