"""Everything from the pixels of a page to a matched arrangement, whichever way up it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import tee

import numpy as np

from dyssync.arrays import Singles
from dyssync.pages.digitising.columns import find_ends, find_extents
from dyssync.pages.digitising.edges import without_edges
from dyssync.pages.digitising.flanks import join_flanks
from dyssync.pages.digitising.flat import (
    FlatPage,
    flatten_page,
    scaled_page,
    shear_page,
    turn_page,
)
from dyssync.pages.digitising.ink import LEAST_CONTRAST, Ink, above_grid, find_ink, off_grid
from dyssync.pages.digitising.lattice import (
    PAGE_MM,
    PART_MM,
    find_lattice,
    grid_detail,
    has_lines,
)
from dyssync.pages.digitising.matching import Match, margin, match_layouts
from dyssync.pages.digitising.pulses import Pulse, find_pulses
from dyssync.pages.digitising.rows import find_rows
from dyssync.pages.digitising.runs import find_runs
from dyssync.pages.digitising.skew import find_skew
from dyssync.pages.digitising.spotter import spot_names
from dyssync.pages.digitising.traced import Trace, trace_rows
from dyssync.pages.digitising.words import PrintedScale, Word, read_scale
from dyssync.rendering.rendered import Picture

LEAST_COHERENCE = 0.55  # of the lines of a grid; noise, text and fabric stay below 0.4
# of both kinds of lines of a grid that is not clear from the start, as it is seen at an angle: 1.6
# and more on nine photos; stripes of worn white paper agree as 5-mm lines alone do, to 1.4
SURE_GRID = 1.5
LEAST_UPRIGHT = 2  # names that cannot be read upside down, where there is no pulse
GUESSED_WIDTH_MM = 280.0  # of a page without grid, until a pulse says its scale
MOST_ROWS = 14
# against the clock, that a picture is turned by to be read; the likeliest first
QUARTERS = (0, 2, 1, 3)


@dataclass(frozen=True, eq=False)
class Reading:
    """What was found with the page one way up.

    All places are in the picture turned by `quarters`.

    Attributes:
        page: made flat.
        has_grid: the scale is that of a grid.
        least: cover from which a pixel of it is ink.
        traces: of all rows.
        pulses: calibration pulses.
        words: names of leads.
        printed: scale as printed.
        best: the arrangement that all evidence is for; None without one.
        ahead: by how much it is ahead of the next with other leads.
        problem: why there is none.
        quarters: by which the picture was turned against the clock.
    """

    page: FlatPage
    has_grid: bool
    least: float
    traces: tuple[Trace, ...]
    pulses: tuple[Pulse, ...]
    words: tuple[Word, ...]
    printed: PrintedScale
    best: Match | None
    ahead: float = 0.0
    problem: str = ""
    quarters: int = 0

    @property
    def is_upright(self) -> bool:
        """Whether something says which way up the page is: a pulse, or names with an upper side."""
        if self.best is None:
            return False
        return bool(self.pulses) or self.best.names.upright >= LEAST_UPRIGHT

    @property
    def sureness(self) -> float:
        """By which readings of one page are compared."""
        return self.best.score if self.best else -np.inf


def read_page(pixels: Picture, layout: str | None = None) -> Reading:
    """Return what a picture shows, turned by the quarters that suit it best.

    Args:
        pixels: (H, W, 3) RGB uint8.
        layout: the only one to try.
    """
    ink = find_ink(pixels)
    if ink.contrast < LEAST_CONTRAST:
        return _nothing(_without_grid(ink), False, "nothing on it is darker than paper")
    found: Reading | None = None
    grounds = _grounds(ink, grid_detail(pixels, ink))
    for quarters, ways in zip(QUARTERS, tee(grounds, len(QUARTERS)), strict=True):
        picture = np.ascontiguousarray(np.rot90(pixels, quarters))
        cover = np.ascontiguousarray(np.rot90(ink.cover, quarters))
        turned = replace(ink, cover=cover)
        for flat, has_grid in ways:
            page = turn_page(flat, quarters, pixels.shape[:2])
            reading = replace(
                _read_askew(page, has_grid, turned, picture, layout), quarters=quarters
            )
            if reading.is_upright:
                return reading
            if found is None or reading.sureness > found.sureness:
                found = reading
    assert found is not None
    return found


def _read_askew(
    page: FlatPage, has_grid: bool, ink: Ink, pixels: Picture, layout: str | None
) -> Reading:
    """Return what is found on a flat page, sheared back where paper had lain askew."""
    reading = _read(page, has_grid, ink, pixels, layout)
    if reading.best is None:
        return reading
    skew = find_skew(reading.best, reading.traces, page.px_per_mm)
    if not skew:
        return reading
    slope = skew * page.px_per_mm[0] / page.px_per_mm[1]
    # squares lie straight already; without them the page may be turned as a whole
    tried = [reading]
    for turned in (False,) if has_grid else (False, True):
        straight = shear_page(page, ink.cover, slope, turned=turned)
        tried.append(_read(straight, has_grid, ink, pixels, layout))
    return max(tried, key=lambda one: one.sureness)


def _read(page: FlatPage, has_grid: bool, ink: Ink, pixels: Picture, layout: str | None) -> Reading:
    """Return what is found on a flat page."""
    whole = page.cover
    if has_grid:
        cover, ink = off_grid(page.cover, ink, page.px_per_mm)
        page = replace(page, cover=cover)
    least = above_grid(page.cover, ink)
    words = spot_names(whole, page.px_per_mm)
    printed = read_scale(page.cover, ink.sure, page.px_per_mm)
    page = replace(page, cover=join_flanks(page.cover, least, page.px_per_mm[1]))
    runs = find_runs(page.cover, least)
    rows = find_rows(find_runs(page.cover, ink.sure), page.cover.shape[0], page.px_per_mm)
    rows = without_edges(rows, page, pixels)
    if not rows:
        return _nothing(page, has_grid, "no rows of traces are seen")
    if len(rows) > MOST_ROWS:
        return _nothing(page, has_grid, f"{len(rows)} rows of traces are seen, more than any page")
    traces = trace_rows(runs, rows, page.px_per_mm)
    pulses = find_pulses(
        [trace.heights for trace in traces],
        [trace.left for trace in traces],
        page.px_per_mm,
        page.cover,
    )
    ends = find_ends(traces, whole, page.px_per_mm[1])
    extents = find_extents(ends, pulses, page.px_per_mm[0], has_grid=has_grid)
    matches = match_layouts(traces, words, extents, page.px_per_mm, layout)
    problem = "" if matches else f"{len(rows)} rows of traces are those of no known layout"
    best = matches[0][1] if matches else None
    return Reading(
        page, has_grid, least, traces, pulses, words, printed, best, margin(matches), problem
    )


def _grounds(ink: Ink, detail: Singles) -> Iterator[tuple[FlatPage, bool]]:
    """Yield the page made flat by what may be its grid, the likeliest first, then without one.

    With each: whether it has a grid.
    """
    if has_lines(detail):
        for long_mm in (PAGE_MM, PART_MM):
            lattice = find_lattice(detail, long_mm)
            page = flatten_page(ink.cover, detail, lattice)
            sure = lattice.is_clear or page.sureness >= SURE_GRID
            if sure and page.coherence >= LEAST_COHERENCE:
                yield page, True
                if lattice.is_clear:
                    return
    yield _without_grid(ink), False


def _without_grid(ink: Ink) -> FlatPage:
    pitch = max(ink.cover.shape) / GUESSED_WIDTH_MM
    return scaled_page(ink.cover, (pitch, pitch))


def _nothing(page: FlatPage, has_grid: bool, problem: str) -> Reading:
    return Reading(page, has_grid, 1.0, (), (), (), PrintedScale(), None, 0.0, problem)
