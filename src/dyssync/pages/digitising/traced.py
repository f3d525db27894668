"""The traces of all rows of a flat page, before anything is known of leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Indices, Ints
from dyssync.pages.digitising.claims import settle
from dyssync.pages.digitising.heights import (
    PEN_QUANTILE,
    PER_COLUMN,
    ROUGH_ROUNDS,
    find_heights,
)
from dyssync.pages.digitising.path import follow
from dyssync.pages.digitising.rows import Row
from dyssync.pages.digitising.runs import Runs

REACH_MM = 12.0  # to both sides of a row in which its trace may go on beyond level ink
BREAK_PX = 0.3  # between the ink of two columns; edges are known to a tenth
GAP_MM, LONG_SHARE = 1.0, 0.08  # what stands apart from a row, and how short it is then
LEVEL_PENS = 1.5  # ink that is higher than that is no level line
TALL_MM, TALL_WORTH = 8.0, 0.05  # most height that counts, and what a mm of it is worth (chosen)
CROWDED = 0.5  # confidence where two traces share one run of ink


@dataclass(frozen=True, eq=False)
class Trace:
    """One row from end to end.

    Attributes:
        row: where it is.
        left: first column, px.
        heights: (2 n,) middle of the pen, px; NaN where nothing is seen.
        breaks: columns (px of the page) before which the ink does not go on: a gap, or a jump.
        gap: px without ink after which something else may begin.
    """

    row: Row
    left: int
    heights: Floats
    breaks: Ints
    gap: float

    @property
    def ends(self) -> tuple[float, float]:
        """Where the ink of the row begins and ends, px; what stands apart is left out."""
        known = np.flatnonzero(np.isfinite(self.heights))
        if not len(known):
            return self.row.left, self.row.right
        parts = np.split(known, np.flatnonzero(np.diff(known) > self.gap * PER_COLUMN) + 1)
        # Pulses and letters beside the row stand apart, and are short.
        least = LONG_SHARE * PER_COLUMN * (self.row.right - self.row.left)
        long = [part for part in parts if len(part) > least]
        chosen = np.concatenate(long) if long else known
        return self.left + chosen[0] / PER_COLUMN, self.left + (chosen[-1] + 1) / PER_COLUMN

    def between(self, x0: float, x1: float) -> Floats:
        """Return the heights of the samples from `x0` to `x1` (px); NaN outside."""
        first = round((x0 - self.left) * PER_COLUMN)
        count = max(round((x1 - x0) * PER_COLUMN), 0)
        heights = np.full(count, np.nan)
        start, stop = max(first, 0), min(first + count, len(self.heights))
        if stop > start:
            heights[start - first : stop - first] = self.heights[start:stop]
        return heights


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
    pen, _ = _pen_of(runs, paths)
    traces = []
    gap = GAP_MM * px_per_mm[0]
    for row, span, path in zip(rows, spans, paths, strict=True):
        known = path >= 0
        top = np.where(known, runs.top[path], np.nan)
        bottom = np.where(known, runs.bottom[path], np.nan)
        means = _means(runs, path, top, bottom)
        heights = find_heights(*means, pen, px_per_mm[0] / px_per_mm[1], ROUGH_ROUNDS)
        breaks = span[0] + 1 + _breaks(top, bottom)
        traces.append(Trace(row, span[0], heights, breaks, gap))
    return tuple(traces)


def trace_stretches(
    runs: Runs,
    lines: Sequence[float],
    spans: Sequence[tuple[float, float]],
    px_per_mm: tuple[float, float],
) -> list[tuple[Floats, Floats, Floats]]:
    """Return position (px), height (px; NaN unknown) and confidence of each stretch of a row.

    A stretch is followed by itself, so that the pen may begin anywhere.

    Args:
        runs: of the page.
        lines: height of the zero line of each stretch, px.
        spans: where each begins and ends, px.
        px_per_mm: scale across and down.
    """
    width = len(runs.first) - 1
    columns = [
        (min(max(round(start), 0), width - 1), min(max(round(stop), 1), width))
        for start, stop in spans
    ]
    paths = [
        follow(runs, np.full(width, line), (first, max(last, first + 1)), px_per_mm[1])
        for line, (first, last) in zip(lines, columns, strict=True)
    ]
    pen, used = _pen_of(runs, paths)
    paths = [
        follow(
            runs, np.full(width, line), (first, max(last, first + 1)), px_per_mm[1],
            _worth(runs, path, used, pen, px_per_mm[1]),
        )
        for line, (first, last), path in zip(lines, columns, paths, strict=True)
    ]  # fmt: skip
    found = []
    courses = settle(runs, paths, [first for first, _ in columns], pen, px_per_mm)
    for course, path in zip(courses, paths, strict=True):
        means = _means(runs, path, course.top, course.bottom)
        heights = find_heights(*means, pen, px_per_mm[0] / px_per_mm[1])
        sure = np.where(course.hidden, CROWDED, 1.0)
        confidence = np.repeat(np.where(np.isfinite(course.top), sure, 0.0), PER_COLUMN)
        x = course.first + (np.arange(len(heights)) + 0.5) / PER_COLUMN
        found.append((x, heights, confidence))
    return found


def _means(runs: Runs, path: Indices, top: Floats, bottom: Floats) -> tuple[Floats, Floats]:
    """Return the mean edges of each column where a trace has all of a run, else those it has."""
    inset = runs.inset[path]
    return (
        top + np.where(top == runs.top[path], inset[:, 0], 0.0),
        bottom - np.where(bottom == runs.bottom[path], inset[:, 1], 0.0),
    )


def _pen_of(runs: Runs, paths: Sequence[Indices]) -> tuple[float, Indices]:
    """Return the thickness of the pen, px, and by how many traces each run is used."""
    used = np.bincount(np.concatenate([path[path >= 0] for path in paths]), minlength=len(runs.top))
    seen = np.flatnonzero(used)
    tall = (runs.bottom - runs.top)[seen]
    return (float(np.quantile(tall, PEN_QUANTILE)) if len(seen) else 1.0), used


def _worth(runs: Runs, path: Indices, used: Indices, pen: float, down: float) -> Floats:
    """Return what it is worth to take a run that no other trace takes: tips are no gaps."""
    others = used.copy()
    np.subtract.at(others, path[path >= 0], 1)
    tall = np.clip((runs.bottom - runs.top - LEVEL_PENS * pen) / down, 0.0, TALL_MM)
    worth: Floats = np.where(others > 0, 0.0, TALL_WORTH * tall)
    return worth


def _breaks(top: Floats, bottom: Floats) -> Ints:
    """Return after which columns the ink of a trace does not touch that of the next, (k,) int64."""
    apart = np.maximum(top[1:] - bottom[:-1], top[:-1] - bottom[1:])
    lifted = np.isnan(apart) & np.isfinite(top[:-1])
    landed = np.isnan(apart) & np.isfinite(top[1:])
    found: Indices = np.flatnonzero((apart > BREAK_PX) | lifted | landed)
    return found.astype(np.int64)
