"""The rest between T and the next P, where a fast heart still has one.

At 60 a minute a quarter of a second lies between T and P. The faster the heart, the shorter it
gets, until P stands on T: then no ECG says where one ends and the other begins. Here the rest is
looked for as a place in space where all leads together stay for a while, with a wave on either
side that leaves for elsewhere and comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import AnyFloats, Floats
from dyssync.signals.bounds import FS
from dyssync.signals.filtering import bandpass

BAND = 15.0  # Hz; the highest at which P still has its shape
BEFORE_P = (150, 30)  # samples before the next QRS in which P can start: 0.30-0.06 s
LEAST_T = 20  # samples from the QRS to the end of T
# Chosen, all of the lower of the two waves: how near is still at the same place, how fast is still
# at rest (a sample), and how low a wave of noise is, mV (RMS of the leads).
NEAR, SLOW, LEAST_MV = 0.15, 0.03, 0.015
# A raised cosine hardly moves for 10 ms at its foot: two that touch rest for 20 ms, two that
# overlap by 20 ms for 10 at most. Where they touch, P seems to begin 12 ms late and more; with
# 10 ms between them it does no more.
LEAST_REST, FULL_REST = 10, 15  # samples

# What is left of T at its end, but a tenth of a millimetre on paper at least (chosen): the level
# drifts by less.
LEFT, LEFT_MV = 0.05, 0.01


@dataclass(frozen=True)
class Rest:
    """First and last sample of the beat in which it rests between T and the next P."""

    first: int
    last: int

    @property
    def full(self) -> bool:
        """Whether it is long enough to tell where P begins."""
        return self.last - self.first + 1 >= FULL_REST


def rest_before_p(beat: AnyFloats, qrs_off: float, next_on: float) -> Rest | None:
    """Return the rest between T and the next P; None where the two cannot be told apart.

    Args:
        beat: (leads, m) mV at 500 Hz; it reaches to the next QRS.
        qrs_off: sample of the end of the QRS.
        next_on: sample of the onset of the next QRS.
    """
    # 12 ms on either side: what is left of QRS or spike is no T and no P
    start, stop = int(qrs_off) + 6, min(int(next_on) - 6, beat.shape[1])
    low = max(LEAST_T, int(next_on) - BEFORE_P[0] - start)
    high = int(next_on) - BEFORE_P[1] - start
    if low >= high or high >= stop - start:
        return None
    path = bandpass(beat[:, start:stop], FS, None, BAND).astype(np.float64)
    speed = np.sqrt(np.square(np.gradient(path, axis=1)).mean(axis=0))
    waves = np.zeros(path.shape[1])
    from_end = np.sqrt(np.square(path - path[:, -1:]).mean(axis=0))
    for at in range(low, high, 2):
        before = max(_excursion(path[:, : at + 1]), _fall(path, at))
        wave = min(before, _excursion(path[:, at:]))
        # at the top of T all leads turn round, too, but there every way leads down
        if from_end[at:].max() - from_end[at] > NEAR * wave:
            waves[at] = wave
    middle = low + int(np.argmax((waves - 10 * speed)[low:high]))
    wave = float(waves[middle])
    away = np.sqrt(np.square(path - path[:, [middle]]).mean(axis=0))
    elsewhere = np.flatnonzero(away >= NEAR * wave)
    first = int(elsewhere[elsewhere < middle].max(initial=-1)) + 1
    last = int(elsewhere[elsewhere > middle].min(initial=len(away))) - 1
    if wave < LEAST_MV or speed[middle] > SLOW * wave or last - first + 1 < LEAST_REST:
        return None
    return Rest(start + first, start + last)


def t_fallen(rest: Rest, beat: AnyFloats, t_peak: float) -> int:
    """Return the first sample from which T is as low as at its end until the heart is at rest.

    Args:
        rest: between T and the next P.
        beat: (leads, m) mV at 500 Hz.
        t_peak: sample of the peak of T.
    """
    start = min(int(t_peak), rest.first)
    path = bandpass(beat, FS, None, BAND)[:, start : rest.last + 1].astype(np.float64)
    speed = np.sqrt(np.square(np.gradient(path, axis=1)).mean(axis=0))
    stillest = rest.first - start + int(np.argmin(speed[rest.first - start :]))
    away = np.sqrt(np.square(path - path[:, [stillest]]).mean(axis=0))[: stillest + 1]
    left = max(LEFT * float(away.max()), LEFT_MV)
    return start + int(np.flatnonzero(away > left).max(initial=-1)) + 1


def _excursion(path: Floats) -> float:
    """How far a stretch leaves the straight way from its first place to its last, mV (RMS)."""
    away = path - path[:, :1]
    way = away[:, -1]
    share = np.clip(way @ away / max(float(way @ way), 1e-12), 0.0, 1.0)
    off = away - way[:, None] * share
    return float(np.sqrt(np.square(off).mean(axis=0).max()))


def _fall(path: Floats, at: int) -> float:
    """How much farther the path was from a place than that is from the end, mV (RMS).

    A T that the QRS runs into has no way up: it only falls, to where the heart still is before the
    next QRS.
    """
    apart = np.sqrt(np.square(path - path[:, [at]]).mean(axis=0))
    return float(apart[:at].max() - apart[-1])
