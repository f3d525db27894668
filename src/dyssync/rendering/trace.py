"""The rasteriser: a signal becomes the area that a round pen leaves on paper.

A trace is a function of time, so within a sub-column of the picture the pen covers one vertical
span. Its ends follow from the extremes of the signal in that sub-column and the round tip of the
pen; each pixel then gets the share of its area that is covered. No segment is ever drawn, narrow
peaks keep their height at any resolution, and the cost is that of the inked pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dyssync.ecg import Signal
from dyssync.rendering.rendered import Floats, Picture

Ints: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

# Pixels drawn at once: arrays of this size are reused by the allocator, larger ones are fetched
# from the system each time, which takes longer than the arithmetic.
BLOCK = 8192
SUB_COLUMNS = 3  # spans a pixel column; three draw a vertical stroke of a 1-px pen 1 px wide


@dataclass(frozen=True, eq=False)
class Traces:
    """Where and how P traces are drawn; all arrays have shape (P,).

    Attributes:
        lead: row of the signal.
        x0, x1: horizontal range, px.
        baseline: y of 0 mV, px.
        start_s: time in the recording at x0, s.
        px_per_mv: px a mV, negative for an inverted lead.
        px_per_s: px a second, one number for all.
    """

    lead: Ints
    x0: Floats
    x1: Floats
    baseline: Floats
    start_s: Floats
    px_per_mv: Floats
    px_per_s: float


@dataclass(frozen=True, eq=False)
class Spans:
    """Vertical spans of ink: for each of C pixel columns, one for each sub-column.

    Attributes:
        trace: (C,) intp, index into the :class:`Traces`.
        column: (C,) intp, pixel column.
        top, bottom: (C, SUB_COLUMNS) float32, px; +inf and -inf where there is nothing.
    """

    trace: Ints
    column: Ints
    top: Signal
    bottom: Signal


@dataclass(frozen=True, eq=False)
class Ink:
    """Covered share of the pixels of a picture, sparse.

    Attributes:
        pixel: (K,) intp, flat index into (H, W); named twice only where traces cross.
        cover: (K,) float32, 0-1.
    """

    pixel: Ints
    cover: Signal


def pen_taps(line_px: float) -> int:
    """Return how many sub-columns to each side a pen of width `line_px` reaches."""
    return max(round((line_px * SUB_COLUMNS - 1) / 2), 0)


def pen_height(line_px: float, tap: int) -> float:
    """Return half the height (px) of a round pen, `tap` sub-columns from its middle."""
    return float(max((line_px / 2) ** 2 - (tap / SUB_COLUMNS) ** 2, 0.0) ** 0.5)


def trace_spans(signal: Signal, fs: float, traces: Traces, line_px: float) -> Spans:
    """Return the vertical spans that a round pen of width `line_px` covers.

    Args:
        signal: (12, n) float32, mV; NaN is a gap.
        fs: Hz.
        traces: where to draw.
        line_px: width of the pen, px.
    """
    taps = pen_taps(line_px)
    first = np.floor(traces.x0).astype(np.intp)
    # Every trace owns its columns and a few empty ones after them, which keep the pens apart.
    n_columns = np.ceil(traces.x1).astype(np.intp) - first + 1 + taps // SUB_COLUMNS
    begin = SUB_COLUMNS * (np.cumsum(n_columns) - n_columns)
    # All of these have one number for each sub-column of each trace, (C * SUB_COLUMNS,)
    trace = np.repeat(np.arange(len(first)), n_columns * SUB_COLUMNS)
    sub_column = np.arange(len(trace)) + (SUB_COLUMNS * first - begin).take(trace)
    # Sub-columns whose centre lies within the trace
    left, right = (np.ceil(x * SUB_COLUMNS - 0.5).take(trace) for x in (traces.x0, traces.x1))
    outside = (sub_column < left) | (sub_column >= right)
    origin = (traces.start_s - traces.x0 / traces.px_per_s) * fs
    per_step = fs / traces.px_per_s / SUB_COLUMNS
    position = sub_column * per_step + origin.take(trace)
    low, high = _extremes(signal, traces.lead, position, begin, trace, per_step)
    scale = traces.px_per_mv.astype(np.float32).take(trace)
    baseline = traces.baseline.astype(np.float32).take(trace)
    end_a, end_b = baseline - scale * low, baseline - scale * high
    top, bottom = np.minimum(end_a, end_b), np.maximum(end_a, end_b)
    empty = outside | np.isnan(top)
    top[empty], bottom[empty] = np.inf, -np.inf
    top, bottom = _widen(top, bottom, line_px, taps)
    top[outside], bottom[outside] = np.inf, -np.inf
    return Spans(
        trace=trace[::SUB_COLUMNS],
        column=sub_column[::SUB_COLUMNS] // SUB_COLUMNS,
        top=top.reshape(-1, SUB_COLUMNS),
        bottom=bottom.reshape(-1, SUB_COLUMNS),
    )


def _extremes(
    signal: Signal, lead: Ints, position: Floats, begin: Ints, trace: Ints, per_step: float
) -> tuple[Signal, Signal]:
    """Return lowest and highest value from each position to the next, `per_step` samples on.

    NaN where a step leaves the signal. `begin` is the first position of each trace.
    """
    n = signal.shape[1]
    before = np.floor(position)
    fraction = (position - before).astype(np.float32)
    outside = (position < 0) | (position > n - 1)
    index = np.minimum(np.maximum(before, 0), n - 2).astype(np.intp)
    # The windows of all traces, one after the other, so that one reduction serves them all.
    end = np.full_like(begin, len(index))
    end[:-1] = begin[1:]
    start, stop = index[begin], index[end - 1] + 2
    bounds = zip(lead.tolist(), start.tolist(), stop.tolist(), strict=True)
    windows = np.concatenate([signal[row, first:last] for row, first, last in bounds])
    size = stop - start
    index += (np.cumsum(size) - size - start).take(trace)
    inner = index + 1
    value = windows.take(index)
    value += (windows.take(inner) - value) * fraction
    value[outside] = np.nan
    # Both ends of each step count, and every sample between them.
    low, high = value.copy(), value.copy()
    np.minimum(value[1:], value[:-1], out=low[:-1])
    np.maximum(value[1:], value[:-1], out=high[:-1])
    stop = np.append(inner[1:], inner[-1:])
    lowest, highest = _window_extremes(windows, inner, stop, int(per_step))
    holds_sample = stop > inner
    np.minimum(low, lowest, out=low, where=holds_sample)
    np.maximum(high, highest, out=high, where=holds_sample)
    return low, high


def _window_extremes(
    values: Signal, start: Ints, stop: Ints, shortest: int
) -> tuple[Signal, Signal]:
    """Return lowest and highest of `values[start:stop]`, each `shortest` or one more long.

    Extremes of 2, 4, 8 ... neighbours are found for all places at once; two such blocks that
    overlap cover any window (Bender, Farach-Colton 2000, 10.1007/10719839_9).
    """
    low = high = values
    width = 1
    while 2 * width <= shortest:
        low = np.minimum(low[:-width], low[width:])
        high = np.maximum(high[:-width], high[width:])
        width *= 2
    last = stop - width
    return (
        np.minimum(low.take(start, mode="clip"), low.take(last, mode="clip")),
        np.maximum(high.take(start, mode="clip"), high.take(last, mode="clip")),
    )


def _widen(top: Signal, bottom: Signal, line_px: float, taps: int) -> tuple[Signal, Signal]:
    """Sweep a disc of diameter `line_px` along the spans."""
    radius = np.float32(line_px / 2)
    wide_top, wide_bottom = top - radius, bottom + radius
    for tap in range(1, taps + 1):
        half = np.float32(pen_height(line_px, tap))
        up, down = top - half, bottom + half
        np.minimum(wide_top[tap:], up[:-tap], out=wide_top[tap:])
        np.minimum(wide_top[:-tap], up[tap:], out=wide_top[:-tap])
        np.maximum(wide_bottom[tap:], down[:-tap], out=wide_bottom[tap:])
        np.maximum(wide_bottom[:-tap], down[tap:], out=wide_bottom[:-tap])
    return wide_top, wide_bottom


def column_ends(spans: Spans) -> tuple[Signal, Signal]:
    """Return the top and bottom of the ink of each pixel column, (C,) px."""
    top, bottom = spans.top[:, 0], spans.bottom[:, 0]
    for k in range(1, SUB_COLUMNS):  # a reduction over so short an axis is ten times slower
        top = np.minimum(top, spans.top[:, k])
        bottom = np.maximum(bottom, spans.bottom[:, k])
    return top, bottom


def spread_ink(spans: Spans, size: tuple[int, int]) -> Iterator[Ink]:
    """Yield the share of each pixel that the spans cover, in blocks.

    Args:
        spans: of any number of traces.
        size: height and width of the picture, px.
    """
    height, width = size
    first, last = column_ends(spans)
    first, last = np.maximum(first, 0), np.minimum(last, height)
    shown = np.flatnonzero((spans.column >= 0) & (spans.column < width) & (last > first))
    first_row = first[shown].astype(np.intp)
    n_rows = np.ceil(last[shown]).astype(np.intp) - first_row
    total = np.cumsum(n_rows)
    edges = np.searchsorted(total, np.arange(0, total[-1] if len(total) else 0, BLOCK))
    for start, stop in pairwise([*edges.tolist(), len(shown)]):
        block = slice(start, stop)
        ends = shown[block], first_row[block], n_rows[block]
        yield _cover(spans, *ends, width)


def _cover(spans: Spans, shown: Ints, first_row: Ints, n_rows: Ints, width: int) -> Ink:
    """Return the ink of the columns `shown`, each `n_rows` pixels high from `first_row` on."""
    span = np.repeat(np.arange(len(shown)), n_rows)
    row = np.arange(len(span)) + (first_row - np.cumsum(n_rows) + n_rows).take(span)
    pixel = row * width + spans.column.take(shown).take(span)
    row_top = row.astype(np.float32)
    row_bottom = row_top + 1
    cover = np.zeros(len(span), np.float32)
    for k in range(SUB_COLUMNS):
        top, bottom = spans.top[:, k].take(shown), spans.bottom[:, k].take(shown)
        part = np.minimum(row_bottom, bottom.take(span)) - np.maximum(row_top, top.take(span))
        cover += np.maximum(part, 0, out=part)
    cover *= np.float32(1 / SUB_COLUMNS)
    return Ink(pixel, cover)


def paint(image: Picture, spans: Spans, colour: tuple[int, ...]) -> None:
    """Draw spans on a picture, in place; where traces cross, the darkest wins, as on paper.

    Args:
        image: (H, W, channels) uint8, C-contiguous; holds the paper.
        spans: what to draw.
        colour: of full ink, a value a channel, darker than the paper.
    """
    height, width, n_channels = image.shape
    flat = image.reshape(-1)
    inks = list(spread_ink(spans, (height, width)))
    # All paper is looked at before any ink is laid, so the order of the traces does not matter.
    papers = [image.reshape(-1, n_channels).take(ink.pixel, axis=0) for ink in inks]
    for ink, paper in zip(inks, papers, strict=True):
        for channel, full in enumerate(colour):
            below = paper[:, channel].astype(np.float32)
            painted = below + (full - below) * ink.cover
            shade = np.rint(painted, out=painted).astype(np.uint8)
            _darken(flat, ink.pixel * n_channels + channel, shade)


def _darken(values: Picture, index: Ints, shade: Picture) -> None:
    """Do `np.minimum.at(values, index, shade)` faster, as few of the indices are named twice."""
    lighter = values.take(index) > shade
    while lighter.any():
        index, shade = index[lighter], shade[lighter]
        values[index] = shade  # of an index named twice, one shade stays: look again
        lighter = values.take(index) > shade
