"""Regions of Grad-CAM maps with the network as the unit: shares, their mean, a published count.

All maps of one network tend to lie on one side: the network explained 77 % of the variance of the
limb leads' part. Ten networks with 36 maps each are therefore ten observations, not 360.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from dyssync.arrays import Floats
from dyssync.explanation.regions import BOTH, LIMB, PRECORDIAL, REGIONS

# Mori et al. 2025, DOI 10.1111/jce.70212: maps of 36 responders
STUDY_COUNTS: Mapping[str, int] = {PRECORDIAL: 13, LIMB: 16, BOTH: 7}
STUDY_SHARES = {region: n / sum(STUDY_COUNTS.values()) for region, n in STUDY_COUNTS.items()}

UNTRAINED = 20  # networks a model; over them a share scatters by 25 points (SD), so its mean by 6


class MeanShare(NamedTuple):
    """Mean over networks, 0-1, with its interval; NaN where it is not known."""

    mean: float
    low: float
    high: float


class FitTest(NamedTuple):
    """Pearson's chi-squared test of counts against given shares; NaN where it cannot be done."""

    chi2: float
    df: int
    p_value: float


def untrained_numbers(cell: int, n_cells: int) -> range:
    """Return which of the :data:`UNTRAINED` networks look at the test part of a cell.

    They are dealt out in turn, so that together they see the patients that trained ones are asked
    about, and a study pays for no more than :data:`UNTRAINED` in all.

    Args:
        cell: 0 to `n_cells` - 1.
        n_cells: of one model; at least 1.

    >>> [list(untrained_numbers(cell, 10)) for cell in (0, 9)]
    [[0, 10], [9, 19]]
    """
    return range(cell, UNTRAINED, n_cells)


def region_shares(regions: Sequence[str]) -> Floats:
    """Return the share of each of :data:`REGIONS` among the maps of one network, (4,); 0-1.

    NaN where there is no map.

    >>> region_shares(["limb", "limb", "both", "none"]).tolist()
    [0.0, 0.5, 0.25, 0.25]
    """
    if not regions:
        return np.full(len(REGIONS), np.nan)
    return np.array([list(regions).count(region) / len(regions) for region in REGIONS])


def mean_share(shares: Floats, level: float = 0.95) -> MeanShare:
    """Return the mean of one share a network, with Student's interval over the networks.

    The interval tells what other networks of the same kind would give on these patients, not what
    other patients would. It is cut at 0 and 1, beyond which no share can lie.

    Args:
        shares: (J,) 0-1; NaN (a network without maps) is left out.
        level: of the interval, which is NaN with fewer than two networks.
    """
    held = shares[~np.isnan(shares)]
    if not len(held):
        return MeanShare(float("nan"), float("nan"), float("nan"))
    mean = float(held.mean())
    if len(held) == 1:
        return MeanShare(mean, float("nan"), float("nan"))
    error = held.std(ddof=1) / np.sqrt(len(held))
    half = float(stats.t.ppf(0.5 + level / 2, len(held) - 1) * error)
    return MeanShare(mean, max(0.0, mean - half), min(1.0, mean + half))


def published_against(null: Mapping[str, float]) -> FitTest:
    """Test the published counts against the shares of networks that have learnt nothing.

    Maps are taken to be independent and the shares to be exact. Both make p smaller than it is:
    maps of one network are alike, and the shares come from a few networks. So a large p stands,
    while a small one does not show that the published networks had learnt where to look.

    Args:
        null: share of each region, 0-1; empty maps, of which none was published, are left out.
    """
    counts = np.array(list(STUDY_COUNTS.values()), dtype=np.float64)
    shares = np.array([null[region] for region in STUDY_COUNTS], dtype=np.float64)
    df = len(counts) - 1
    if not (shares > 0).all():  # not known, or a region that no untrained network gives
        return FitTest(float("nan"), df, float("nan"))
    found = stats.chisquare(counts, counts.sum() * shares / shares.sum())
    return FitTest(float(found.statistic), df, float(found.pvalue))
