"""Strips below the columns: which lead they repeat, by its shape and by the name beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dyssync.arrays import Floats
from dyssync.layouts import Panel
from dyssync.pages.digitising.arrangements import Arrangement
from dyssync.pages.digitising.columns import Extent
from dyssync.pages.digitising.heights import PER_COLUMN
from dyssync.pages.digitising.physics import same_lead
from dyssync.pages.digitising.traced import Trace
from dyssync.pages.digitising.words import Word

STRIP_ALIKE = 0.85  # of a strip and the lead that it repeats
STRIP_NAME = 0.3  # of the likeness of a name beside the strip, added to that of the trace
# Recorders print these; of two leads that a strip is like, one of them is what it shows (chosen).
PRINTED_STRIPS, PRINTED = ("II", "V1", "V5"), 0.02
BESIDE_MM = (-9.0, 12.0, 14.0)  # of its beginning: left, right, above or below
# by which a strip may be printed beside its lead (.7 mm on photos of prints), and steps to find it
STRIP_SLACK_MM, STRIP_STRIDE_MM = 1.0, 0.2
EDGE_MM = 1.0  # of a column, left out of comparisons: separators


def cut_out(
    trace: Trace, panel: Panel, left: float, column_px: float, px_per_mm: tuple[float, float]
) -> Floats:
    """Return the stretch of a row that a panel shows, mm up; its ends are left out."""
    edge = EDGE_MM * px_per_mm[0]
    start = left + panel.column * column_px
    heights = trace.between(start + edge, start + column_px - edge)
    up: Floats = -heights / px_per_mm[1]
    return -up if panel.inverted else up


@dataclass(frozen=True, eq=False)
class Laid:
    """Columns laid over rows; what arrangements of one shape ask of them is worked out once.

    Attributes:
        rows: of traces, from the first of the arrangement on.
        extent: of the columns.
        n_columns: how many.
        broken: share of the rows whose traces break where columns meet.
        px_per_mm: scale across and down.
    """

    rows: Sequence[Trace]
    extent: Extent
    n_columns: int
    broken: float
    px_per_mm: tuple[float, float]
    _alike: dict[tuple[int, int, int], float] = field(default_factory=dict, repr=False)

    @property
    def column_px(self) -> float:
        """Width of a column, px."""
        return (self.extent.right - self.extent.left) / self.n_columns

    def shown(self, panel: Panel) -> Floats:
        """Return the stretch of a row that a panel shows, as of :func:`cut_out`."""
        left, width = self.extent.left, self.column_px
        return cut_out(self.rows[panel.row], panel, left, width, self.px_per_mm)

    def alike(self, panel: Panel, strip: int) -> float:
        """Return how like a strip (its row) is to a panel above it, at most 1; NaN unknown."""
        place = panel.row, panel.column, strip
        if place not in self._alike:
            per_mm = PER_COLUMN * self.px_per_mm[0]
            stride = max(round(STRIP_STRIDE_MM * per_mm), 1)
            below = replace(panel, row=strip)
            self._alike[place] = same_lead(
                self.shown(panel), self.shown(below), round(STRIP_SLACK_MM * per_mm), stride
            )
        return self._alike[place]


def strip_leads(
    arrangement: Arrangement, laid: Laid, words: Sequence[Word]
) -> list[tuple[str | None, float]]:
    """Return the lead of each strip, and how like it is to the same lead above it (NaN unknown)."""
    found = []
    for k in range(arrangement.n_strips):
        row = arrangement.n_rows + k
        alike = {panel.lead: laid.alike(panel, row) for panel in arrangement.panels}
        near = _beside(laid.rows[row], words, laid.extent, laid.px_per_mm)
        named = {word.text: word.alike for word in near}
        # of a lead that cannot be compared nothing speaks for it but its name
        seen = {lead: value if np.isfinite(value) else -1.0 for lead, value in alike.items()}
        belief = {
            lead: value + STRIP_NAME * named.get(lead, 0.0) + PRINTED * (lead in PRINTED_STRIPS)
            for lead, value in seen.items()
        }
        likest = max(belief, key=lambda lead: belief[lead])
        known = arrangement.strips[k] if k < len(arrangement.strips) else None
        lead = known or (likest if alike[likest] >= STRIP_ALIKE else None)
        found.append((lead, alike[lead or likest]))
    return found


def _beside(
    strip: Trace, words: Sequence[Word], extent: Extent, px_per_mm: tuple[float, float]
) -> list[Word]:
    """Return the names that stand at the beginning of a strip."""
    across, down = px_per_mm
    return [
        word
        for word in words
        if BESIDE_MM[0] * across < word.left - extent.left < BESIDE_MM[1] * across
        and abs(word.middle - strip.row.line) < BESIDE_MM[2] * down
    ]
