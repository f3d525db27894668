"""Which lead is where: arrangements are tried, names and physics choose among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dyssync.ecg import LIMB_LEADS
from dyssync.layouts import Panel
from dyssync.pages.digitising.arrangements import Arrangement, arrangements_for, layout_name
from dyssync.pages.digitising.columns import Extent, refine_extent
from dyssync.pages.digitising.naming import Names, match_names
from dyssync.pages.digitising.physics import limb_residual
from dyssync.pages.digitising.strips import Laid, strip_leads
from dyssync.pages.digitising.traced import Trace
from dyssync.pages.digitising.words import Word

# Weight of the evidence beside that of a name, which counts by its likeness (chosen): what limb
# leads leave unexplained below or above half of chance, and strips that repeat a lead.
PHYSICS_WEIGHT, PHYSICS_HALF = 4.0, 0.5
STRIP_WEIGHT, STRIP_HALF = 2.0, 0.7
BREAK_WEIGHT = 2.0  # of the share of rows that break where columns meet
LESS_LIKELY = 0.4  # of an extent that is not what was seen
MISSED_ROW = 0.8  # of a row that an arrangement leaves out
UNUSUAL = 0.7  # of a strip that pages hardly have
USUAL_STRIPS = ("II", "V1", "V5", "V2", "V3", "V4", "V6", "I")


@dataclass(frozen=True, eq=False)
class Match:
    """An arrangement laid over a page.

    Attributes:
        layout: its name.
        panels: what was found where; rows count from the top of the arrangement.
        first_row: index of the trace that is its first row.
        left, column_px: beginning of the first column and width of each, px.
        n_columns: how many.
        names: that agree.
        residual: worst of the columns (:func:`physics.limb_residual`); NaN unknown.
        strip: worst likeness of a strip and the lead it repeats; NaN without.
        score: of all evidence.
    """

    layout: str
    panels: tuple[Panel, ...]
    first_row: int
    left: float
    column_px: float
    n_columns: int
    names: Names
    residual: float
    strip: float
    score: float

    def span(self, panel: Panel) -> tuple[float, float]:
        """Return where a panel begins and ends, px."""
        start = self.left + panel.column * self.column_px
        return start, start + self.column_px * (self.n_columns if panel.rhythm else 1)


def match_layouts(
    traces: Sequence[Trace],
    words: Sequence[Word],
    extents: Sequence[Extent],
    px_per_mm: tuple[float, float],
    layout: str | None = None,
) -> list[tuple[float, Match]]:
    """Return all ways to lay arrangements over a page with their scores, the best first.

    Args:
        traces: of all rows, from the top.
        words: names that were read.
        extents: where the leads may begin and end.
        px_per_mm: scale across and down.
        layout: the only one to try.
    """

    @cache
    def laid(first: int, n_rows: int, n_columns: int, rank: int) -> Laid:
        rows, extent, broken = traces[first:], extents[rank], 0.0
        if n_columns > 1:
            extent, broken = refine_extent(extent, n_columns, rows[:n_rows], px_per_mm[0])
        return Laid(rows, extent, n_columns, broken, px_per_mm)

    found = []
    for arrangement in arrangements_for(len(traces), layout):
        shape = arrangement.n_rows, arrangement.n_columns
        for first in range(len(traces) - arrangement.rows + 1):
            for rank in range(len(extents)):
                match = _matched(arrangement, laid(first, *shape, rank), first, words)
                left_out = len(traces) - arrangement.rows
                cost = LESS_LIKELY * (rank > 0) + MISSED_ROW * left_out
                cost += _unusual(match)
                found.append((match.score - cost, match))
    return sorted(found, key=lambda pair: -pair[0])


def margin(matches: Sequence[tuple[float, Match]]) -> float:
    """Return by how much the best arrangement is ahead of the next one with other leads."""
    if not matches:
        return 0.0
    best, first = matches[0]
    others = [score for score, match in matches if _leads(match) != _leads(first)]
    return best - max(others, default=-np.inf)


def _leads(match: Match) -> tuple[tuple[int, int, str], ...]:
    return tuple((p.row + match.first_row, p.column, p.label) for p in match.panels)


def _unusual(match: Match) -> float:
    """Return the cost of strips that pages hardly have: one lead twice, limb leads but II."""
    strips = [panel.lead for panel in match.panels if panel.rhythm]
    odd = sum(lead not in USUAL_STRIPS for lead in strips)
    return UNUSUAL * (odd + len(strips) - len(set(strips)))


def _matched(arrangement: Arrangement, laid: Laid, first: int, words: Sequence[Word]) -> Match:
    strips = strip_leads(arrangement, laid, words)
    panels = (
        *arrangement.panels,
        *(
            Panel(lead, arrangement.n_rows + k, 0, rhythm=True)
            for k, (lead, _) in enumerate(strips)
            if lead is not None
        ),
    )
    left, column_px = laid.extent.left, laid.column_px
    starts = np.array([left + panel.column * column_px for panel in panels])
    lines = np.array([laid.rows[panel.row].row.line for panel in panels])
    names = match_names(words, panels, starts, lines, laid.px_per_mm)
    residuals = _residuals(arrangement, laid)
    alike = [value for _, value in strips]
    score = names.score + BREAK_WEIGHT * laid.broken
    if residuals:
        score += PHYSICS_WEIGHT * (PHYSICS_HALF - float(np.mean(residuals)))
    # a strip that cannot be compared is as little supported as one without likeness
    score += sum(STRIP_WEIGHT * (float(np.fmax(value, 0.0)) - STRIP_HALF) for value in alike)
    leads = tuple(lead for lead, _ in strips if lead is not None)
    return Match(
        layout_name(arrangement, leads), panels, first, left, column_px,
        arrangement.n_columns, names, max(residuals, default=float("nan")),
        min((x for x in alike if np.isfinite(x)), default=float("nan")), score,
    )  # fmt: skip


def _residuals(arrangement: Arrangement, laid: Laid) -> list[float]:
    """Return :func:`physics.limb_residual` of each column that shows enough limb leads."""
    found = []
    for column in range(arrangement.n_columns):
        limb = {
            panel.lead: laid.shown(panel)
            for panel in arrangement.panels
            if panel.column == column and panel.lead in LIMB_LEADS
        }
        residual = limb_residual(limb)
        if np.isfinite(residual):
            found.append(min(residual, 1.5))
    return found
