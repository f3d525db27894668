"""Paper that lay askew in its recorder: the rows of one moment stand beside each other on it.

The squares are printed before, so they lie straight and say nothing of it; leads of one moment do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dyssync.ecg import LIMB_LEADS
from dyssync.layouts import Panel
from dyssync.pages.digitising.heights import PER_COLUMN
from dyssync.pages.digitising.matching import Match
from dyssync.pages.digitising.physics import limb_residual, same_lead
from dyssync.pages.digitising.strips import EDGE_MM, cut_out
from dyssync.pages.digitising.traced import Trace

MOST_SKEW, SKEWS = 0.02, 41  # mm across a mm down, to both sides, and how many are tried
WORTH = 0.1  # by how much rows must agree better, as a share of their size (chosen)


def find_skew(match: Match, traces: Sequence[Trace], px_per_mm: tuple[float, float]) -> float:
    """Return by how much rows are moved across, mm a mm down the page; 0 if that explains little.

    Args:
        match: the leads of the page.
        traces: of all rows.
        px_per_mm: scale across and down.
    """
    tried = np.linspace(-MOST_SKEW, MOST_SKEW, SKEWS)
    apart = np.array([_apart(match, traces, px_per_mm, float(skew)) for skew in tried])
    if not np.isfinite(apart).all():
        return 0.0
    best = int(apart.argmin())
    return float(tried[best]) if apart[SKEWS // 2] - apart[best] >= WORTH else 0.0


def _apart(
    match: Match, traces: Sequence[Trace], px_per_mm: tuple[float, float], skew: float
) -> float:
    """Return how little limb leads and strips agree with each other at a skew; NaN not known."""
    first = traces[match.first_row].row.line
    # stretches that begin between samples may be one longer
    length = int((match.column_px - 2 * EDGE_MM * px_per_mm[0]) * PER_COLUMN)

    def shown(panel: Panel, of: Panel) -> np.ndarray:
        trace = traces[panel.row + match.first_row]
        moved = skew * (trace.row.line - first) / px_per_mm[1] * px_per_mm[0]
        where = Panel(of.lead, panel.row, of.column, inverted=of.inverted)
        return cut_out(trace, where, match.left + moved, match.column_px, px_per_mm)[:length]

    leads = [panel for panel in match.panels if not panel.rhythm]
    found = []
    for column in range(match.n_columns):
        limb = {p.lead: shown(p, p) for p in leads if p.column == column and p.lead in LIMB_LEADS}
        found.append(limb_residual(limb))
    for strip in (panel for panel in match.panels if panel.rhythm):
        same = next(panel for panel in leads if panel.lead == strip.lead)
        found.append(1 - same_lead(shown(same, same), shown(strip, same), PER_COLUMN))
    known = [value for value in found if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
