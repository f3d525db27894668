"""From a layout in millimetres to traces and boxes in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dyssync.arrays import Floats, Indices, Singles
from dyssync.ecg import LEAD_INDEX, LIMB_LEADS
from dyssync.errors import ConfigError, FormatError
from dyssync.layouts import Layout
from dyssync.rendering.rendered import LeadBox
from dyssync.rendering.spans import Spans, Traces, column_ends

MAX_PIXELS = 200_000_000  # a 600-dpi A3 page has 70 million


@dataclass(frozen=True)
class Frame:
    """Where the area of the traces lies in a picture, and what is drawn in it.

    Attributes:
        left, top: corner of the area, px.
        px_per_mm: scale, the same in both directions.
        row_px: distance of two rows, px.
        start_s: time in the recording at the left edge of the first column, s.
        speed: times the layout's paper speed.
        limb_gain, chest_gain: times the layout's gain.
        simultaneous: all columns show the same time, whatever the layout says.
        hidden: leads left out.
    """

    left: float
    top: float
    px_per_mm: float
    row_px: float
    start_s: float = 0.0
    speed: float = 1.0
    limb_gain: float = 1.0
    chest_gain: float = 1.0
    simultaneous: bool = False
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Panels:
    """The panels of a layout as arrays (P,), for arithmetic on all at once.

    Attributes:
        lead: row of the signal.
        row, column: place in the layout.
        n_columns: width, in columns.
        limb, chest: 1 for the leads of one kind, -1 for those drawn upside down, 0 for the others.
    """

    lead: Indices
    row: Floats
    column: Floats
    n_columns: Floats
    limb: Floats
    chest: Floats


@lru_cache(maxsize=64)
def _panels(layout: Layout, hidden: tuple[str, ...]) -> _Panels:
    shown = [panel for panel in layout.panels if panel.lead not in hidden]
    limb = np.array([panel.lead in LIMB_LEADS for panel in shown], np.bool_)
    sign = np.array([-1.0 if panel.inverted else 1.0 for panel in shown], np.float64)
    return _Panels(
        lead=np.array([LEAD_INDEX[panel.lead] for panel in shown], np.intp),
        row=np.array([panel.row for panel in shown], np.float64),
        column=np.array([panel.column for panel in shown], np.float64),
        n_columns=np.array([layout.n_columns if p.rhythm else 1 for p in shown], np.float64),
        limb=np.where(limb, sign, 0.0),
        chest=np.where(limb, 0.0, sign),
    )


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return `size` (height, width in px) if a picture can have it.

    Raises:
        ConfigError: a side is below 1 pixel, or the picture has more than 200 million pixels.
    """
    height, width = size
    if height < 1 or width < 1:
        raise ConfigError(f"picture of {width} x {height} pixels; at least 1 x 1 is needed")
    if height * width > MAX_PIXELS:
        raise ConfigError(
            f"picture of {width} x {height} pixels; at most {MAX_PIXELS // 10**6} million pixels "
            "are drawn. Lower the resolution (dpi)"
        )
    return size


def check_signal(signal: Singles) -> Singles:
    """Return `signal` if it can be drawn: (12, n >= 2), float32; NaN is a gap.

    Raises:
        FormatError: it has another shape or less than two samples.
    """
    if signal.ndim != 2 or signal.shape[0] != len(LEAD_INDEX) or signal.shape[1] < 2:
        raise FormatError(
            f"signal has shape {signal.shape}; (12, n) with n of 2 or more is needed, a row a lead"
        )
    return signal.astype(np.float32, copy=False)


def fit_frame(layout: Layout, size: tuple[int, int], zoom: float = 1.0) -> Frame:
    """Return the frame in which the layout's area fills the picture, mm-true.

    The width or the height limits the scale; a picture higher than the area has its rows further
    apart, one that is wider has white sides. `zoom` scales about the centre.
    """
    height, width = check_size(size)
    width_mm, height_mm = layout.area_mm
    px_per_mm = zoom * min(width / width_mm, height / height_mm)
    row_px = zoom * height / layout.n_rows
    return Frame(
        left=(width - width_mm * px_per_mm) / 2,
        top=(height - row_px * layout.n_rows) / 2,
        px_per_mm=px_per_mm,
        row_px=row_px,
    )


def place_traces(layout: Layout, frame: Frame, recording_s: float) -> Traces:
    """Return where the leads of `layout` are drawn.

    A column that would start after the end of the recording starts over at its beginning, and one
    that would run over the end is moved back, so that short recordings leave no lead empty.

    Args:
        layout: what is drawn.
        frame: where and how.
        recording_s: duration of the signal, s.
    """
    panels = _panels(layout, frame.hidden)
    column_px = layout.column_mm * frame.px_per_mm
    width = panels.n_columns * column_px
    x0 = frame.left + panels.column * column_px
    px_per_s = layout.speed_mm_s * frame.speed * frame.px_per_mm
    window = width / px_per_s
    together = layout.simultaneous or frame.simultaneous
    start = frame.start_s + panels.column * (0.0 if together else column_px / px_per_s)
    start = np.maximum(np.minimum(start % recording_s, recording_s - window), 0.0)
    gain = frame.limb_gain * panels.limb + frame.chest_gain * panels.chest
    return Traces(
        lead=panels.lead,
        x0=x0,
        x1=x0 + width,
        baseline=frame.top + (panels.row + 0.5) * frame.row_px,
        start_s=start,
        px_per_mv=gain * (layout.gain_mm_mv * frame.px_per_mm),
        px_per_s=px_per_s,
    )


def lead_boxes(
    layout: Layout, frame: Frame, traces: Traces, spans: Spans, size: tuple[int, int]
) -> tuple[LeadBox, ...]:
    """Return a box for each lead drawn: its cell, higher where its trace leaves the cell."""
    height, width = size
    shown = [panel for panel in layout.panels if panel.lead not in frame.hidden]
    top = np.full(len(shown), np.inf)
    bottom = np.full(len(shown), -np.inf)
    highest, lowest = column_ends(spans)
    np.minimum.at(top, spans.trace, highest)
    np.maximum.at(bottom, spans.trace, lowest)
    cell_top = traces.baseline - frame.row_px / 2
    top = np.clip(np.minimum(top, cell_top), 0, height)
    bottom = np.clip(np.maximum(bottom, cell_top + frame.row_px), 0, height)
    stop_s = traces.start_s + (traces.x1 - traces.x0) / traces.px_per_s
    cut_left, cut_right = np.clip(traces.x0, 0, width), np.clip(traces.x1, 0, width)
    start_s = traces.start_s + (cut_left - traces.x0) / traces.px_per_s
    stop_s -= (traces.x1 - cut_right) / traces.px_per_s
    return tuple(
        LeadBox(
            lead=panel.lead,
            x0=float(cut_left[i]),
            y0=float(top[i]),
            x1=float(cut_right[i]),
            y1=float(bottom[i]),
            start_s=float(start_s[i]),
            stop_s=float(stop_s[i]),
            px_per_s=traces.px_per_s,
            px_per_mv=float(traces.px_per_mv[i]),
            baseline_px=float(traces.baseline[i]),
            rhythm=panel.rhythm,
        )
        for i, panel in enumerate(shown)
    )
