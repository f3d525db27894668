"""Bars that separate the columns of a row: found by their shape, so that they are no trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.pages.digitising.runs import Runs

SEARCH_MM = 0.8  # to both sides of a border
TALLEST_MM = 20.0  # beyond, it is a line through the whole row
LEAST_MM = 1.5  # height of a bar, or of a part of one
EDGE_MM = 0.3  # within which edges of several rows are the same
STRAIGHT_MM = 0.12  # edges of a bar differ by less between two columns
AWAY_MM = 22.0  # from the row's line
VOTES = 0.6  # share of the rows of a border that show an edge pair


@dataclass(frozen=True)
class Bar:
    """A filled rectangle, px of the flat page; right and bottom are one past the last."""

    left: int
    right: int
    top: int
    bottom: int


def find_bars(
    runs: Runs, lines: Sequence[float], border: float, px_per_mm: tuple[float, float]
) -> list[Bar]:
    """Return the separators at a border of columns.

    Traces differ from row to row; what stands at the same height beside every row was printed.

    Args:
        runs: of the page.
        lines: zero lines of the rows, px.
        border: where two columns meet, px.
        px_per_mm: scale across and down.
    """
    seen = [
        [bar for bar in _near(runs, line, border, px_per_mm) if _beside(bar, line, lines)]
        for line in lines
    ]
    needed = max(VOTES * len(lines), 2.0)
    slack = EDGE_MM * px_per_mm[1]
    found: list[Bar] = []
    for top, bottom in _agreed(seen, needed, slack):
        columns = np.concatenate(
            [
                np.unique([x for x, a, b in row if max(abs(a - top), abs(b - bottom)) < slack])
                for row in seen
            ]
        )
        held, votes = np.unique(columns, return_counts=True)
        held = held[votes >= needed / 2]
        if len(held):
            # its outermost columns are pale, and may not show both of its edges
            left, right = max(int(held[0]) - 2, 0), int(held[-1]) + 2
            found += [
                Bar(left, right, max(int(line + top) - 1, 0), max(int(line + bottom) + 2, 0))
                for line in lines
            ]
    return found


def _near(
    runs: Runs, line: float, border: float, px_per_mm: tuple[float, float]
) -> Iterator[tuple[int, float, float]]:
    """Yield column, top and bottom (px from the line) of upright bars of a row near a border.

    Flanks of a trace have other edges in every column.
    """
    across, down = px_per_mm
    width = len(runs.first) - 1
    first = max(round(border - SEARCH_MM * across), 0)
    before: list[tuple[float, float]] = []
    for x in range(first, min(round(border + SEARCH_MM * across) + 1, width)):
        tall = []
        for run in range(runs.first[x], runs.first[x + 1]):
            top, bottom = float(runs.top[run] - line), float(runs.bottom[run] - line)
            near = max(abs(top), abs(bottom)) < AWAY_MM * down
            if near and LEAST_MM * down < bottom - top < TALLEST_MM * down:
                tall.append((top, bottom))
        for top, bottom in tall:
            if any(abs(a - top) + abs(b - bottom) < STRAIGHT_MM * down for a, b in before):
                yield x, top, bottom
        before = tall


def _beside(bar: tuple[int, float, float], line: float, lines: Sequence[float]) -> bool:
    """Whether no other row is nearer to a bar."""
    middle = line + (bar[1] + bar[2]) / 2
    return all(abs(middle - line) <= abs(middle - other) for other in lines)


def _agreed(
    seen: Sequence[Sequence[tuple[int, float, float]]], needed: float, slack: float
) -> list[tuple[float, float]]:
    """Return pairs of edges that as many rows show, px from their lines; the commonest first."""
    # edges in cells of half the slack: what is alike lies in neighbouring cells
    cells: dict[tuple[int, int], list[tuple[float, float, int]]] = {}
    for k, row in enumerate(seen):
        for _, top, bottom in row:
            cell = round(2 * top / slack), round(2 * bottom / slack)
            cells.setdefault(cell, []).append((top, bottom, k))
    agreed: list[tuple[float, float]] = []
    while cells:
        around = {cell: _around(cells, cell) for cell in cells}
        best = max(around, key=lambda cell: len({k for *_, k in around[cell]}))
        if len({k for *_, k in around[best]}) < needed:
            break
        top, bottom = np.median([(a, b) for a, b, _ in around[best]], axis=0)
        agreed.append((float(top), float(bottom)))
        for cell in [
            one for one in cells if max(abs(one[0] - best[0]), abs(one[1] - best[1])) <= 2
        ]:
            del cells[cell]
    return agreed


def _around(
    cells: Mapping[tuple[int, int], list[tuple[float, float, int]]], cell: tuple[int, int]
) -> list[tuple[float, float, int]]:
    near = [(cell[0] + i, cell[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return [edges for one in near for edges in cells.get(one, ())]
