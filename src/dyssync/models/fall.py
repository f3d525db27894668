"""Learning from the volumes themselves: the fall of LVESV, of which response is a yes or no.

A patient at 14 % and one at -30 % are both no responders; a model that learns the fall sees the
difference. On virtual patients 171 with their falls teach as much as 285 with yes or no.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.cohort.clinical import RESPONSE_FALL

# Beyond these a measured fall (%) says more of the echo than of the heart: a volume cannot shrink
# by more, and one bad tracing must not outweigh ten patients.
FALL_RANGE = (-40.0, 70.0)
RESPONSE_AT = 100 * RESPONSE_FALL  # %
# The logistic function with this factor is the normal distribution function to within 0.0095
# (Camilli G. J Educ Behav Stat 1994;19:293): with it what features add to the expected fall adds
# up to the log-odds of response exactly.
NORMAL_TO_LOGISTIC = 1.702
LEAST_KNOWN = 0.5  # share of patients; below, the falls that are known are a selection


def falls_to_learn(fall: Floats | None, labels: Ints) -> Floats | None:
    """Return falls that a model can learn, (n,) %, finite; None where too few are known.

    A patient whose response is known without volumes gets the mean fall of those of that response.

    Args:
        fall: (n,) %, NaN where not known; None where nobody knows any.
        labels: (n,) responses.
    """
    if fall is None:
        return None
    known = np.isfinite(fall)
    classes = [labels == outcome for outcome in (0, 1)]
    if known.mean() < LEAST_KNOWN or not all((known & held).any() for held in classes):
        return None
    filled = np.clip(fall, *FALL_RANGE)
    for held in classes:
        filled[held & ~known] = filled[held & known].mean()
    return filled


def log_odds_of_response(expected_fall: Floats, sd: float) -> Floats:
    """Return the log-odds of a fall of at least 15 %, (n,), where falls vary by `sd` (%)."""
    return NORMAL_TO_LOGISTIC * (expected_fall - RESPONSE_AT) / sd
