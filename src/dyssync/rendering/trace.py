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
    from dyssync.rendering.loops import fill_spans

    trace, column, top, bottom = fill_spans(
        np.ascontiguousarray(signal),
        float(fs),
        traces.lead,
        traces.x0,
        traces.x1,
        traces.baseline,
        traces.start_s,
        traces.px_per_mv,
        traces.px_per_s,
        np.array([pen_height(line_px, k) for k in range(pen_taps(line_px) + 1)], np.float32),
    )
    return Spans(trace, column, top, bottom)


def column_ends(spans: Spans) -> tuple[Signal, Signal]:
    """Return the top and bottom of the ink of each pixel column, (C,) px."""
    top, bottom = spans.top[:, 0], spans.bottom[:, 0]
    for k in range(1, SUB_COLUMNS):  # a reduction over so short an axis is ten times slower
        top = np.minimum(top, spans.top[:, k])
        bottom = np.maximum(bottom, spans.bottom[:, k])
    return top, bottom


def paint(image: Picture, spans: Spans, colour: tuple[int, ...]) -> None:
    """Draw spans on a picture, in place; where traces cross, the darkest wins, as on paper.

    Args:
        image: (H, W, channels) uint8, C-contiguous; holds the paper.
        spans: what to draw.
        colour: of full ink, a value a channel, darker than the paper.
    """
    from dyssync.rendering.loops import lay_ink

    lay_ink(image, spans.column, spans.top, spans.bottom, np.array(colour, np.float32))
