"""Training pictures: small grey views of one patient, drawn fresh at each step.

`draw_view` draws the numbers, `apply_view` makes the picture from them, always the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dyssync.ecg import LEADS, Signal
from dyssync.errors import check_range
from dyssync.layouts import LAYOUTS, Layout
from dyssync.rendering.geometry import (
    Frame,
    check_signal,
    check_size,
    fit_frame,
    lead_boxes,
    place_traces,
)
from dyssync.rendering.lettering import ink_shades, stamp_text
from dyssync.rendering.noise import NOISE_SIDE, add_noise
from dyssync.rendering.rendered import LeadBox, Picture, Rendered
from dyssync.rendering.trace import paint, trace_spans

Range: TypeAlias = tuple[float, float]

MIN_LINE_PX = 1.0  # a thinner line is only paler
LINE_MM = 0.4  # thermal heads print 8 dots a mm; a trace is about three dots wide


@dataclass(frozen=True)
class View:
    """Everything that was drawn for one training picture; the defaults change nothing.

    Attributes:
        layout: name in :data:`dyssync.layouts.LAYOUTS`.
        start_s: time in the recording at the left edge of the first column, s; wraps at its end.
        simultaneous: all columns show the same time, whatever the layout says.
        speed: times the layout's paper speed.
        limb_gain, chest_gain: times the layout's gain.
        zoom: times the scale at which the layout fills the picture.
        shift_mm: right, down.
        line_mm: width of the trace, never below 1 px.
        hidden: leads left out.
        ink, paper: grey values of trace and background, 0-255.
        grid: darkness of the 5-mm grid, 0-1; 0 is none.
        text: lead names.
        noise: SD in grey values; 0 is none.
        noise_at: place in the noise field, px.
    """

    layout: str = "3x4+II"
    start_s: float = 0.0
    simultaneous: bool = False
    speed: float = 1.0
    limb_gain: float = 1.0
    chest_gain: float = 1.0
    zoom: float = 1.0
    shift_mm: tuple[float, float] = (0.0, 0.0)
    line_mm: float = LINE_MM
    hidden: tuple[str, ...] = ()
    ink: int = 0
    paper: int = 255
    grid: float = 0.0
    text: bool = False
    noise: float = 0.0
    noise_at: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class ViewConfig:
    """What `draw_view` draws from. Ranges are uniform, shares are probabilities.

    Attributes:
        layouts: one of them is drawn; all must have the same signal source.
        start_s: range of the start, s.
        simultaneous_share: of pictures in which all columns show the same time.
        speed, gain: ranges, times the layout's own; time and voltage carry the diagnosis, so the
            defaults stay within what paper and scanner do.
        chest_gain: range, times `gain`.
        zoom: range.
        shift_mm: largest shift, either way.
        line_mm: range.
        hide_share: of pictures with hidden leads.
        max_hidden: most leads hidden at once.
        ink, paper: ranges of grey values.
        grid_share: of pictures with a grid.
        grid: range of its darkness.
        text_share: of pictures with lead names.
        noise: range of the SD, grey values.
    """

    layouts: tuple[str, ...] = ("3x4+II",)
    start_s: Range = (0.0, 10.0)
    simultaneous_share: float = 0.5
    speed: Range = (0.95, 1.05)
    gain: Range = (0.9, 1.1)
    chest_gain: Range = (1.0, 1.0)
    zoom: Range = (0.95, 1.0)
    shift_mm: float = 4.0
    line_mm: Range = (0.3, 0.7)
    hide_share: float = 0.1
    max_hidden: int = 2
    ink: Range = (0, 60)
    paper: Range = (235, 255)
    grid_share: float = 0.5
    grid: Range = (0.05, 0.3)
    text_share: float = 0.5
    noise: Range = (0.0, 6.0)

    def __post_init__(self) -> None:
        for name in self.layouts:
            LAYOUTS[name]
        for field in ("simultaneous_share", "hide_share", "grid_share", "text_share"):
            check_range(field, getattr(self, field), 0.0, 1.0)
        check_range("max_hidden", self.max_hidden, 0, len(LEADS) - 1)
        check_range("zoom", self.zoom[0], 0.1, self.zoom[1])
        check_range("speed", self.speed[0], 0.1, self.speed[1])


def draw_view(rng: np.random.Generator, config: ViewConfig) -> View:
    """Draw the parameters of one training picture."""
    # More numbers than are used: one call takes a tenth of the time of one for each.
    drawn: Iterator[float] = iter(rng.random(32).tolist())

    def uniform(limits: Range) -> float:
        return limits[0] + (limits[1] - limits[0]) * next(drawn)

    def happens(share: float) -> bool:
        return next(drawn) < share

    def below(n: int) -> int:
        return int(next(drawn) * n)

    layout = config.layouts[below(len(config.layouts))]
    gain = uniform(config.gain)
    hidden: tuple[str, ...] = ()
    if config.max_hidden and happens(config.hide_share):
        count = 1 + below(config.max_hidden)
        hidden = tuple(LEADS[i] for i in sorted(rng.choice(len(LEADS), count, replace=False)))
    return View(
        layout=layout,
        start_s=uniform(config.start_s),
        simultaneous=happens(config.simultaneous_share),
        speed=uniform(config.speed),
        limb_gain=gain,
        chest_gain=gain * uniform(config.chest_gain),
        zoom=uniform(config.zoom),
        shift_mm=(
            uniform((-config.shift_mm, config.shift_mm)),
            uniform((-config.shift_mm, config.shift_mm)),
        ),
        line_mm=uniform(config.line_mm),
        hidden=hidden,
        ink=round(uniform(config.ink)),
        paper=round(uniform(config.paper)),
        grid=uniform(config.grid) if happens(config.grid_share) else 0.0,
        text=happens(config.text_share),
        noise=uniform(config.noise),
        noise_at=(below(NOISE_SIDE), below(NOISE_SIDE)),
    )


def view_frame(view: View, layout: Layout, size: tuple[int, int]) -> Frame:
    """Return where `view` puts the traces of `layout` in a picture of `size`."""
    fitted = fit_frame(layout, size, view.zoom)
    return Frame(
        left=fitted.left + view.shift_mm[0] * fitted.px_per_mm,
        top=fitted.top + view.shift_mm[1] * fitted.px_per_mm,
        px_per_mm=fitted.px_per_mm,
        row_px=fitted.row_px,
        start_s=view.start_s,
        speed=view.speed,
        limb_gain=view.limb_gain,
        chest_gain=view.chest_gain,
        simultaneous=view.simultaneous,
        hidden=view.hidden,
    )


def apply_view(
    signal: Signal, fs: float, view: View, size: tuple[int, int], boxes: bool = False
) -> Rendered:
    """Return the training picture that `view` describes.

    Args:
        signal: (12, n) float32, mV, NaN a gap; the median beat for layouts that show one.
        fs: Hz; the picture does not depend on it.
        view: what was drawn.
        size: height and width, px.
        boxes: also find the boxes of the leads (takes longer).

    Returns:
        A (height, width) grey picture.

    Raises:
        ConfigError: the layout is unknown or no picture can have this size.
        FormatError: the signal is not (12, n).
    """
    layout = LAYOUTS[view.layout]
    signal = check_signal(signal)
    frame = view_frame(view, layout, check_size(size))
    traces = place_traces(layout, frame, signal.shape[1] / fs)
    image = blank_view(view, layout, frame, size)
    found: tuple[LeadBox, ...] = ()
    if len(traces.lead):
        spans = trace_spans(signal, fs, traces, line_px(view, frame))
        paint(image[:, :, None], spans, (view.ink,))
        found = lead_boxes(layout, frame, traces, spans, size) if boxes else ()
    if view.noise:
        image = add_noise(image, view.noise, view.noise_at)
    return Rendered(image, found, frame.px_per_mm)


def line_px(view: View, frame: Frame) -> float:
    """Return the width of the pen, px."""
    return max(view.line_mm * frame.px_per_mm, MIN_LINE_PX)


def blank_view(view: View, layout: Layout, frame: Frame, size: tuple[int, int]) -> Picture:
    """Return everything of a view but its traces and its noise: paper, 5-mm grid, names."""
    if view.grid:
        rows = _line_profile(size[0], frame.top, frame.px_per_mm, view)
        columns = _line_profile(size[1], frame.left, frame.px_per_mm, view)
        paper: Picture = np.minimum.outer(rows, columns)
    else:
        paper = np.full(size, view.paper, np.uint8)
    if view.text:
        _write_names(paper, layout, frame, ink_shades(view.paper, view.ink))
    return paper


def _line_profile(n: int, origin: float, px_per_mm: float, view: View) -> Picture:
    """Return the grey values (n,) of a row of grid lines, each 0.3 mm or half a pixel wide."""
    step, half = 5 * px_per_mm, max(0.15 * px_per_mm, 0.25)
    distance = np.abs((np.arange(n) + 0.5 - origin + step / 2) % step - step / 2)
    cover = np.minimum(np.maximum(half + 0.5 - distance, 0.0), min(1.0, 2 * half))
    grey: Picture = np.rint(view.paper * (1 - view.grid * cover)).astype(np.uint8)
    return grey


def _write_names(image: Picture, layout: Layout, frame: Frame, shades: Picture) -> None:
    """Write the lead names at the top left of their cells, 3 mm high or just legible."""
    height_px = max(round(3 * frame.px_per_mm), 6)
    for panel in layout.panels:
        if panel.lead in frame.hidden:
            continue
        x = frame.left + panel.column * layout.column_mm * frame.px_per_mm + 2
        y = frame.top + (panel.row + 0.15) * frame.row_px
        stamp_text(image, panel.label, (x, y), height_px, shades)
