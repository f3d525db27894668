"""From heights along a page to even samples: what was not seen stays unknown."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Bools, Floats
from dyssync.pages.digitising.heights import PER_COLUMN

BRIDGED_S = 0.04  # of a trace that is bridged where nothing is seen; longer gaps stay unknown


def tall(heights: Floats) -> Bools:
    """Return where a trace is beyond all of its neighbours a little further away, (2 n,)."""
    around = np.stack([np.roll(heights, shift) for shift in (-8, -6, 6, 8)])
    low, high = np.fmin.reduce(around), np.fmax.reduce(around)  # NaN where all are
    out: Bools = (heights < low - 1) | (heights > high + 1)
    return out


def sampled(wanted: Floats, x: Floats, heights: Floats) -> Floats:
    """Return heights at `wanted`; NaN where the nearest of them is unknown, or off the picture.

    Args:
        wanted: (n,) px across the page.
        x: (2 m,) where heights are, :data:`PER_COLUMN` a column.
        heights: (2 m,) px; NaN unknown.
    """
    known = np.isfinite(heights)
    if not known.any():
        return np.full(len(wanted), np.nan)
    values = np.interp(wanted, x[known], heights[known])
    nearest = np.searchsorted((x[1:] + x[:-1]) / 2, wanted)
    # Columns may go on beyond the edge of a page that was cut: nothing was seen there.
    seen = known[nearest] & (np.abs(wanted - x[nearest]) <= 1 / PER_COLUMN)
    found: Floats = np.where(seen, values, np.nan)
    return found


def bridged(heights: Floats, confidence: Floats, px_per_s: float) -> tuple[Floats, Floats]:
    """Return heights and confidence, short gaps filled by a straight line, of confidence 0.

    Args:
        heights: (2 n,) px; NaN unknown.
        confidence: (2 n,) 0-1.
        px_per_s: across the page.
    """
    known = np.isfinite(heights)
    if known.all() or not known.any():
        return heights, confidence
    at = np.arange(len(heights))
    filled = np.interp(at, at[known], heights[known])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (~known).astype(np.int8), [0]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin > BRIDGED_S * px_per_s * PER_COLUMN:
            filled[begin:end] = np.nan
    return filled, np.where(known, confidence, 0.0)
