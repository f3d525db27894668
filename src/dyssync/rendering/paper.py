"""What pages look like: colours, grids, pens, and where names and pulses stand.

The colours were read off scans and prints of public 12-lead pages; no device is imitated by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np

from dyssync.arrays import Singles
from dyssync.registry import Registry
from dyssync.rendering.rendered import Picture

Colour: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class PaperStyle:
    """The look of a page.

    Attributes:
        name: its key in :data:`STYLES`.
        paper, minor, major, ink, text: RGB; `minor` None leaves the 1-mm grid out, `major` None
            all of it.
        minor_mm, major_mm: width of the grid lines, mm.
        dots: the 1-mm grid is dots.
        line_mm: width of the trace, mm.
        pulse: where the calibration pulse stands.
        names: where the lead name stands, seen from the trace.
        separator: between the columns of a row.
        full_page: the grid runs under header and margins too.
    """

    name: str
    paper: Colour = (255, 255, 255)
    minor: Colour | None = None
    major: Colour | None = None
    ink: Colour = (0, 0, 0)
    text: Colour = (0, 0, 0)
    minor_mm: float = 0.12
    major_mm: float = 0.22
    dots: bool = False
    line_mm: float = 0.35
    pulse: Literal["left", "right", "none"] = "left"
    names: Literal["above", "below", "none"] = "above"
    separator: Literal["none", "tick", "bar", "line"] = "none"
    full_page: bool = True


_RED = PaperStyle("red", (255, 255, 255), (248, 205, 205), (236, 150, 150))
_PINK = PaperStyle(
    "pink", (255, 238, 240), (250, 212, 217), (238, 172, 182), names="below", full_page=False
)
_BUILT_IN = (
    _RED,
    _PINK,
    PaperStyle("plain", separator="tick"),
    # A hairline, for pictures that are to be read back.
    PaperStyle("bare", pulse="none", names="none", line_mm=0.08),
    replace(
        _PINK, name="lilac", paper=(247, 238, 243), minor=(233, 216, 225), major=(208, 180, 196)
    ),
    PaperStyle(
        "magenta", (255, 226, 241), (248, 186, 219), (240, 140, 190), (50, 50, 60), separator="bar"
    ),
    PaperStyle("orange", (254, 240, 230), (250, 210, 190), (243, 165, 140), (35, 30, 90)),
    PaperStyle("blue", (250, 252, 255), (205, 220, 240), (150, 180, 220), separator="tick"),
    PaperStyle("green", (246, 253, 244), (200, 230, 200), (140, 200, 145), pulse="right"),
    PaperStyle("grey", (255, 255, 255), (226, 226, 226), (190, 190, 190), names="below"),
    PaperStyle("dots", (255, 255, 255), (150, 150, 160), (205, 205, 215), dots=True, minor_mm=0.25),
    PaperStyle("five", (255, 255, 255), None, (225, 170, 170), (20, 20, 20), line_mm=0.25),
    PaperStyle(
        "brown",
        (236, 226, 210),
        (206, 190, 172),
        (170, 145, 125),
        (40, 32, 30),
        line_mm=0.45,
        separator="line",
    ),
)

STYLES: Registry[PaperStyle] = Registry("style", {style.name: style for style in _BUILT_IN})


def draw_paper(
    style: PaperStyle, size: tuple[int, int], px_per_mm: float, area: tuple[int, int, int, int]
) -> Picture:
    """Return an empty sheet, (H, W, 3) RGB, writeable.

    Args:
        style: colours and lines.
        size: height and width, px.
        px_per_mm: scale.
        area: left, top, right, bottom of the grid where it does not cover the page, px.
    """
    return _sheet(style, size, px_per_mm, area).copy()


@lru_cache(maxsize=4)
def _sheet(
    style: PaperStyle, size: tuple[int, int], px_per_mm: float, area: tuple[int, int, int, int]
) -> Picture:
    sheet = np.empty((*size, 3), np.uint8)
    if style.major is None:
        sheet[:] = style.paper
        return sheet
    left, top, right, bottom = (0, 0, size[1], size[0]) if style.full_page else area
    if not style.full_page:
        sheet[:] = 255
    part = sheet[top:bottom, left:right]
    across, down = part.shape[1], part.shape[0]
    major = [_lines(n, 5.0, style.major_mm, px_per_mm) for n in (down, across)]
    minor = [_lines(n, 1.0, style.minor_mm, px_per_mm) for n in (down, across)]
    for channel in range(3):
        paper = style.paper[channel]
        rows, columns = (_shade(paper, style.major[channel], cover) for cover in major)
        part[:, :, channel] = np.minimum.outer(rows, columns)
        if style.minor is None:
            continue
        if style.dots:
            fine = _shade(paper, style.minor[channel], np.outer(*minor))
        else:
            rows, columns = (_shade(paper, style.minor[channel], cover) for cover in minor)
            fine = np.minimum.outer(rows, columns)
        np.minimum(part[:, :, channel], fine, out=part[:, :, channel])
    return sheet


def _lines(n: int, step_mm: float, width_mm: float, px_per_mm: float) -> Singles:
    """Return the share of each of `n` pixels that lines every `step_mm` cover, from the edge on."""
    step, width = step_mm * px_per_mm, max(width_mm * px_per_mm, 0.6)
    edges = np.arange(n + 1) + width / 2
    # Integral of the comb of lines up to each edge of a pixel; the difference is the cover.
    whole = np.floor(edges / step)
    covered = whole * width + np.minimum(edges - whole * step, width)
    cover: Singles = np.diff(covered).astype(np.float32)
    return cover


def _shade(paper: int, line: int, cover: Singles) -> Picture:
    shade: Picture = np.rint(paper + (line - paper) * cover).astype(np.uint8)
    return shade
