"""Whose ink is whose where traces of neighbouring rows run into each other.

Where a stretch of ink is shared, each trace first takes the little that joins its two sides. What
is left over then is given to the trace that has to turn least for it: a flank goes straight on
into its tip, a level line would have to turn three times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dyssync.arrays import Bools, Floats, Indices
from dyssync.pages.digitising.runs import Runs

LEAST_PENS = 0.5  # height of ink that is worth giving, in thicknesses of the pen
TALL_PENS = 1.5  # of the tallest part of it
WIDEST_MM = 5.0  # of what is given at once; a complex is not wider where it meets another row
AROUND_MM = 1.0  # to both sides, where the way is compared
TOUCHING_PX = 1.0


@dataclass(eq=False)
class Course:
    """The ink of one stretch.

    Attributes:
        first: its first column, px of the page.
        top, bottom: (n,) of its ink in each column; NaN where nothing is seen.
        hidden: (n,) whether other ink hides where it begins or ends.
    """

    first: int
    top: Floats
    bottom: Floats
    hidden: Bools


@dataclass(frozen=True)
class _Piece:
    column: int
    top: float
    bottom: float


def settle(
    runs: Runs,
    paths: Sequence[Indices],
    firsts: Sequence[int],
    pen: float,
    px_per_mm: tuple[float, float],
) -> list[Course]:
    """Return the ink of each stretch.

    Args:
        runs: of the page.
        paths: run of each column of each stretch, or -1.
        firsts: their first columns.
        pen: thickness, px.
        px_per_mm: scale across and down.
    """
    used = np.zeros(len(runs.top), np.intp)
    for path in paths:
        np.add.at(used, path[path >= 0], 1)
    courses = [
        _course(runs, path, first, used, pen) for path, first in zip(paths, firsts, strict=True)
    ]
    for group in _groups(list(_left_over(runs, paths, courses, pen))):
        _give(group, courses, pen, px_per_mm)
    return courses


def _course(runs: Runs, path: Indices, first: int, used: Indices, pen: float) -> Course:
    known = path >= 0
    top = np.where(known, runs.top[path], np.nan)
    bottom = np.where(known, runs.bottom[path], np.nan)
    hidden = known & (used[np.maximum(path, 0)] > 1)
    course = Course(first, top, bottom, hidden)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], hidden.astype(np.int8), [0]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        _tighten(course, int(begin), int(end), pen / 2)
    return course


def _tighten(course: Course, begin: int, end: int, half: float) -> None:
    """Let a trace take the shortest way through the shared columns begin..end-1."""
    high, low = course.top[begin:end] + half, course.bottom[begin:end] - half
    low = np.maximum(low, high)
    left = _anchor(course, begin - 1, (high[0] + low[0]) / 2, half)
    right = _anchor(course, end, (high[-1] + low[-1]) / 2, half)
    if np.isnan(left) and np.isnan(right):
        return
    left, right = (right if np.isnan(left) else left), (left if np.isnan(right) else right)
    way = np.linspace(left, right, end - begin + 1)
    one, two = np.clip(way[:-1], high, low), np.clip(way[1:], high, low)
    course.top[begin:end] = np.minimum(one, two) - half
    course.bottom[begin:end] = np.maximum(one, two) + half


def _anchor(course: Course, at: int, towards: float, half: float) -> float:
    """Return the height of the pen at the end of the ink of a column nearest to `towards`.

    NaN where nothing is seen there.
    """
    if not 0 <= at < len(course.top):
        return float("nan")
    high, low = course.top[at] + half, course.bottom[at] - half
    if not low >= high:
        return float(high + low) / 2
    return float(min(max(towards, high), low))


def _left_over(
    runs: Runs, paths: Sequence[Indices], courses: Sequence[Course], pen: float
) -> Iterable[_Piece]:
    """Yield what none of its traces needs of shared ink."""
    taken: dict[int, list[tuple[float, float, int]]] = {}
    for path, course in zip(paths, courses, strict=True):
        for i in np.flatnonzero(course.hidden):
            span = (float(course.top[i]), float(course.bottom[i]), course.first + int(i))
            taken.setdefault(int(path[i]), []).append(span)
    least = max(LEAST_PENS * pen, 1.0)
    for run, spans in taken.items():
        at = float(runs.top[run])
        for top, bottom, column in [*sorted(spans), (float(runs.bottom[run]), np.inf, spans[0][2])]:
            if top - at > least:
                yield _Piece(column, at, top)
            at = max(at, bottom)


def _groups(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Return the pieces that touch across columns together, the tallest group first."""
    by_column: dict[int, list[int]] = {}
    for index, piece in enumerate(pieces):
        by_column.setdefault(piece.column, []).append(index)
    pairs = [
        (index, other)
        for index, piece in enumerate(pieces)
        for other in by_column.get(piece.column + 1, ())
        if pieces[other].top < piece.bottom and pieces[other].bottom > piece.top
    ]
    n = len(pieces)
    touching = coo_array((np.ones(len(pairs)), np.array(pairs, np.intp).reshape(-1, 2).T), (n, n))
    _, label = connected_components(touching, directed=False)
    groups: dict[int, list[_Piece]] = {}
    for piece, number in zip(pieces, label.tolist(), strict=True):
        groups.setdefault(number, []).append(piece)
    return sorted(groups.values(), key=_height, reverse=True)


