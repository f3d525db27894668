"""The rasteriser: a signal becomes the area that a round pen leaves on paper.

A trace is a function of time, so within a sub-column of the picture the pen covers one vertical
span. Its ends follow from the extremes of the signal in that sub-column and the round tip of the
pen; each pixel then gets the share of its area that is covered. No segment is ever drawn, narrow
peaks keep their height at any resolution, and the cost is that of the inked pixels.
"""

from __future__ import annotations

import numpy as np

from dyssync.ecg import Signal
from dyssync.rendering.engine import engine
from dyssync.rendering.rendered import Picture
from dyssync.rendering.spans import Spans, Traces, pen_height, pen_taps


def trace_spans(signal: Signal, fs: float, traces: Traces, line_px: float) -> Spans:
    """Return the vertical spans that a round pen of width `line_px` covers.

    Args:
        signal: (12, n) float32, mV; NaN is a gap.
        fs: Hz.
        traces: where to draw.
        line_px: width of the pen, px.
    """
    trace, column, top, bottom = engine().fill_spans(
        np.ascontiguousarray(signal),
        float(fs),
        traces,
        np.array([pen_height(line_px, k) for k in range(pen_taps(line_px) + 1)], np.float32),
    )
    return Spans(trace, column, top, bottom)


def paint(image: Picture, spans: Spans, colour: tuple[int, ...]) -> None:
    """Draw spans on a picture, in place; where traces cross, the darkest wins, as on paper.

    Args:
        image: (H, W, channels) uint8, C-contiguous; holds the paper.
        spans: what to draw.
        colour: of full ink, a value a channel, darker than the paper.
    """
    engine().lay_ink(image, spans.column, spans.top, spans.bottom, np.array(colour, np.float32))
