"""The same page as lines and letters; 1 mm is 1 mm. SVG for screens; PDF is :mod:`.pdf`'s.

Both are written from one list of strokes, in mm from the upper left corner of the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape  # xml.sax brings the whole of HTTP with it

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import Signal
from dyssync.layouts import Layout
from dyssync.rendering.geometry import check_signal, place_traces
from dyssync.rendering.page import (
    DEFAULT_OPTIONS,
    PULSE_FS,
    PageOptions,
    PagePlan,
    plan_page,
    pulse_signal,
)
from dyssync.rendering.paper import STYLES, Colour, PaperStyle
from dyssync.rendering.spans import Traces

CAP_SHARE = 0.8  # of the height of a line of text lies above its baseline


@dataclass(frozen=True, eq=False)
class Strokes:
    """Lines of one colour and width, mm.

    Attributes:
        colour: RGB.
        width: mm.
        lines: each (n, 2), x and y in mm.
    """

    colour: Colour
    width: float
    lines: tuple[Floats, ...]


@dataclass(frozen=True, eq=False)
class VectorPage:
    """Everything on a page, from back to front."""

    layout: Layout
    style: PaperStyle
    plan: PagePlan
    strokes: tuple[Strokes, ...]


def plan_vector(
    signal: Signal, fs: float, layout: Layout, style: str, options: PageOptions
) -> VectorPage:
    """Return the lines of a page; arguments as in :func:`dyssync.rendering.page.render_page`."""
    paper = STYLES[style]
    signal = check_signal(signal)
    plan = plan_page(layout, paper, options)
    traces = place_traces(layout, plan.frame, signal.shape[1] / fs)
    ink = (*_polylines(signal, fs, traces), *_polylines(pulse_signal(), PULSE_FS, plan.pulses))
    strokes = [*_grid(layout, paper, plan), Strokes(paper.ink, paper.line_mm, ink)]
    return VectorPage(layout, paper, plan, tuple(strokes))


def _polylines(signal: Signal, fs: float, traces: Traces) -> Iterator[Floats]:
    """Yield each trace as points in mm; a gap (NaN) ends a line and begins the next."""
    for i, row in enumerate(traces.lead):
        start = traces.start_s[i] * fs
        stop = start + (traces.x1[i] - traces.x0[i]) / traces.px_per_s * fs
        sample = np.arange(int(np.ceil(start)), min(int(stop) + 1, signal.shape[1]))
        x = traces.x0[i] + (sample - start) / fs * traces.px_per_s
        y = traces.baseline[i] - traces.px_per_mv[i] * signal[row, sample]
        known = np.isfinite(y)
        edges = np.flatnonzero(np.diff(known)) + 1
        for part in np.split(np.arange(len(sample)), edges):
            if len(part) > 1 and known[part[0]]:
                yield np.stack([x[part], y[part]], axis=1)


def _grid(layout: Layout, style: PaperStyle, plan: PagePlan) -> Iterator[Strokes]:
    """Yield the fine grid, then the coarse one; dots become short dashes of the same place."""
    if style.major is None:
        return
    width, height = layout.page_mm
    left, top, right, bottom = (0.0, 0.0, width, height) if style.full_page else plan.area
    for step, colour, line in (
        (1.0, style.minor, style.minor_mm),
        (5.0, style.major, style.major_mm),
    ):
        if colour is None:
            continue
        x = np.arange(left, right + 1e-6, step)
        y = np.arange(top, bottom + 1e-6, step)
        if style.dots and step == 1.0:
            dots = (np.array([(a - line / 2, b), (a + line / 2, b)]) for a in x for b in y)
            yield Strokes(colour, line, tuple(dots))
            continue
        upright = (np.array([(a, top), (a, bottom)]) for a in x)
        level = (np.array([(left, b), (right, b)]) for b in y)
        yield Strokes(colour, line, (*upright, *level))


def render_svg(
    signal: Signal,
    fs: float,
    layout: Layout,
    *,
    style: str = "red",
    options: PageOptions = DEFAULT_OPTIONS,
) -> str:
    """Return the page as one SVG document without script, font or link.

    Arguments and errors as in :func:`dyssync.rendering.page.render_page`.
    """
    page = plan_vector(signal, fs, layout, style, options)
    width, height = page.layout.page_mm
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="ECG, {escape(layout.name)}">',
        _svg_sheet(page),
    ]
    for strokes in page.strokes:
        path = "".join(
            "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in line) for line in strokes.lines
        )
        parts.append(
            f'<path d="{path}" fill="none" stroke="{_hex(strokes.colour)}" '
            f'stroke-width="{strokes.width:g}" stroke-linejoin="round"/>'
        )
    for x0, y0, x1, y1 in page.plan.bars:
        parts.append(
            f'<rect x="{x0:.2f}" y="{y0:.2f}" width="{x1 - x0:.2f}" height="{y1 - y0:.2f}" '
            f'fill="{_hex(page.style.ink)}"/>'
        )
    for text in page.plan.texts:
        parts.append(
            f'<text x="{text.x:.2f}" y="{text.y + CAP_SHARE * text.height:.2f}" '
            f'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" '
            f'font-size="{text.height:g}" fill="{_hex(page.style.text)}">'
            f"{escape(printable(text.line), quote=False)}</text>"
        )
    return "\n".join([*parts, "</svg>"])


def _svg_sheet(page: VectorPage) -> str:
    width, height = page.layout.page_mm
    white = f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>'
    left, top, right, bottom = (0.0, 0.0, width, height) if page.style.full_page else page.plan.area
    return white + (
        f'<rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}" '
        f'fill="{_hex(page.style.paper)}"/>'
    )


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{value:02x}" for value in colour)


def printable(line: str) -> str:
    """Drop control characters: XML 1.0 forbids them, PDF shows them as boxes."""
    return "".join(letter for letter in line if letter.isprintable())
