"""Where the rows of traces are on a flat page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from dyssync.arrays import Floats
from dyssync.pages.digitising.runs import Runs

THIN_MM = 1.3  # highest run of a trace that runs level; letters and flanks are higher
SMOOTH_MM = 1.5
CLOSEST_MM = 7.0  # of two rows; twelve of them on a strip of 100 mm
NEAR_MM = 3.0  # of its line, within which a level trace is counted for a row
FILLED = 0.3  # share of its extent in which a row has a level trace near its line (chosen)
# Share of that in stretches at least so long. Of 9 lines of text on 66 worn and real pages none had
# more than .15, of their 322 rows of traces none less than .32.
STRETCH_MM, STRETCHED = 2.0, 0.25
# Or, of a restless trace: share of its extent in which its ink, level or steep, has no gap for so
# long; letters have one from each to the next (chosen).
WHOLE_MM, WHOLE = 8.0, 0.6


@dataclass(frozen=True)
class Row:
    """A row of traces.

    Attributes:
        line: height of its zero line, px.
        left, right: where ink of it begins and ends, px.
        filled: share of the columns between them with a level trace near the line.
    """

    line: float
    left: float
    right: float
    filled: float


def find_rows(runs: Runs, height: int, px_per_mm: tuple[float, float]) -> tuple[Row, ...]:
    """Return the rows of a page, from the top.

    Args:
        runs: of the page.
        height: of the page, px.
        px_per_mm: scale across and down.
    """
    across, down = px_per_mm
    n_columns = len(runs.first) - 1
    every = np.repeat(np.arange(n_columns, dtype=np.float64), np.diff(runs.first))
    tall = runs.bottom - runs.top
    level = tall <= max(THIN_MM * down, 3.0)
    middle = (runs.top + runs.bottom)[level] / 2
    column = every[level]
    counts = np.bincount(np.clip(middle, 0, height - 1).astype(np.intp), minlength=height)
    density = gaussian_filter1d(counts.astype(np.float64), SMOOTH_MM * down)
    peaks, _ = find_peaks(density, distance=max(CLOSEST_MM * down, 1), height=0.05 * density.max())

    def inked(peak: float) -> Floats:
        near = NEAR_MM * down
        return np.unique(every[(runs.top < peak + near) & (runs.bottom > peak - near)])

    rows = [_row(float(peak), middle, column, inked(peak), across, down) for peak in peaks]
    longest = max((row.right - row.left for row in rows if row is not None), default=0.0)
    return tuple(
        row
        for row in rows
        if row is not None and row.filled >= FILLED and row.right - row.left > 0.45 * longest
    )


def _row(
    peak: float, middle: Floats, column: Floats, inked: Floats, across: float, down: float
) -> Row | None:
    """Return the row of a peak, if it is one.

    Args:
        peak: height at which there is most level ink, px.
        middle: of all level runs.
        column: of these.
        inked: columns with any ink near the peak.
        across: px/mm.
        down: px/mm.
    """
    near = np.abs(middle - peak) < NEAR_MM * down
    there = np.unique(column[near])
    if len(there) < 20 * across:
        return None
    # Ink far from the rest is no trace: where it is dense begins the row.
    dense = np.convolve(
        np.bincount(there.astype(np.intp)), np.ones(max(round(8 * across), 1)), "same"
    )
    inside = np.flatnonzero(dense > 0.25 * 8 * across)
    within = there[(there >= inside[0]) & (there <= inside[-1])] if len(inside) else there[:0]
    if not len(within):
        return None
    level = _in_stretches(within, STRETCH_MM * across)
    whole = _in_stretches(inked[(inked >= within[0]) & (inked <= within[-1])], WHOLE_MM * across)
    if level < STRETCHED * len(within) and whole < WHOLE * (within[-1] - within[0]):
        return None  # letters side by side
    left, right = float(within[0]), float(within[-1] + 1)
    return Row(float(np.median(middle[near])), left, right, len(within) / (right - left))


def _in_stretches(columns: Floats, least: float) -> int:
    """Return how many columns lie side by side with others, at least `least` of them."""
    stretches = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    return sum(len(part) for part in stretches if len(part) >= least)
