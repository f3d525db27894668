"""The loops of the renderer that NumPy is slow at, compiled by Numba.

A training view has so few sub-columns that what counts is the number of passes over them: NumPy
takes about ninety calls for the two loops of the rasteriser, and more than twice as long.
Importing Numba takes a second, so this module is imported where its loops are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np

from dyssync.arrays import Bytes, Indices, Singles
from dyssync.rendering.spans import SUB_COLUMNS, Traces

P = ParamSpec("P")
R = TypeVar("R")


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
def _extremes(
    row: Singles, start: float, stop: float, first: np.float32, last: np.float32
) -> tuple[np.float32, np.float32]:
    """Return the lowest and highest of `first` at `start`, `last` at `stop` and what lies between.

    NaN where one of them is missing.
    """
    low, high = min(first, last), max(first, last)
    missing = np.isnan(first) or np.isnan(last)
    if not missing:
        for i in range(int(start) + 1, int(stop) + 1):
            low, high = min(low, row[i]), max(high, row[i])
            missing |= np.isnan(row[i])
    if missing:
        return np.float32(np.nan), np.float32(np.nan)
    return low, high


@compiled
def _ends(
    row: Singles,
    at_begin: float,
    step: float,
    left: int,
    zero: np.float32,
    scale: np.float32,
    upper: Singles,
    lower: Singles,
) -> None:
    """Find the ends (px) of the line in each sub-column from `left` on, in place; gaps stay."""
    start = left * step + at_begin
    first = _value_at(row, start)
    for k in range(len(upper)):
        stop = (left + k + 1) * step + at_begin
        last = _value_at(row, stop)
        low, high = _extremes(row, start, stop, first, last)
        start, first = stop, last
        if not np.isnan(low):
            end_a, end_b = zero - scale * low, zero - scale * high
            upper[k], lower[k] = min(end_a, end_b), max(end_a, end_b)


@compiled
def _widen(upper: Singles, lower: Singles, reach: Singles, top: Singles, bottom: Singles) -> None:
    """Draw the ends of a line with a round pen, in place."""
    n, taps = len(upper), len(reach) - 1
    for tap in range(-taps, taps + 1):
        half = reach[abs(tap)]
        for k in range(max(0, -tap), min(n, n - tap)):
            top[k] = min(top[k], upper[k + tap] - half)
            bottom[k] = max(bottom[k], lower[k + tap] + half)


@compiled
def fill_spans(
    signal: Singles, fs: float, traces: Traces, reach: Singles
) -> tuple[Indices, Indices, Singles, Singles]:
    """Return trace, pixel column, top and bottom of all spans; see :class:`~.trace.Spans`.

    Args:
        signal: (12, n) mV; NaN is a gap.
        fs: Hz.
        traces: where to draw.
        reach: (taps + 1,) half the height of the pen, so many sub-columns from its middle, px.
    """
    lead, x0, x1 = traces.lead, traces.x0, traces.x1
    n_columns = 0
    for p in range(len(lead)):
        n_columns += int(np.ceil(x1[p])) - int(np.floor(x0[p]))
    trace, column = np.empty(n_columns, np.intp), np.empty(n_columns, np.intp)
    top = np.full(SUB_COLUMNS * n_columns, np.inf, np.float32)
    bottom = np.full(SUB_COLUMNS * n_columns, -np.inf, np.float32)
    upper, lower = top.copy(), bottom.copy()
    step, c = fs / traces.px_per_s / SUB_COLUMNS, 0  # samples a sub-column
    for p in range(len(lead)):
        origin, begin = int(np.floor(x0[p])), SUB_COLUMNS * c
        for x in range(origin, int(np.ceil(x1[p]))):
            trace[c], column[c] = p, x
            c += 1
        # Sub-columns whose centre lies within the trace, counted from its first pixel column
        left = int(np.ceil(x0[p] * SUB_COLUMNS - 0.5)) - SUB_COLUMNS * origin
        right = int(np.ceil(x1[p] * SUB_COLUMNS - 0.5)) - SUB_COLUMNS * origin
        inked = slice(begin + left, begin + right)
        at_begin = (traces.start_s[p] + (origin - x0[p]) / traces.px_per_s) * fs
        row, zero, scale = (
            signal[lead[p]],
            np.float32(traces.baseline[p]),
            np.float32(traces.px_per_mv[p]),
        )
        _ends(row, at_begin, step, left, zero, scale, upper[inked], lower[inked])
        _widen(upper[inked], lower[inked], reach, top[inked], bottom[inked])
    shape = (n_columns, SUB_COLUMNS)
    return trace, column, top.reshape(shape), bottom.reshape(shape)


@compiled
def lay_ink(image: Bytes, column: Indices, top: Singles, bottom: Singles, colour: Singles) -> None:
    """Draw spans on a picture, in place; where traces cross, the darkest wins.

    Args:
        image: (H, W, channels); holds the paper.
        column: (C,) pixel column.
        top: (C, SUB_COLUMNS) upper ends of the ink, px.
        bottom: (C, SUB_COLUMNS) lower ends.
        colour: (channels,) of full ink.
    """
    height, width, n_channels = image.shape
    first = np.zeros(len(column), np.intp)
    last = np.zeros(len(column), np.intp)
    n_pixels = 0
    for c in range(len(column)):
        highest, lowest = top[c, 0], bottom[c, 0]
        for k in range(1, SUB_COLUMNS):
            highest, lowest = min(highest, top[c, k]), max(lowest, bottom[c, k])
        if 0 <= column[c] < width and lowest > 0 and highest < height:
            first[c] = int(max(highest, np.float32(0)))
            last[c] = int(np.ceil(min(lowest, np.float32(height))))
            n_pixels += max(last[c] - first[c], 0)
    # All paper is looked at before any ink is laid, so the order of the traces does not matter.
    shades = np.empty((n_pixels, n_channels), np.uint8)
    at = 0
    for c in range(len(column)):
        for row in range(first[c], last[c]):
            cover = np.float32(0)
            upper, lower = np.float32(row), np.float32(row + 1)
            for k in range(SUB_COLUMNS):
                cover += max(min(lower, bottom[c, k]) - max(upper, top[c, k]), np.float32(0))
            cover *= np.float32(1 / SUB_COLUMNS)
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


@compiled
def stamp(image: Bytes, mask: Bytes, x: int, y: int, shades: Bytes) -> None:
    """Lay a mask on a grey picture, in place; the darker of both stays, what does not fit is cut.

    Args:
        image: (H, W).
        mask: (h, w), index into `shades`.
        x: left end of the mask in the picture, px.
        y: its upper end.
        shades: (256,) grey values.
    """
    for row in range(max(y, 0), min(y + mask.shape[0], image.shape[0])):
        for column in range(max(x, 0), min(x + mask.shape[1], image.shape[1])):
            shade = shades[mask[row - y, column - x]]
            image[row, column] = min(image[row, column], shade)


@compiled
def grey_at_share(image: Bytes, share: float) -> int:
    """Return the lowest grey value that so much of the picture does not exceed, (H, W), 0-1."""
    counts = np.zeros((4, 256), np.int64)
    height, width = image.shape
    for row in range(height):
        for column in range(width):
            # Four counts in turn: white after white would have to wait for its own last count.
            counts[column & 3, image[row, column]] += 1
    least, reached = share * image.size, 0
    for grey in range(256):
        reached += counts[0, grey] + counts[1, grey] + counts[2, grey] + counts[3, grey]
        if reached >= least:
            return grey
    return 255