def _height(group: Sequence[_Piece]) -> float:
    return max(piece.bottom for piece in group) - min(piece.top for piece in group)


def _give(
    group: Sequence[_Piece],
    courses: Sequence[Course],
    pen: float,
    px_per_mm: tuple[float, float],
) -> None:
    """Give a group of pieces to the trace that has to turn least for it."""
    columns = [piece.column for piece in group]
    begin, end = min(columns), max(columns) + 1
    if end - begin > WIDEST_MM * px_per_mm[0]:
        return
    if max(piece.bottom - piece.top for piece in group) < TALL_PENS * pen:
        return
    best: tuple[float, Course, Course] | None = None
    for course in courses:
        if not _touches(group, course):
            continue
        given = _with(course, group)
        around = round(AROUND_MM * px_per_mm[0])
        span = begin - around, end + around
        turn = _turning(given, span, pen, px_per_mm) - _turning(course, span, pen, px_per_mm)
        if best is None or turn < best[0]:
            best = turn, course, given
    if best is not None:
        _, course, given = best
        course.top[:], course.bottom[:] = given.top, given.bottom


def _touches(group: Sequence[_Piece], course: Course) -> bool:
    n = len(course.top)
    for piece in group:
        for at in range(piece.column - 1 - course.first, piece.column + 2 - course.first):
            if 0 <= at < n and (
                course.top[at] < piece.bottom + TOUCHING_PX
                and course.bottom[at] > piece.top - TOUCHING_PX
            ):
                return True
    return False


def _with(course: Course, group: Sequence[_Piece]) -> Course:
    """Return the stretch with a group of pieces."""
    top, bottom = course.top.copy(), course.bottom.copy()
    for piece in group:
        at = piece.column - course.first
        if not 0 <= at < len(top):
            continue
        top[at], bottom[at] = np.fmin(top[at], piece.top), np.fmax(bottom[at], piece.bottom)
    return Course(course.first, top, bottom, course.hidden)


def _turning(
    course: Course, span: tuple[int, int], pen: float, px_per_mm: tuple[float, float]
) -> float:
    """Return by how much the pen turns on its way through the columns of `span`, rad."""
    start = max(span[0] - course.first, 0)
    stop = min(span[1] - course.first, len(course.top))
    at = np.arange(start, stop)
    at = at[np.isfinite(course.top[start:stop])]
    if len(at) < 3:
        return 0.0
    high, low = course.top[at] + pen / 2, course.bottom[at] - pen / 2
    middle = (high + low) / 2
    high, low = np.minimum(high, middle), np.maximum(low, middle)
    points = [(at[0] + 0.5, middle[0])]
    for i in range(1, len(at)):
        onward = middle[min(i + 1, len(at) - 1)]
        enter = min(max(points[-1][1], high[i]), low[i])
        leave = min(max(onward, high[i]), low[i])
        far = high[i] if enter + leave > high[i] + low[i] else low[i]
        points.append((at[i] + 0.2, enter))
        if abs(far - enter) > pen / 2 and abs(far - leave) > pen / 2:
            points.append((at[i] + 0.5, far))
        points.append((at[i] + 0.8, leave))
    x, y = np.array(points).T
    angle = np.arctan2(np.diff(y) / px_per_mm[1], np.diff(x) / px_per_mm[0])
    return float(np.abs(np.diff(angle)).sum())
