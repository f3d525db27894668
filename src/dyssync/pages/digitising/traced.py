"""The traces of all rows of a flat page, before anything is known of leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Indices, Ints
from dyssync.pages.digitising.heights import PEN_QUANTILE, PER_COLUMN, find_heights
from dyssync.pages.digitising.path import follow
from dyssync.pages.digitising.rows import Row
from dyssync.pages.digitising.runs import Runs

REACH_MM = 12.0  # to both sides of a row in which its trace may go on beyond level ink
BREAK_PX = 0.3  # between the ink of two columns; edges are known to a tenth
CROWDED = 0.5  # confidence where two traces share one run of ink


@dataclass(frozen=True, eq=False)
class Trace:
    """One row from end to end.

    Attributes:
        row: where it is.
        left: first column, px.
        heights: (2 n,) middle of the pen, px; NaN where nothing is seen.
        confidence: (2 n,) 0-1.
        breaks: columns (px of the page) before which the ink does not go on: a gap, or a jump.
    """

    row: Row
    left: int
    heights: Floats
    confidence: Floats
    breaks: Ints

    def between(self, x0: float, x1: float) -> tuple[Floats, Floats]:
        """Return heights and confidence of the samples from `x0` to `x1` (px); NaN, 0 outside."""
        first = round((x0 - self.left) * PER_COLUMN)
        count = round((x1 - x0) * PER_COLUMN)
        heights, confidence = np.full(count, np.nan), np.zeros(count)
        start, stop = max(first, 0), min(first + count, len(self.heights))
        if stop > start:
            heights[start - first : stop - first] = self.heights[start:stop]
            confidence[start - first : stop - first] = self.confidence[start:stop]
        return heights, confidence


def trace_rows(
    runs: Runs, rows: tuple[Row, ...], px_per_mm: tuple[float, float]
) -> tuple[Trace, ...]:
    """Return the trace of each row.

    Args:
        runs: of the page.
        rows: of the page.
        px_per_mm: scale across and down.
    """
    width = len(runs.first) - 1
    spans, paths = [], []
    for row in rows:
        span = (
            max(int(row.left - REACH_MM * px_per_mm[0]), 0),
            min(int(row.right + REACH_MM * px_per_mm[0]), width),
        )
        spans.append(span)
        paths.append(follow(runs, np.full(width, row.line), span, px_per_mm[1]))
    if not paths:
        return ()
    used = np.bincount(np.concatenate([path[path >= 0] for path in paths]), minlength=1)
    seen = np.flatnonzero(used)
    pen = float(np.quantile((runs.bottom - runs.top)[seen], PEN_QUANTILE)) if len(seen) else 1.0
    traces = []
    for row, span, path in zip(rows, spans, paths, strict=True):
        known = path >= 0
        top = np.where(known, runs.top[path], np.nan)
        bottom = np.where(known, runs.bottom[path], np.nan)
        heights = find_heights(top, bottom, pen, px_per_mm[0] / px_per_mm[1])
        shared = known & (used[np.maximum(path, 0)] > 1)
        confidence = np.where(known, np.where(shared, CROWDED, 1.0), 0.0)
        breaks = span[0] + 1 + _breaks(top, bottom)
        traces.append(Trace(row, span[0], heights, np.repeat(confidence, PER_COLUMN), breaks))
    return tuple(traces)


def _breaks(top: Floats, bottom: Floats) -> Ints:
    """Return after which columns the ink of a trace does not touch that of the next, (k,) int64."""
    apart = np.maximum(top[1:] - bottom[:-1], top[:-1] - bottom[1:])
    lifted = np.isnan(apart) & np.isfinite(top[:-1])
    landed = np.isnan(apart) & np.isfinite(top[1:])
    found: Indices = np.flatnonzero((apart > BREAK_PX) | lifted | landed)
    return found.astype(np.int64)
