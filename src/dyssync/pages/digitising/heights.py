"""From the ink of a trace to its height at two places a column, finer than a pixel.

A round pen leaves more ink than its middle went through: a spike keeps its height but gets as wide
as the pen. So heights are sought whose ink, drawn anew, has the edges that are seen. What is seen
of a column is the mean over its width, so it is drawn in narrower ones.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Bools, Floats
from dyssync.rendering.loops import compiled

PER_COLUMN = 2  # heights in each column
STEPS = 4  # in each column, of the ink that is drawn anew
ROUNDS = 80  # of correction; the edges then agree within some hundredths of a pixel
# Enough to find out what a row shows: on clean pages nine of ten heights are within .16 px of the
# last round, and tips, one in a hundred, more than a pixel off
ROUGH_ROUNDS = 16
GAIN = 0.6  # of the difference that is corrected at once
SMOOTHING = 0.1  # share of the way to the mean of its neighbours that each height goes, at first
MOST_SMOOTHING = 0.4  # of thick pens, which hide what happens within them
FADING = 0.9  # share of the smoothing that is gone in the last round: spikes get their height back
PEN_QUANTILE = 0.2  # of the heights of all runs of traces: the pen where it runs level


def find_heights(
    top: Floats, bottom: Floats, pen: float, aspect: float, rounds: int = ROUNDS
) -> Floats:
    """Return the height of the middle of the pen, two a column.

    Args:
        top: (n,) where the ink of the trace begins, px, mean of the column; NaN where nothing is
            seen.
        bottom: (n,) where it ends.
        pen: thickness, px.
        aspect: px across a px down, of the same length on paper.
        rounds: of correction.

    Returns:
        (2 n,) px, at a quarter and three quarters of each column; NaN where nothing was seen.
    """
    known = np.isfinite(top)
    if not known.any():
        return np.full(PER_COLUMN * len(top), np.nan)
    at = np.arange(len(top))
    upper = np.interp(at, at[known], top[known])
    lower = np.interp(at, at[known], bottom[known])
    half = max(pen / 2, 0.25)
    middle = _worn_down(upper, lower, half, aspect)
    # Which end of a tall stretch comes first is told by the columns beside it.
    rise = np.gradient(middle) / 4 if len(middle) > 1 else np.zeros(1)
    heights = np.stack([middle - rise, middle + rise], axis=1).ravel()
    offset = np.arange(int(half * aspect * STEPS + 0.25) + 1) / (STEPS * aspect)
    cap = np.sqrt(np.maximum(half**2 - offset**2, 0.0))
    reach = int(half * aspect * PER_COLUMN + 0.25)
    smoothing = min(SMOOTHING * max(reach, 1) ** 2, MOST_SMOOTHING)
    _agree(heights, upper, lower, known, cap, smoothing, max(pen, 1.0), rounds)
    heights[np.repeat(~known, PER_COLUMN)] = np.nan
    return heights


def _worn_down(top: Floats, bottom: Floats, half: float, aspect: float) -> Floats:
    """Return the middle of the heights at which the pen stays within the ink, one a column."""
    reach = int(half * aspect)
    high, low = np.full(len(top), -np.inf), np.full(len(top), np.inf)
    for offset in range(-reach, reach + 1):
        cap = np.sqrt(max(half**2 - (offset / aspect) ** 2, 0.0))
        at = np.clip(np.arange(len(top)) + offset, 0, len(top) - 1)
        high, low = np.maximum(high, top[at] + cap), np.minimum(low, bottom[at] - cap)
    middle: Floats = (high + low) / 2
    return middle


@compiled
def _place(step: int, n: int) -> tuple[int, float]:
    """Return between which of n heights the middle of a step lies, and the share of the second."""
    position = (step + 0.5) * PER_COLUMN / STEPS - 0.5
    at = min(max(int(np.floor(position)), 0), n - 2)
    return at, min(max(position - at, 0.0), 1.0)


@compiled
def _agree(
    heights: Floats,
    top: Floats,
    bottom: Floats,
    known: Bools,
    cap: Floats,
    smoothing: float,
    most: float,
    rounds: int,
) -> None:
    """Correct heights, in place, until their ink has the edges `top` and `bottom`.

    Tips are smoothed as if they were `most` px high, or they would be worn down.
    """
    n, steps, reach = len(heights), STEPS * len(top), len(cap) - 1
    change, weight = np.zeros(n), np.zeros(n)
    line = np.zeros(steps)  # drawn through the heights
    high, low = np.zeros(steps), np.zeros(steps)  # its ends within each step
    upper, lower = np.zeros(STEPS, np.intp), np.zeros(STEPS, np.intp)  # steps that make the edges
    for turn in range(rounds):
        for j in range(steps):
            at, share = _place(j, n)
            line[j] = (1 - share) * heights[at] + share * heights[at + 1]
        for j in range(steps):
            before = (line[max(j - 1, 0)] + line[j]) / 2
            after = (line[min(j + 1, steps - 1)] + line[j]) / 2
            high[j] = min(before, line[j], after)
            low[j] = max(before, line[j], after)
        change[:] = 0
        weight[:] = 0
        for x in range(len(top)):
            if not known[x]:
                continue
            above, below = top[x], bottom[x]
            for k in range(STEPS):
                j = STEPS * x + k
                first, last = np.inf, -np.inf
                for s in range(max(j - reach, 0), min(j + reach + 1, steps)):
                    h = cap[abs(s - j)]
                    if high[s] - h < first:
                        first, upper[k] = high[s] - h, s
                    if low[s] + h > last:
                        last, lower[k] = low[s] + h, s
                above -= first / STEPS
                below -= last / STEPS
            for k in range(STEPS):
                for s, gap in ((upper[k], above), (lower[k], below)):
                    at, share = _place(s, n)
                    change[at] += (1 - share) * gap
                    weight[at] += 1 - share
                    change[at + 1] += share * gap
                    weight[at + 1] += share
        for s in range(n):
            if weight[s] > 0:
                heights[s] += GAIN * change[s] / max(weight[s], 1.0)
        before = heights[0]
        share = smoothing * (1 - FADING * turn / rounds)
        for s in range(1, n - 1):
            now = heights[s]
            pull = (before + heights[s + 1]) / 2 - now
            if (before - now) * (heights[s + 1] - now) > 0:
                pull = min(max(pull, -most), most)
            heights[s] += share * pull
            before = now
