"""The waves inside one lead's QRS: Q, R, S, R', ..., and its notches and slurs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.signals.peaks import find_peaks
from dyssync.signals.sliding import moving_mean

# A deflection below half a small square of the paper is no wave (AHA/ACCF/HRS 2007 part I: 20 uV
# and 6 ms as the least a program should see; 50 uV is what readers name).
WAVE_MV = 0.05
# Slurs. The literature asks for visible ones, and notes that no definition is agreed upon
# (Martin-Yebra 2019, 10.1371/journal.pone.0212971); these are chosen, as shares of the steepest
# slope of the lead's QRS, so that a filter, which blunts all slopes, changes little.
SLUR_DIP = 0.2  # by which the slope falls off and recovers
SLUR_FLANKS = 0.25  # both sides are at least this steep, else it is the QRS's own beginning or end
LEAST_SLUR_MV = 0.005  # mV in 2 ms: 0.05 mV, half a millimetre on paper, in 20 ms


@dataclass(frozen=True)
class Wave:
    """One deflection of a QRS; samples count from the QRS onset.

    Attributes:
        name: Q, R, S, R', S', ...; QS when nothing is positive.
        amplitude: signed, mV.
        start: first sample.
        peak: sample of the largest deflection; of the last peak when the wave is notched.
        end: first sample after the wave.
    """

    name: str
    amplitude: float
    start: int
    peak: int
    end: int


@dataclass(frozen=True)
class Notches:
    """Notches and slurs of one lead's QRS, samples from the QRS onset.

    Attributes:
        notches: (first peak, nadir, second peak) of each local reversal of slope within a wave.
        slurs: middle of each stretch of gentler slope within a limb.
    """

    notches: tuple[tuple[int, int, int], ...]
    slurs: tuple[int, ...]


def qrs_waves(qrs: Floats) -> tuple[Wave, ...]:
    """Return the waves of one lead of at least :data:`WAVE_MV`, in order.

    Args:
        qrs: (m,) mV from QRS onset to end, 0 at the level before the onset.

    >>> [w.name for w in qrs_waves(np.array([0, -0.1, 0, 0.8, 0.1, -0.3, 0]))]
    ['Q', 'R', 'S']
    """
    deflections = _deflections(qrs)
    names = _names([bool(qrs[peak] > 0) for _, peak, _ in deflections])
    return tuple(
        Wave(name, float(qrs[peak]), start, _last_peak(qrs, start, peak, end), end)
        for name, (start, peak, end) in zip(names, deflections, strict=True)
    )


def _deflections(qrs: Floats) -> list[tuple[int, int, int]]:
    """Start, peak and end of each stretch of one sign that is large enough."""
    edges = [0, *(np.flatnonzero(np.diff(qrs > 0)) + 1).tolist(), len(qrs)]
    found: list[tuple[int, int, int]] = []
    for start, end in itertools.pairwise(edges):
        peak = start + int(np.argmax(np.abs(qrs[start:end])))
        if abs(qrs[peak]) < WAVE_MV:
            continue
        if found and (qrs[found[-1][1]] > 0) == (qrs[peak] > 0):
            # two of one sign with next to nothing between them are one wave
            first, before, _ = found.pop()
            found.append((first, max(before, peak, key=lambda at: abs(qrs[at])), end))
        else:
            found.append((start, peak, end))
    # a last deflection that does not come back before the QRS ends is the ST segment
    if len(found) > 1 and abs(qrs[found[-1][1]]) - abs(qrs[-1]) < WAVE_MV:
        found.pop()
    return found


def _last_peak(qrs: Floats, start: int, peak: int, end: int) -> int:
    """Last local maximum of the deflection that reaches 80 % of it (notched R: the later peak)."""
    size = np.abs(qrs[start:end])
    tops = np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] > size[2:])) + 1
    high = tops[size[tops] > 0.8 * abs(qrs[peak])]
    return start + int(high[-1]) if len(high) else peak


def _names(positive: list[bool]) -> list[str]:
    if positive and not any(positive):
        return ["QS", *("S" + "'" * k for k in range(1, len(positive)))]
    names = []
    n_r = n_s = 0
    for is_positive in positive:
        if is_positive:
            names.append("R" + "'" * n_r)
            n_r += 1
        elif n_r == 0:
            names.append("Q")
        else:
            names.append("S" + "'" * n_s)
            n_s += 1
    return names


def qrs_notches(qrs: Floats, depth_mv: float) -> Notches:
    """Return the notches and slurs of one lead.

    Args:
        qrs: (m,) mV at 500 Hz from QRS onset to end.
        depth_mv: least depth of a notch below the lower of its two peaks.
    """
    found = []
    for sign in (1.0, -1.0):
        size = sign * qrs
        nadirs = find_peaks(-size, prominence=depth_mv)
        for nadir in nadirs.tolist():
            if size[nadir] > 0:
                first = int(np.argmax(size[:nadir]))
                second = nadir + int(np.argmax(size[nadir:]))
                found.append(
                    (_near_peak(size, nadir, -1, first), nadir, _near_peak(size, nadir, 1, second))
                )
    return Notches(tuple(sorted(found)), _slurs(qrs))


def _near_peak(size: Floats, nadir: int, step: int, farthest: int) -> int:
    """Climb from the nadir to the nearest peak."""
    at = nadir
    while at != farthest and size[at + step] >= size[at]:
        at += step
    return at


def _slurs(qrs: Floats) -> tuple[int, ...]:
    """Return where the slope of a limb falls off and recovers: the middle of each slur.

    A limb that a slur interrupts has two steepest places with a gentler one between them; where the
    gentler one turns round it is a notch, too shallow to count as one by its depth.
    """
    slope = moving_mean(np.gradient(qrs), 5)
    limit = float(np.abs(slope).max())
    least = max(SLUR_DIP * limit, LEAST_SLUR_MV)
    found: list[int] = []
    for limb in (slope, -slope):
        for dip in find_peaks(-limb, prominence=least).tolist():
            flanks = min(limb[:dip].max(initial=0.0), limb[dip + 1 :].max(initial=0.0))
            if flanks > SLUR_FLANKS * limit and limb[dip] > -SLUR_FLANKS * limit:
                found.append(dip)
    return tuple(sorted(found))
