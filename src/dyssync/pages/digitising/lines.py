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
MOST_SCALED = 1.6  # A4 as A3 or A5 is 1.41 or 0.71; 1 and 5 mm stay apart up to 2.2
PULSE_MM = (2.0, 45.0)  # least width and height of a pulse, and largest
PULSE_S, PULSE_SLACK_S, PULSE_SLACK = 0.2, 0.02, 0.03  # its width, and by how much it may be off
PULSE_REACH_S = 0.6  # from the beginning of a trace in which a pulse stands
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


def pulses_among(lines: Sequence[Floats]) -> list[float]:
    """Return the heights of calibration pulses that are lines of their own, mm."""
    return [
        float(np.ptp(line[:, 1]))
        for line in lines
        if np.ptp(line[:, 0]) <= PULSE_MM[1] and _is_pulse(line[:, 0], line[:, 1])
    ]


def _is_pulse(x: Floats, y: Floats) -> bool:
    """Return whether a line goes up at once, level for a while, and down to where it was."""
    height = y.max() - y  # y runs down
    if not PULSE_MM[0] <= height.max() <= PULSE_MM[1]:
        return False
    rest, top = height <= STRAIGHT_MM, height >= height.max() - STRAIGHT_MM
    return bool((rest | top).all() and rest[0] and rest[-1] and np.ptp(x[top]) >= PULSE_MM[0])


def without_pulse(trace: LineTrace, mm_per_s: float, mm_per_mv: float) -> LineTrace:
    """Return a trace without the calibration pulse that it begins with, if it does.

    Args:
        trace: as it was drawn.
        mm_per_s: length of a second.
        mm_per_mv: height of 1 mV.
    """
    first = trace.x <= trace.x[0] + PULSE_REACH_S * mm_per_s
    x, y = trace.x[first], trace.y[first]
    top = np.abs(y[0] - mm_per_mv - y) <= PULSE_SLACK * mm_per_mv
    level = bool(top.any()) and np.ptp(y[top]) <= STRAIGHT_MM
    if not level or abs(np.ptp(x[top]) / mm_per_s - PULSE_S) > PULSE_SLACK_S:
        return trace
    last = int(np.flatnonzero(top)[-1])
    return LineTrace(trace.x[last + 1 :], trace.y[last + 1 :])


def grid_among(lines: Sequence[Floats]) -> bool:
    """Return whether there are many level and many upright lines, as a grid has."""
    level = sum(np.ptp(line[:, 1]) <= STRAIGHT_MM for line in lines)
    upright = sum(np.ptp(line[:, 0]) <= STRAIGHT_MM for line in lines)
    return bool(min(level, upright) >= GRID_LEAST)


def millimetre_of(lines: Sequence[Floats]) -> float | None:
    """Return how long 1 mm of the paper is on the page, mm; None where no grid says so."""
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
