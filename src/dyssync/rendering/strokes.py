"""The two loops of the rasteriser, compiled by Numba; :mod:`dyssync.rendering.trace` explains them.

NumPy takes about ninety calls for the same and more than twice as long: a training view has so few
sub-columns that what counts is the number of passes over them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

P = ParamSpec("P")
R = TypeVar("R")
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Singles = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` as machine code, made at the first call and kept for the next process."""
    try:
        return cast(Callable[P, R], numba.njit(cache=True)(function))
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return cast(Callable[P, R], numba.njit(function))


@compiled
def _value_at(row: Singles, position: float) -> np.float32:
    """Return the signal between two samples; NaN outside of it."""
    n = len(row)
    if not 0 <= position <= n - 1:
        return np.float32(np.nan)
    before = min(int(position), n - 2)
    rise = row[before + 1] - row[before]
    value: np.float32 = row[before] + rise * np.float32(position - before)
    return value


@compiled
def _extremes(row: Singles, start: float, stop: float) -> tuple[np.float32, np.float32]:
    """Return the lowest and highest value from `start` to `stop`; NaN where one is missing."""
    first, last = _value_at(row, start), _value_at(row, stop)
    low, high = min(first, last), max(first, last)
    if np.isnan(first) or np.isnan(last):
        return np.float32(np.nan), np.float32(np.nan)
    for i in range(int(start) + 1, int(stop) + 1):
        if np.isnan(row[i]):
            return row[i], row[i]
        low, high = min(low, row[i]), max(high, row[i])
    return low, high


@compiled
def fill_spans(
    signal: Singles,
    lead: Ints,
    begin: Ints,
    inside: Ints,
    at_begin: Floats,
    per_step: float,
    scale: Singles,
    baseline: Singles,
    reach: Singles,
) -> tuple[Singles, Singles]:
    """Return top and bottom of the ink in each sub-column, (S,) px; +inf and -inf where is none.

    Args:
        signal: (12, n) mV.
        lead: (P,) row of the signal that each trace draws.
        begin: (P + 1,) first sub-column of each trace, and their number S.
        inside: (P, 2) range of the sub-columns with ink, counted from `begin`.
        at_begin: (P,) sample at the first sub-column of each trace.
        per_step: samples a sub-column.
        scale: (P,) px a mV.
        baseline: (P,) y of 0 mV, px.
        reach: (taps + 1,) half the height of the pen, so many sub-columns from its middle, px.
    """
    taps = len(reach) - 1
    top = np.full(begin[-1], np.inf, np.float32)
    bottom = np.full(begin[-1], -np.inf, np.float32)
    for p in range(len(lead)):
        row, left, right = signal[lead[p]], inside[p, 0], inside[p, 1]
        for k in range(left, right):
            start, stop = k * per_step + at_begin[p], (k + 1) * per_step + at_begin[p]
            low, high = _extremes(row, start, stop)
            if np.isnan(low):
                continue
            end_a, end_b = baseline[p] - scale[p] * low, baseline[p] - scale[p] * high
            first, last = min(end_a, end_b), max(end_a, end_b)
            for j in range(max(k - taps, left), min(k + taps + 1, right)):
                at, half = begin[p] + j, reach[abs(j - k)]
                top[at] = min(top[at], first - half)
                bottom[at] = max(bottom[at], last + half)
    return top, bottom


@compiled
def lay_ink(image: Bytes, column: Ints, top: Singles, bottom: Singles, colour: Singles) -> None:
    """Draw spans on a picture, in place; where traces cross, the darkest wins.

    Args:
        image: (H, W, channels); holds the paper.
        column: (C,) pixel column.
        top: (C, SUB_COLUMNS) upper ends of the ink, px.
        bottom: (C, SUB_COLUMNS) lower ends.
        colour: (channels,) of full ink.
    """
    height, width, n_channels = image.shape
    n_sub = top.shape[1]
    first = np.empty(len(column), np.intp)
    last = np.zeros(len(column), np.intp)
    n_pixels = 0
    for c in range(len(column)):
        highest, lowest = top[c].min(), bottom[c].max()
        first[c] = 0
        if 0 <= column[c] < width and lowest > 0 and highest < height:
            first[c] = int(max(highest, 0))
            last[c] = int(np.ceil(min(lowest, height)))
            n_pixels += max(last[c] - first[c], 0)
    # All paper is looked at before any ink is laid, so the order of the traces does not matter.
    shades = np.empty((n_pixels, n_channels), np.uint8)
    at = 0
    for c in range(len(column)):
        for row in range(first[c], last[c]):
            cover = np.float32(0)
            upper, lower = np.float32(row), np.float32(row + 1)
            for k in range(n_sub):
                cover += max(min(lower, bottom[c, k]) - max(upper, top[c, k]), np.float32(0))
            cover *= np.float32(1) / np.float32(n_sub)
            for channel in range(n_channels):
                below = np.float32(image[row, column[c], channel])
                painted = below + (colour[channel] - below) * cover
                shades[at, channel] = np.uint8(np.rint(painted))
            at += 1
    at = 0
    for c in range(len(column)):
        for row in range(first[c], last[c]):
            for channel in range(n_channels):
                held = image[row, column[c], channel]
                image[row, column[c], channel] = min(held, shades[at, channel])
            at += 1
