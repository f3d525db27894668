"""The loops of the renderer in NumPy, for a process that draws a few pictures and ends.

They leave the same bits as the compiled ones (:mod:`~dyssync.rendering.loops`), in twice the time a
picture; loading Numba and what it has compiled takes as long as some hundred pictures.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Bytes, Floats, Indices, Singles
from dyssync.rendering.spans import SUB_COLUMNS, Traces


def fill_spans(
    signal: Singles, fs: float, traces: Traces, reach: Singles
) -> tuple[Indices, Indices, Singles, Singles]:
    """Return trace, pixel column, top and bottom of all spans, as the compiled loop does."""
    step = fs / traces.px_per_s / SUB_COLUMNS  # samples a sub-column
    parts = []
    for p, x0 in enumerate(traces.x0.tolist()):
        origin, end = int(np.floor(x0)), int(np.ceil(traces.x1[p]))
        left = int(np.ceil(x0 * SUB_COLUMNS - 0.5)) - SUB_COLUMNS * origin
        right = int(np.ceil(traces.x1[p] * SUB_COLUMNS - 0.5)) - SUB_COLUMNS * origin
        at_begin = (traces.start_s[p] + (origin - x0) / traces.px_per_s) * fs
        low, high = _extremes(signal[traces.lead[p]], np.arange(left, right + 1) * step + at_begin)
        zero, scale = np.float32(traces.baseline[p]), np.float32(traces.px_per_mv[p])
        end_a, end_b = zero - scale * low, zero - scale * high
        upper, lower = np.minimum(end_a, end_b), np.maximum(end_a, end_b)
        gap = np.isnan(low)
        upper[gap], lower[gap] = np.inf, -np.inf
        top = np.full(SUB_COLUMNS * (end - origin), np.inf, np.float32)
        bottom = np.full(SUB_COLUMNS * (end - origin), -np.inf, np.float32)
        top[left:right], bottom[left:right] = _widened(upper, lower, reach)
        columns = np.arange(origin, end, dtype=np.intp)
        parts.append((np.full(len(columns), p, np.intp), columns, top, bottom))
    trace, column, top, bottom = (np.concatenate(held) for held in zip(*parts, strict=True))
    shape = (len(trace), SUB_COLUMNS)
    return trace, column, top.reshape(shape), bottom.reshape(shape)


def _extremes(row: Singles, position: Floats) -> tuple[Singles, Singles]:
    """Return the lowest and highest from each position to the next; NaN where one is missing."""
    n = len(row)
    outside = ~((position >= 0) & (position <= n - 1))
    whole = np.clip(position, 0, n - 1).astype(np.intp)
    before = np.minimum(whole, n - 2)
    ends = row[before] + (row[before + 1] - row[before]) * (position - before).astype(np.float32)
    ends[outside] = np.nan
    low, high = np.minimum(ends[:-1], ends[1:]), np.maximum(ends[:-1], ends[1:])
    start, stop = whole[:-1] + 1, whole[1:] + 1  # of the samples between
    held = stop > start
    if held.any():
        inner = row[: stop[-1]]
        start = np.minimum(start, len(inner) - 1)
        np.minimum(low, np.minimum.reduceat(inner, start), out=low, where=held)
        np.maximum(high, np.maximum.reduceat(inner, start), out=high, where=held)
    return low, high


def _widened(upper: Singles, lower: Singles, reach: Singles) -> tuple[Singles, Singles]:
    """Return what a round pen makes of the ends of a line."""
    n = len(upper)
    top, bottom = np.full(n, np.inf, np.float32), np.full(n, -np.inf, np.float32)
    for tap in range(1 - len(reach), len(reach)):
        to, of = slice(max(0, -tap), min(n, n - tap)), slice(max(0, tap), min(n, n + tap))
        np.minimum(top[to], upper[of] - reach[abs(tap)], out=top[to])
        np.maximum(bottom[to], lower[of] + reach[abs(tap)], out=bottom[to])
    return top, bottom


def lay_ink(image: Bytes, column: Indices, top: Singles, bottom: Singles, colour: Singles) -> None:
    """Draw spans on a picture, in place, as the compiled loop does."""
    height, width, _ = image.shape
    highest, lowest = top.min(axis=1), bottom.max(axis=1)
    shown = (column >= 0) & (column < width) & (lowest > 0) & (highest < height)
    highest, lowest, column = highest[shown], lowest[shown], column[shown]
    first = np.maximum(highest, 0).astype(np.intp)
    n_rows = np.ceil(np.minimum(lowest, height)).astype(np.intp) - first
    n_rows = np.maximum(n_rows, 0)
    span = np.repeat(np.arange(len(first)), n_rows)
    row = np.arange(len(span)) + (first - np.cumsum(n_rows) + n_rows)[span]
    upper = row.astype(np.float32)
    cover = np.zeros(len(span), np.float32)
    for k in range(SUB_COLUMNS):
        ends = top[shown, k][span], bottom[shown, k][span]
        cover += np.maximum(np.minimum(upper + 1, ends[1]) - np.maximum(upper, ends[0]), 0)
    cover *= np.float32(1 / SUB_COLUMNS)
    at = (row, column[span])
    below = image[at].astype(np.float32)
    painted = below + (colour - below) * cover[:, None]
    np.minimum.at(image, at, np.rint(painted).astype(np.uint8))


def grey_at_share(image: Bytes, share: float) -> int:
    """Return the lowest grey value that so much of the picture does not exceed, (H, W), 0-1."""
    reached = np.cumsum(np.bincount(image.ravel(), minlength=256))
    return min(int(np.searchsorted(reached, share * image.size)), 255)
