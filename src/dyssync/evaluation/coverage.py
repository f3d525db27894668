"""How often conformal sets hold the truth in new patients, in each class, and how often they defer.

References:
    Wilson EB. J Am Stat Assoc 1927;22:209, doi 10.1080/01621459.1927.10502953 (intervals).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from dyssync.arrays import Bools
from dyssync.evaluation.conformal import LEVELS, NON_RESPONDER, RESPONDER, possible_outcomes

COLUMNS = ("model", "level", "outcome", "n", "covered", "low", "high", "deferred")
EVERYBODY = "all"


def coverage_table(answers: pd.DataFrame, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
    """Return coverage and deferral of every model at every level, in each class and in all.

    Args:
        answers: model, y (0/1), p_non_responder and p_responder (conformal p-values, 0-1; a NaN
            leaves both outcomes possible).
        levels: shares of each class whose set shall hold the truth, 0-1.

    Returns:
        Columns :data:`COLUMNS`: share (0-1) of n patients whose set holds the true outcome with its
        95 % interval, and share of those who are deferred; NaN without patients.
    """
    rows: list[tuple[object, ...]] = []
    for model, own in answers.groupby("model", sort=False):
        y = own["y"].to_numpy(np.int64)
        p_values = own[["p_non_responder", "p_responder"]].to_numpy(np.float64)
        for level in levels:
            possible = possible_outcomes(p_values, level)  # (n, 2)
            held, open_ = possible[np.arange(len(y)), y], possible[:, 0] == possible[:, 1]
            for outcome, members in (
                (NON_RESPONDER, y == 0), (RESPONDER, y == 1), (EVERYBODY, y >= 0),
            ):  # fmt: skip
                covered, low, high = share_interval(held[members])
                deferred, _, _ = share_interval(open_[members])
                counts = (model, level, outcome, int(members.sum()))
                rows.append((*counts, covered, low, high, deferred))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def share_interval(hits: Bools) -> tuple[float, float, float]:
    """Return the share of hits (n,) with Wilson's 95 % interval; NaN without any.

    >>> [round(x, 3) for x in share_interval(np.arange(10) < 9)]
    [0.9, 0.596, 0.982]
    """
    if len(hits) == 0:
        return math.nan, math.nan, math.nan
    found = stats.binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
    return float(hits.mean()), float(found.low), float(found.high)
