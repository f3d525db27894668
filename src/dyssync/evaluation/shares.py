"""Intervals of shares that are 0 or 1: where everybody is alike, drawing again shows no doubt."""

from __future__ import annotations

import numpy as np
from scipy import stats

from dyssync.arrays import Floats, Ints

TAIL = 0.025


def people_asked(name: str, y: Ints, p: Floats, thresholds: Floats) -> Floats | None:
    """Return of how many patients a metric is the share, (m,); None where it is no share.

    Args:
        name: of the metric.
        y: (n,) outcomes.
        p: (n,) probabilities.
        thresholds: (m,).
    """
    called = (p[:, None] >= thresholds).sum(axis=0).astype(np.float64)
    of = {
        "accuracy": np.full(len(thresholds), float(len(y))),
        "ppv": called,
        "npv": len(y) - called,
        "sensitivity": np.full(len(thresholds), float((y == 1).sum())),
        "specificity": np.full(len(thresholds), float((y == 0).sum())),
    }
    return of.get(name)


def exact_ends(share: Floats, asked: Floats, factor: float) -> tuple[Floats, Floats]:
    """Return the ends of Clopper and Pearson's 95 % interval of shares that are 0 or 1, (m,) each.

    NaN for other shares. None of 9 is compatible with up to 34 %.

    Args:
        share: (m,) 0-1.
        asked: (m,) patients.
        factor: by which the variance is larger than that of counting; patients count for less.

    References:
        Clopper CJ, Pearson ES. Biometrika 1934;26:404, doi 10.1093/biomet/26.4.404.

    >>> exact_ends(np.array([0.0, 0.5]), np.array([9.0, 9.0]), 1.0)[1].round(3).tolist()
    [0.336, nan]
    """
    n = asked / factor
    low, high = np.full(len(share), np.nan), np.full(len(share), np.nan)
    none, everyone = (share == 0) & (asked > 0), (share == 1) & (asked > 0)
    low[none], high[everyone] = 0.0, 1.0
    high[none] = stats.beta.ppf(1 - TAIL, 1, n[none])
    low[everyone] = stats.beta.ppf(TAIL, n[everyone], 1)
    return low, high
