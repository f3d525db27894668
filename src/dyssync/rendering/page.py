"""Whole pages for people: paper, header, lead names, calibration pulse, traces; true to the mm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dyssync.ecg import LIMB_LEADS, Signal
from dyssync.errors import check_range
from dyssync.layouts import Layout
from dyssync.rendering.geometry import Frame, check_signal, check_size, lead_boxes, place_traces
from dyssync.rendering.lettering import write_text
from dyssync.rendering.paper import STYLES, PaperStyle, draw_paper
from dyssync.rendering.rendered import Picture, Rendered
from dyssync.rendering.spans import Traces
from dyssync.rendering.trace import paint, trace_spans

MM_PER_INCH = 25.4
NAME_MM, HEADER_MM, FOOTER_MM = 3.6, 3.4, 2.8  # height of a line of text
MARGIN_MM = 5.0
HEADER_LINES = 5  # at most; more would run into the first row
PULSE_S, PULSE_REST_S = 0.2, 0.08  # usual calibration pulse: 1 mV for 0.2 s
PULSE_FS = 1000.0
ROW_STRETCH = 1.25  # rows may move apart by this much to fill the page
DPI_RANGE = (20.0, 1200.0)
MIN_LINE_PX = 0.6  # thinner is only paler


@dataclass(frozen=True)
class PageOptions:
    """What is written on a page and at which scale.

    Attributes:
        start_s: time in the recording at which the page starts, s.
        speed_mm_s: paper speed; None is the layout's own (25 mm/s for recordings).
        limb_gain_mm_mv, chest_gain_mm_mv: gain of I-aVF and of V1-V6; None is the layout's own.
        simultaneous: all columns show the same time.
        header: lines of text at the top, at most five are shown.
    """

    start_s: float = 0.0
    speed_mm_s: float | None = None
    limb_gain_mm_mv: float | None = None
    chest_gain_mm_mv: float | None = None
    simultaneous: bool = False
    header: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_range("start_s", self.start_s, 0.0, 1e6, "s")
        if self.speed_mm_s is not None:
            check_range("speed_mm_s", self.speed_mm_s, 5.0, 400.0, "mm/s")
        for gain in (self.limb_gain_mm_mv, self.chest_gain_mm_mv):
            if gain is not None:
                check_range("gain", gain, 1.0, 100.0, "mm/mV")


DEFAULT_OPTIONS = PageOptions()


@dataclass(frozen=True)
class Text:
    """One line of text: upper left corner and height in mm; whether the words are our own."""

    x: float
    y: float
    height: float
    line: str
    own: bool


@dataclass(frozen=True)
class PagePlan:
    """All of a page but its traces, in mm; the raster and the vector page both draw from it.

    Attributes:
        frame: of the traces, 1 px a mm.
        area: left, top, right, bottom of the area of the traces, mm.
        texts: every line of text.
        bars: x0, y0, x1, y1 of filled rectangles (separators), mm.
        pulses: the calibration pulses, as traces of the signal :func:`pulse_signal`.
    """

    frame: Frame
    area: tuple[float, float, float, float]
    texts: tuple[Text, ...]
    bars: tuple[tuple[float, float, float, float], ...]
    pulses: Traces


def plan_page(layout: Layout, style: PaperStyle, options: PageOptions) -> PagePlan:
    """Return where everything goes on a page of `layout`."""
    width, height = layout.page_mm
    area_width = layout.area_mm[0]
    header = options.header[:HEADER_LINES]
    top = 5.0 * np.ceil((2 * MARGIN_MM + len(header) * 1.35 * HEADER_MM) / 5.0)
    room = height - top - 2 * MARGIN_MM - FOOTER_MM
    row_mm = min(room / layout.n_rows, layout.row_mm * ROW_STRETCH)
    left = 5.0 * np.floor((width - area_width) / 2 / 5.0)
    speed = options.speed_mm_s or layout.speed_mm_s
    limb = options.limb_gain_mm_mv or layout.gain_mm_mv
    chest = options.chest_gain_mm_mv or layout.gain_mm_mv
    frame = Frame(
        left=left,
        top=top,
        px_per_mm=1.0,
        row_px=row_mm,
        start_s=options.start_s,
        speed=speed / layout.speed_mm_s,
        limb_gain=limb / layout.gain_mm_mv,
        chest_gain=chest / layout.gain_mm_mv,
        simultaneous=options.simultaneous,
    )
    bottom = top + layout.n_rows * row_mm
    gain = f"{limb:g} mm/mV" if limb == chest else f"limb {limb:g} mm/mV, chest {chest:g} mm/mV"
    footer = Text(left, bottom + 2.0, FOOTER_MM, f"{speed:g} mm/s   {gain}   {layout.name}", True)
    lines = (
        Text(left, MARGIN_MM + i * 1.35 * HEADER_MM, HEADER_MM, line, False)
        for i, line in enumerate(header)
    )
    return PagePlan(
        frame=frame,
        area=(max(left - 10.0, 0.0), top, min(left + area_width + 10.0, width), bottom),
        texts=(*lines, *_names(layout, style, frame), footer),
        bars=tuple(_separators(layout, style, frame)),
        pulses=_pulses(layout, style, frame),
    )


def _names(layout: Layout, style: PaperStyle, frame: Frame) -> list[Text]:
    if style.names == "none":
        return []
    # The centre of a row is 0 mV; most traces stay clear of these places.
    above = style.names == "above"
    offset = -min(13.0, 0.45 * frame.row_px) if above else min(4.0, 0.25 * frame.row_px)
    return [
        Text(
            frame.left + panel.column * layout.column_mm + 1.5,
            frame.top + (panel.row + 0.5) * frame.row_px + offset,
            NAME_MM,
            panel.label,
            True,
        )
        for panel in layout.panels
    ]


def _separators(
    layout: Layout, style: PaperStyle, frame: Frame
) -> list[tuple[float, float, float, float]]:
    if style.separator == "none":
        return []
    half_width, half_height = {
        "tick": (0.15, 2.0),
        "bar": (0.4, 4.0),
        "line": (0.1, frame.row_px / 2),
    }[style.separator]
    bars = []
    for panel in layout.panels:
        if panel.rhythm or not panel.column:
            continue
        x = frame.left + panel.column * layout.column_mm
        y = frame.top + (panel.row + 0.5) * frame.row_px
        bars.append((x - half_width, y - half_height, x + half_width, y + half_height))
    return bars


def pulse_signal() -> Signal:
    """Return the calibration pulse, (1, n) mV at 1000 Hz."""
    rest, high = round(PULSE_REST_S * PULSE_FS), round(PULSE_S * PULSE_FS)
    return np.repeat(np.array([0, 1, 0], np.float32), [rest, high, rest + 1])[None]


def _pulses(layout: Layout, style: PaperStyle, frame: Frame) -> Traces:
    """Return one pulse a row, at the gain of the lead beside it."""
    beside = 0 if style.pulse == "left" else layout.n_columns - 1
    row_panels = [p for p in layout.panels if p.rhythm or p.column == beside]
    if style.pulse == "none":
        row_panels = []
    px_per_s = layout.speed_mm_s * frame.speed
    width = (PULSE_S + 2 * PULSE_REST_S) * px_per_s
    x0 = frame.left - width if style.pulse == "left" else frame.left + layout.area_mm[0]
    rows = np.array([p.row for p in row_panels], np.float64)
    limb = np.array([p.lead in LIMB_LEADS for p in row_panels], np.bool_)
    gain = np.where(limb, frame.limb_gain, frame.chest_gain) * layout.gain_mm_mv
    ones = np.ones(len(row_panels))
    return Traces(
        lead=np.zeros(len(row_panels), np.intp),
        x0=x0 * ones,
        x1=(x0 + width) * ones,
        baseline=frame.top + (rows + 0.5) * frame.row_px,
        start_s=0 * ones,
        px_per_mv=gain,
        px_per_s=px_per_s,
    )


def scale_frame(frame: Frame, scale: float) -> Frame:
    """Return `frame` in units that are `scale` times finer."""
    return replace(
        frame,
        left=frame.left * scale,
        top=frame.top * scale,
        px_per_mm=frame.px_per_mm * scale,
        row_px=frame.row_px * scale,
    )


def scale_traces(traces: Traces, scale: float) -> Traces:
    """Return `traces` in units that are `scale` times finer."""
    return traces._replace(
        x0=traces.x0 * scale,
        x1=traces.x1 * scale,
        baseline=traces.baseline * scale,
        px_per_mv=traces.px_per_mv * scale,
        px_per_s=traces.px_per_s * scale,
    )


def render_page(
    signal: Signal,
    fs: float,
    layout: Layout,
    *,
    dpi: float = 200.0,
    style: str = "red",
    options: PageOptions = DEFAULT_OPTIONS,
) -> Rendered:
    """Return a page for people.

    Args:
        signal: (12, n) float32, mV, NaN a gap; the median beat for layouts that show one.
        fs: Hz.
        layout: what stands where.
        dpi: resolution, 20-1200.
        style: name in :data:`dyssync.rendering.paper.STYLES`.
        options: speed, gains, start and header.

    Returns:
        An (H, W, 3) RGB picture with the boxes of all leads.

    Raises:
        ConfigError: style unknown, or resolution out of range.
        FormatError: the signal is not (12, n).
    """
    scale = check_range("dpi", dpi, *DPI_RANGE) / MM_PER_INCH
    paper = STYLES[style]
    signal = check_signal(signal)
    plan = plan_page(layout, paper, options)
    size = check_size((round(layout.page_mm[1] * scale), round(layout.page_mm[0] * scale)))
    left, top, right, bottom = (round(edge * scale) for edge in plan.area)
    image = draw_paper(paper, size, scale, (left, top, right, bottom))
    line_px = max(paper.line_mm * scale, MIN_LINE_PX)
    for bar in plan.bars:
        _fill(image, tuple(edge * scale for edge in bar), paper.ink)
    for text in plan.texts:
        corner = (text.x * scale, text.y * scale)
        height_px = round(text.height * scale)
        write_text(image, text.line, corner, height_px, paper.text, own=text.own)
    if len(plan.pulses.lead):
        pulses = scale_traces(plan.pulses, scale)
        pulse_spans = trace_spans(pulse_signal(), PULSE_FS, pulses, line_px)
        paint(image, pulse_spans, paper.ink)
    frame = scale_frame(plan.frame, scale)
    traces = place_traces(layout, frame, signal.shape[1] / fs)
    spans = trace_spans(signal, fs, traces, line_px)
    paint(image, spans, paper.ink)
    return Rendered(image, lead_boxes(layout, frame, traces, spans, size), scale)


def _fill(image: Picture, bar: tuple[float, ...], colour: tuple[int, int, int]) -> None:
    x0, y0, x1, y1 = (round(edge) for edge in bar)
    image[max(y0, 0) : max(y1, y0 + 1), max(x0, 0) : max(x1, x0 + 1)] = colour
