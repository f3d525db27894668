"""Which lines of a drawn page are traces, and how large its millimetre is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dyssync.arrays import Floats

LEAST_POINTS, LEAST_MM = 40, 15.0  # of a trace; a pulse is 9 mm wide at 25 mm/s
STRAIGHT_MM = 0.01
GRID_LEAST = 8  # lines of a grid
# What a square of 1 or 5 mm measures on a page that was not printed at its size.
SQUARES_MM = (1.0, 5.0)
MOST_SCALED = 1.35
EVEN_MM = 0.03  # by which steps may be rounded that are meant to be even


@dataclass(frozen=True, eq=False)
class LineTrace:
    """A trace as it was drawn: (n,) mm across, ascending, and (n,) mm down."""

    x: Floats
    y: Floats

    @cached_property
    def level(self) -> float:
        """Its middle height, mm."""
        return float(np.median(self.y))

    def cut(self, start: float, stop: float) -> LineTrace:
        """Return what lies from `start` to `stop`, mm."""
        inside = (self.x >= start - EVEN_MM) & (self.x <= stop + EVEN_MM)
        return LineTrace(self.x[inside], self.y[inside])


def traces_among(lines: Sequence[Floats]) -> list[LineTrace]:
    """Return the lines that run from left to right with many points, as a pen does."""
    found = []
    for line in lines:
        x, y = line[:, 0], line[:, 1]
        if len(line) < LEAST_POINTS or np.ptp(x) < LEAST_MM:
            continue
        if (np.diff(x) >= -STRAIGHT_MM).all():
            found.append(LineTrace(np.maximum.accumulate(_evened(x)), y))
    return found


def _evened(x: Floats) -> Floats:
    """Return positions as even steps where they are these but for rounding."""
    steps = np.arange(len(x))
    slope, first = np.polyfit(steps, x, 1)
    even: Floats = first + slope * steps
    return even if np.abs(even - x).max() <= EVEN_MM else x


def millimetre_of(lines: Sequence[Floats]) -> float | None:
    """Return how long 1 mm of the paper is on the page, mm; None without a grid."""
    across = _pitch([line[0, 1] for line in lines if np.ptp(line[:, 1]) <= STRAIGHT_MM])
    upright = _pitch([line[0, 0] for line in lines if np.ptp(line[:, 0]) <= STRAIGHT_MM])
    if across is None or upright is None or abs(across / upright - 1) > 0.02:
        return None
    return (across + upright) / 2


def _pitch(places: Sequence[float]) -> float | None:
    """Return the length of 1 mm from where the lines of a grid stand."""
    apart = np.unique(np.round(places, 3))
    if len(apart) < GRID_LEAST:
        return None
    steps = np.diff(apart)
    step = float(np.median(steps[steps > 0.2]))
    square = min(SQUARES_MM, key=lambda mm: abs(np.log(step / mm)))
    length = step / square
    return length if 1 / MOST_SCALED <= length <= MOST_SCALED else None
