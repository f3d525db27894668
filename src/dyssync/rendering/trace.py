"""The rasteriser: a signal becomes the area that a round pen leaves on paper.

A trace is a function of time, so within a sub-column of the picture the pen covers one vertical
span. Its ends follow from the extremes of the signal in that sub-column and the round tip of the
pen; each pixel then gets the share of its area that is covered. No segment is ever drawn, narrow
peaks keep their height at any resolution, and the cost is that of the inked pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dyssync.ecg import Signal
from dyssync.rendering.rendered import Floats, Picture

Ints: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

SUB_COLUMNS = 2  # spans a pixel column; 2 hides the steps of steep flanks, more is not visible


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


def trace_spans(signal: Signal, fs: float, traces: Traces, line_px: float) -> Spans:
    """Return the vertical spans that a round pen of width `line_px` covers.

    Args:
        signal: (12, n) float32, mV; NaN is a gap.
        fs: Hz.
        traces: where to draw.
        line_px: width of the pen, px.
    """
    taps = int(line_px / 2 * SUB_COLUMNS)
    first = np.floor(traces.x0).astype(np.intp)
    # Every trace owns its columns and a few empty ones after them, which keep the pens apart.
    n_columns = np.ceil(traces.x1).astype(np.intp) - first + 1 + taps // SUB_COLUMNS
    trace = np.repeat(np.arange(len(first)), n_columns)
    offset = np.cumsum(n_columns) - n_columns
    column = np.arange(len(trace)) + (first - offset)[trace]
    # (C, SUB_COLUMNS): left edge of each sub-column
    edge = column[:, None] + np.arange(SUB_COLUMNS) / SUB_COLUMNS
    centre = edge + 0.5 / SUB_COLUMNS
    inside = (centre >= traces.x0[trace, None]) & (centre < traces.x1[trace, None])
    origin = (traces.start_s - traces.x0 / traces.px_per_s) * fs
    position = edge * (fs / traces.px_per_s) + origin[trace, None]
    low, high = _extremes(signal, traces.lead, position, offset, trace)
    scale = traces.px_per_mv.astype(np.float32)[trace, None]
    baseline = traces.baseline.astype(np.float32)[trace, None]
    end_a, end_b = baseline - scale * low, baseline - scale * high
    top, bottom = np.minimum(end_a, end_b), np.maximum(end_a, end_b)
    empty = ~inside | np.isnan(top)
    top[empty], bottom[empty] = np.inf, -np.inf
    return Spans(trace, column, *_widen(top, bottom, line_px, taps, inside))


def _extremes(
    signal: Signal, lead: Ints, position: Floats, offset: Ints, trace: Ints
) -> tuple[Signal, Signal]:
    """Return lowest and highest value between neighbouring positions (C, K); NaN outside."""
    n = signal.shape[1]
    before = np.floor(position)
    fraction = (position - before).astype(np.float32)
    outside = (position < 0) | (position > n - 1)
    index = np.clip(before.astype(np.intp), 0, n - 2)
    # The windows of all traces, one after the other, so that one reduction serves them all.
    start = index[offset, 0]
    stop = index[np.append(offset[1:], len(index)) - 1, -1] + 2
    windows = np.concatenate(
        [signal[row, a:b] for row, a, b in zip(lead, start, stop, strict=True)]
    )
    size = stop - start
    index += (np.cumsum(size) - size - start)[trace, None]
    value = windows[index]
    value += (windows[index + 1] - value) * fraction
    value[outside] = np.nan
    value, inner = value.reshape(-1), index.reshape(-1) + 1
    low, high = np.full_like(value, np.nan), np.full_like(value, np.nan)
    np.minimum(value[1:], value[:-1], out=low[:-1])
    np.maximum(value[1:], value[:-1], out=high[:-1])
    holds_sample = np.append(inner[1:] > inner[:-1], False)
    np.minimum(low, np.minimum.reduceat(windows, inner), out=low, where=holds_sample)
    np.maximum(high, np.maximum.reduceat(windows, inner), out=high, where=holds_sample)
    return low.reshape(position.shape), high.reshape(position.shape)


def _widen(
    top: Signal, bottom: Signal, line_px: float, taps: int, inside: Mask
) -> tuple[Signal, Signal]:
    """Sweep a disc of diameter `line_px` along the spans; nothing leaves `inside`."""
    shape, radius = top.shape, np.float32(line_px / 2)
    top, bottom = top.reshape(-1), bottom.reshape(-1)
    wide_top, wide_bottom = top - radius, bottom + radius
    for tap in range(1, taps + 1):
        half = np.float32(max((line_px / 2) ** 2 - (tap / SUB_COLUMNS) ** 2, 0.0) ** 0.5)
        up, down = top - half, bottom + half
        np.minimum(wide_top[tap:], up[:-tap], out=wide_top[tap:])
        np.minimum(wide_top[:-tap], up[tap:], out=wide_top[:-tap])
        np.maximum(wide_bottom[tap:], down[:-tap], out=wide_bottom[tap:])
        np.maximum(wide_bottom[:-tap], down[tap:], out=wide_bottom[:-tap])
    outside = ~inside.reshape(-1)
    wide_top[outside], wide_bottom[outside] = np.inf, -np.inf
    return wide_top.reshape(shape), wide_bottom.reshape(shape)


def spread_ink(spans: Spans, size: tuple[int, int]) -> Ink:
    """Return the share of each pixel that the spans cover.

    Args:
        spans: of any number of traces.
        size: height and width of the picture, px.
    """
    height, width = size
    top, bottom = np.maximum(spans.top, 0), np.minimum(spans.bottom, height)
    first, last = top.min(axis=1), bottom.max(axis=1)
    shown = np.flatnonzero((spans.column >= 0) & (spans.column < width) & (last > first))
    top, bottom = top[shown], bottom[shown]
    first_row = first[shown].astype(np.intp)
    n_rows = np.ceil(last[shown]).astype(np.intp) - first_row
    span = np.repeat(np.arange(len(shown)), n_rows)
    row = np.arange(len(span)) + (first_row - np.cumsum(n_rows) + n_rows)[span]
    pixel = row * width + spans.column[shown][span]
    row_top = row.astype(np.float32)
    row_bottom = row_top + 1
    cover = np.zeros(len(span), np.float32)
    for k in range(SUB_COLUMNS):
        part = np.minimum(row_bottom, bottom[:, k][span]) - np.maximum(row_top, top[:, k][span])
        cover += np.maximum(part, 0)
    cover *= np.float32(1 / SUB_COLUMNS)
    return Ink(pixel, cover)


def paint(image: Picture, ink: Ink, colour: tuple[int, ...]) -> None:
    """Lay ink on a picture, in place; where traces cross, the darkest wins, as on paper.

    Args:
        image: (H, W, channels) uint8, C-contiguous; holds the paper.
        ink: what to draw.
        colour: of full ink, a value a channel.
    """
    n_channels = image.shape[2]
    flat = image.reshape(-1)
    for channel, full in enumerate(colour):
        where = ink.pixel * n_channels + channel
        paper = flat[where].astype(np.float32)
        painted = paper + (full - paper) * ink.cover
        np.minimum.at(flat, where, np.rint(painted, out=painted).astype(np.uint8))
