"""Where traces are drawn, and the vertical spans of ink that a round pen leaves of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dyssync.arrays import Floats, Indices, Singles

SUB_COLUMNS = 3  # spans a pixel column; three draw a vertical stroke of a 1-px pen 1 px wide


class Traces(NamedTuple):
    """Where and how P traces are drawn; all arrays have shape (P,). Compiled loops take it whole.

    Attributes:
        lead: row of the signal.
        x0, x1: horizontal range, px.
        baseline: y of 0 mV, px.
        start_s: time in the recording at x0, s.
        px_per_mv: px a mV, negative for an inverted lead.
        px_per_s: px a second, one number for all.
    """

    lead: Indices
    x0: Floats
    x1: Floats
    baseline: Floats
    start_s: Floats
    px_per_mv: Floats
    px_per_s: float


@dataclass(frozen=True, eq=False)
class Spans:
    """Vertical spans of ink: for each of C pixel columns, one for each sub-column.

    Attributes:
        trace: (C,) intp, index into the :class:`Traces`.
        column: (C,) intp, pixel column.
        top, bottom: (C, SUB_COLUMNS) float32, px; +inf and -inf where there is nothing.
    """

    trace: Indices
    column: Indices
    top: Singles
    bottom: Singles


def pen_taps(line_px: float) -> int:
    """Return how many sub-columns to each side a pen of width `line_px` reaches."""
    return max(round((line_px * SUB_COLUMNS - 1) / 2), 0)


def pen_height(line_px: float, tap: int) -> float:
    """Return half the height (px) of a round pen, `tap` sub-columns from its middle."""
    return float(max((line_px / 2) ** 2 - (tap / SUB_COLUMNS) ** 2, 0.0) ** 0.5)


def column_ends(spans: Spans) -> tuple[Singles, Singles]:
    """Return the top and bottom of the ink of each pixel column, (C,) px."""
    top, bottom = spans.top[:, 0], spans.bottom[:, 0]
    for k in range(1, SUB_COLUMNS):  # a reduction over so short an axis is ten times slower
        top = np.minimum(top, spans.top[:, k])
        bottom = np.maximum(bottom, spans.bottom[:, k])
    return top, bottom
