"""Calibration pulses: 1 mV for 0.2 s at one end of the rows, drawn at the gain of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.pages.digitising.heights import PER_COLUMN

PULSE_MV, PULSE_S = 1.0, 0.2  # usual calibration pulse
HIGH_MM = (2.0, 45.0)  # 2.5 to 40 mm a mV
WIDE_MM = (2.0, 22.0)  # 12.5 to 100 mm/s
FLAT = 0.06  # SD of its top, of its height
SHARP_MM = 1.2  # in which its sides rise
AGREE_MM = 1.5  # between rows
SIDE_MM = 0.8  # to both sides of where a trace has a side of it, in which all of its ink lies
FAINT = 1e-6  # so that nothing at all has a middle
END_SHARE = 0.16  # of the width of a row, in which it stands at either end


@dataclass(frozen=True)
class Pulse:
    """A calibration pulse.

    Attributes:
        row: index of its row.
        rise, fall: px of the flat page.
        height: px.
    """

    row: int
    rise: float
    fall: float
    height: float


def find_pulses(
    traces: Sequence[Floats],
    lefts: Sequence[float],
    px_per_mm: tuple[float, float],
    cover: Singles,
) -> tuple[Pulse, ...]:
    """Return the pulses of all rows, if most rows have one at the same place.

    Args:
        traces: of each row, heights two a column from its left end on (px, down; NaN unknown).
        lefts: left end of each row, px.
        px_per_mm: scale across and down.
        cover: (H, W) of the flat page.
    """
    found = [
        pulse
        for row, (trace, left) in enumerate(zip(traces, lefts, strict=True))
        for pulse in _candidates(row, trace, left, px_per_mm, cover)
    ]
    best: list[Pulse] = []
    for pulse in found:
        alike = [
            other
            for other in found
            if abs(other.rise - pulse.rise) < AGREE_MM * px_per_mm[0]
            and abs(other.fall - pulse.fall) < AGREE_MM * px_per_mm[0]
        ]
        if len({other.row for other in alike}) > len({other.row for other in best}):
            best = alike
    if len({pulse.row for pulse in best}) < max(0.5 * len(traces), 1):
        return ()
    return tuple(best)


def _candidates(
    row: int, trace: Floats, left: float, px_per_mm: tuple[float, float], cover: Singles
) -> list[Pulse]:
    known = np.isfinite(trace)
    if known.sum() < 20:
        return []
    filled = np.interp(np.arange(len(trace)), np.flatnonzero(known), trace[known])
    across, down = PER_COLUMN * px_per_mm[0], px_per_mm[1]
    end = max(int(END_SHARE * len(trace)), 1)
    pulses = []
    for start, stop in ((0, end), (len(trace) - end, len(trace))):
        for a, b, top, height in _plateaus(filled[start:stop], across, down):
            rise, fall = (
                _fine_side(left + (start + side) / PER_COLUMN, top, height, px_per_mm[0], cover)
                for side in (a, b)
            )
            pulses.append(Pulse(row, rise, fall, height))
    return pulses


def _plateaus(trace: Floats, across: float, down: float) -> list[tuple[float, float, float, float]]:
    """Return rise, fall (samples), top and height (px) of flat stretches with steep sides."""
    found = []
    base = np.quantile(trace, 0.6)  # most of an end lies near zero; up is less
    high = base - trace > HIGH_MM[0] * down
    edges = np.flatnonzero(np.diff(high.astype(np.int8)))
    for rise, fall in pairwise(edges):
        if not high[rise + 1] or not WIDE_MM[0] * across <= fall - rise <= WIDE_MM[1] * across:
            continue
        margin = max(int(0.15 * (fall - rise)), 1)
        top = trace[rise + 1 + margin : fall + 1 - margin]
        reach = int(SHARP_MM * across) + 1
        feet = np.concatenate([trace[max(rise - reach, 0) : rise], trace[fall + 1 : fall + reach]])
        if len(top) < 3 or not len(feet):
            continue
        height = float(np.max(feet) - np.median(top))
        flat = top.std() < max(FLAT * height, 0.5) and HIGH_MM[0] * down <= height
        if not flat or height > HIGH_MM[1] * down:
            continue
        sides = (
            _side(trace, int(rise), -1, reach, height),
            _side(trace, int(fall), 1, reach, height),
        )
        if sides[0] is not None and sides[1] is not None:
            found.append((sides[0], sides[1], float(np.median(top)), height))
    return found


def _fine_side(side: float, top: float, height: float, across: float, cover: Singles) -> float:
    """Return the middle of the ink of a side, px: finer than a trace of two heights a column."""
    # its corners are round, and other ink may touch its foot
    first, last = (round(top + share * height) for share in (0.25, 0.75))
    left = max(round(side - SIDE_MM * across), 0)
    ink = cover[first : last + 1, left : round(side + SIDE_MM * across) + 1].mean(axis=0)
    return left + 0.5 + float(np.average(np.arange(len(ink)), weights=ink + FAINT))


def _side(trace: Floats, at: int, way: int, reach: int, height: float) -> float | None:
    """Return where a side crosses half the height; None where it does not rise steeply."""
    inner = at - way * reach
    inner, outer = sorted((np.clip(inner, 0, len(trace) - 1), np.clip(at + way * reach, 0,
                          len(trace) - 1)))  # fmt: skip
    part = trace[inner : outer + 1]
    top, foot = part.min(), part.max()
    if foot - top < 0.75 * height:
        return None
    middle = (top + foot) / 2
    crossing = np.flatnonzero(np.diff((part < middle).astype(np.int8)))
    if not len(crossing):
        return None
    k = int(crossing[np.argmin(np.abs(inner + crossing - at))])
    share = (middle - part[k]) / (part[k + 1] - part[k])
    # sample s lies at (s + 0.5) / PER_COLUMN px from the left end
    return float(inner + k + share + 0.5)
