"""Dark runs: the stretches of ink in each column of a page, with edges finer than a pixel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dyssync.arrays import Floats, Indices, Singles
from dyssync.rendering.loops import compiled

CORE = 0.6  # of the darkest pixel of a run; what is paler is filled in part (chosen on worn pages)


class Runs(NamedTuple):
    """The stretches of ink of all columns, column by column from the top; compiled loops take it.

    Coordinates are px from the upper edge of the page; pixel i reaches from i to i + 1.

    Attributes:
        first: (W + 1,) intp; column x has the runs first[x] to first[x + 1] - 1.
        top, bottom: (R,) where the ink begins and ends.
        inset: (R, 2) px by which the means of both over the width of the column lie further inside.
    """

    first: Indices
    top: Floats
    bottom: Floats
    inset: Floats


def find_runs(cover: Singles, least: float) -> Runs:
    """Return all runs of pixels whose cover is `least` or more somewhere.

    Args:
        cover: (H, W) float32, 0-1.
        least: cover that tells ink from grid and noise.
    """
    columns = np.ascontiguousarray(cover.T)
    count = _count_runs(columns, np.float32(least))
    first = np.concatenate([np.zeros(1, np.intp), np.cumsum(count, dtype=np.intp)])
    top, bottom, inset = _measure_runs(columns, np.float32(least), first)
    return Runs(first, top, bottom, inset)


@compiled
def _count_runs(columns: Singles, least: np.float32) -> Indices:
    count = np.zeros(columns.shape[0], np.intp)
    for x in range(columns.shape[0]):
        inside = False
        for y in range(columns.shape[1]):
            dark = columns[x, y] >= least
            if dark and not inside:
                count[x] += 1
            inside = dark
    return count


@compiled
def _edges(column: Singles, begin: int, end: int) -> tuple[float, float, float, float]:
    """Return top and bottom of the run begin..end-1, and how far inside their means lie.

    Its outermost pixels, and the paler ones beyond, count by their share: a level line gets edges
    finer than a pixel, and the tip of a spike, which fills no column, keeps its height. Where a
    trace is steep, ink fills the column by and by: for the means, all that is paler than the core
    counts by its share.
    """
    highest = np.float32(0)
    for y in range(begin, end):
        highest = max(highest, column[y])
    first, last = begin, end - 1
    while column[first] < CORE * highest:
        first += 1
    while column[last] < CORE * highest:
        last -= 1
    before = min(column[begin - 1], column[begin]) if begin > 0 else np.float32(0)
    after = min(column[end], column[end - 1]) if end < len(column) else np.float32(0)
    top = begin + 1 - (column[begin] + before) / highest
    bottom = end - 1 + (column[end - 1] + after) / highest
    mean_top = first + 1 - (column[begin : first + 1].sum() + before) / highest
    mean_bottom = last + (column[last:end].sum() + after) / highest
    return top, bottom, mean_top - top, bottom - mean_bottom


@compiled
def _measure_runs(
    columns: Singles, least: np.float32, first: Indices
) -> tuple[Floats, Floats, Floats]:
    n, height = first[-1], columns.shape[1]
    top, bottom, inset = np.empty(n), np.empty(n), np.empty((n, 2))
    for x in range(columns.shape[0]):
        column = columns[x]
        at, y = first[x], 0
        while y < height:
            if column[y] < least:
                y += 1
                continue
            begin = y
            while y < height and column[y] >= least:
                y += 1
            top[at], bottom[at], inset[at, 0], inset[at, 1] = _edges(column, begin, y)
            at += 1
    return top, bottom, inset
