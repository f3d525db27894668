"""Which dark run of each column belongs to a trace: the cheapest way from left to right."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats, Indices
from dyssync.pages.digitising.runs import Runs
from dyssync.rendering.loops import compiled

NOTHING = -1  # no run of a column belongs to the trace
REACH_MM = 38.0  # a trace leaves its line by less
# What a step costs, in mm of gap (chosen on rendered pages and those of a foreign program):
AWAY = 0.012  # for a mm away from the zero line, in each column
START_AWAY = 0.05  # beside that, where it begins
LIFTED = 0.3  # to lift the pen, beside the height of the gap
MOVED = 0.004  # for a mm between the middles of two runs
EMPTY = 0.25  # for a column without ink of the trace
LEFT = 2.0  # to leave ink that goes on
TALLEST = 0.7  # share of the page; what is taller is a frame or the edge of a sheet


def follow(
    runs: Runs, line: Floats, span: tuple[int, int], px_per_mm: float, worth: Floats | None = None
) -> Indices:
    """Return the run of each column that the trace of one row passes through.

    The way may not jump: two runs that overlap cost nothing, a gap costs its height. A column
    without ink costs a little and keeps the height. Away from the row's own line every step costs
    more, so that a trace of the next row is not followed to the end.

    Args:
        runs: of the page.
        line: (W,) height of the row's zero line in each column, px.
        span: first column and one past the last.
        px_per_mm: scale down the page.
        worth: (R,) what it is worth to take a run, mm of gap; None: nothing.

    Returns:
        (span[1] - span[0],) intp, index of a run or :data:`NOTHING`.
    """
    tallest = TALLEST * float(runs.bottom.max(initial=1.0))
    own = np.zeros(len(runs.top)) if worth is None else worth
    page = runs.first, runs.top, runs.bottom, line
    return _follow(*page, span[0], span[1], float(px_per_mm), tallest, own)


@compiled
def _follow(
    first: Indices,
    top: Floats,
    bottom: Floats,
    line: Floats,
    start: int,
    stop: int,
    px_per_mm: float,
    tallest: float,
    worth: Floats,
) -> Indices:
    n = stop - start
    most = 1
    for x in range(start, stop):
        most = max(most, first[x + 1] - first[x] + 1)
    # State k of a column: run k, or the last one: nothing here, the height is kept.
    cost = np.full((n, most), np.inf)
    back = np.zeros((n, most), np.intp)
    kept = np.zeros((n, 2))  # interval that the state "nothing" carries on
    for i in range(n):
        x = start + i
        count = first[x + 1] - first[x]
        for k in range(count):
            run = first[x] + k
            away = max(top[run] - line[x], line[x] - bottom[run], 0.0)
            if away > REACH_MM * px_per_mm or bottom[run] - top[run] > tallest:
                continue
            own = AWAY * away / px_per_mm - worth[run]
            if i == 0:
                cost[i, k] = own + START_AWAY * away / px_per_mm
                continue
            best, back[i, k] = _onto(
                run, x, first, top, bottom, cost[i - 1], kept[i - 1], px_per_mm
            )
            cost[i, k] = best + own
        if i == 0:
            cost[i, count] = 1.0
            kept[i, 0] = kept[i, 1] = line[x]
            continue
        cost[i, count], back[i, count] = _onto_nothing(
            x, first, top, bottom, cost[i - 1], kept[i - 1], tallest, kept[i]
        )
    return _walked_back(first, start, cost, back)


@compiled
def _onto(
    run: int,
    x: int,
    first: Indices,
    top: Floats,
    bottom: Floats,
    cost: Floats,
    kept: Floats,
    px_per_mm: float,
) -> tuple[float, int]:
    """Return the cost of the cheapest way to a run of column x, and from which state it comes.

    `cost` and `kept` are those of the column before.
    """
    before = first[x] - first[x - 1]
    best, chosen = np.inf, 0
    for j in range(before + 1):
        if np.isinf(cost[j]):
            continue
        if j < before:
            a, b = top[first[x - 1] + j], bottom[first[x - 1] + j]
        else:
            a, b = kept[0], kept[1]
        gap = max(top[run] - b, a - bottom[run], 0.0) / px_per_mm
        middle = abs(top[run] + bottom[run] - a - b) / 2 / px_per_mm
        step = cost[j] + gap + MOVED * middle
        if gap > 0:
            step += LIFTED
        if step < best:
            best, chosen = step, j
    return best, chosen


@compiled
def _onto_nothing(
    x: int,
    first: Indices,
    top: Floats,
    bottom: Floats,
    cost: Floats,
    kept: Floats,
    tallest: float,
    carried: Floats,
) -> tuple[float, int]:
    """Return what :func:`_onto` does for column x without ink; `carried` becomes its interval."""
    before = first[x] - first[x - 1]
    best, chosen = np.inf, 0
    for j in range(before + 1):
        a, b = kept[0], kept[1]
        if j < before:
            a, b = top[first[x - 1] + j], bottom[first[x - 1] + j]
        step = cost[j] + EMPTY
        for run in range(first[x], first[x + 1]):
            if top[run] < b and bottom[run] > a and bottom[run] - top[run] <= tallest:
                step += LEFT
                break
        if step < best:
            best, chosen = step, j
            carried[0], carried[1] = a, b
    return best, chosen


@compiled
def _walked_back(first: Indices, start: int, cost: Floats, back: Indices) -> Indices:
    """Return the run of each column on the cheapest way, from its end to its beginning."""
    n = len(cost)
    path = np.full(n, -1, np.intp)
    state = int(np.argmin(cost[n - 1]))
    for i in range(n - 1, -1, -1):
        x = start + i
        if state < first[x + 1] - first[x]:
            path[i] = first[x] + state
        state = back[i, state]
    return path
