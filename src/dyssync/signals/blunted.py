"""Pacing stimuli that a filter has blunted: no step is left of them, but a small wave.

A low-pass of 40 Hz spreads a stimulus over 20 ms, and a bipolar one is hardly higher than noise in
a single beat. In the average beat it is still like nothing else: a wave that leaves the level out
of quiet, comes back to it within 30 ms and rests there before the QRS begins. The first wave of a
QRS, however short and small, goes over into the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import AnyFloats, Floats, Ints
from dyssync.ecg import Signal
from dyssync.signals.kinds import middle_beat, windows
from dyssync.signals.pacing import NO_SPIKE
from dyssync.signals.sliding import max_about

# All in samples at 500 Hz. A stimulus comes so long before the fiducial point of its beat.
REACH = (75, 8)
HALF = 4  # half of its width, over which its bend is measured
QUIET = (30, 9)  # before its top: nothing else bends there
LEVEL = (10, 7)  # before its top: where its level is taken
REST = (4, 15)  # after its top: where it has come back
BEFORE, AFTER = REACH[0] + QUIET[0] + HALF, REST[1] + HALF
# Chosen: how sharp a bend is, of what is before and in mV; how near to its level, of its height,
# and how slow, of its steepest, a stimulus comes to rest. The first wave of the QRS comes to .49
# and .59 in two of 2,184 real recordings without one, else to .85 at least; blunted stimuli of
# virtual hearts to .04 to .35.
SHARP, LEAST_MV, RESTED = 4.0, 0.015, 0.42
# A bend that noise leaves less sharp has to come to rest better: first waves of virtual LBBB and
# RBBB that are 3 to 4 times what is before come to .41 at least, stimuli to .12 to .35.
LESS_SHARP, RESTED_WELL = 3.0, 0.33
LEAST_BEATS, LEAST_SHARE = 3, 0.5  # a beat has it where half of the typical one is there


@dataclass(frozen=True)
class _Shape:
    """A stimulus in the typical beat, samples after the first one of the window."""

    first: int
    last: int


def find_blunted(signal: Signal, beats: Ints) -> tuple[Ints, int]:
    """Return where each beat's stimulus starts, (k,) int64 or NO_SPIKE, and how long it lasts.

    Args:
        signal: (leads, n) mV at 500 Hz.
        beats: (k,) fiducial points, laid on each other; those in which no spike was found.
    """
    none = np.full(len(beats), NO_SPIKE, dtype=np.int64)
    if len(beats) < LEAST_BEATS:
        return none, 0
    cut = windows(signal, beats, BEFORE, AFTER)
    typical = middle_beat(cut).astype(np.float64)
    shape = _stimulus(typical)
    if shape is None:
        return none, 0
    part = slice(shape.first, shape.last + 1)
    wave = _off_its_line(typical[:, part])
    share = (_off_its_line(cut[:, :, part]) * wave).sum(axis=(1, 2)) / np.square(wave).sum()
    starts = beats - BEFORE + shape.first
    shown = (share > LEAST_SHARE) & (starts >= 0)
    return np.where(shown, starts, none), shape.last - shape.first


def bridge(signal: Signal, starts: Ints, length: int) -> Signal:
    """Return `signal` with a straight line over `length` samples from each start."""
    bridged = signal.copy()
    for first in starts[starts >= 0].tolist():
        last = min(first + length, signal.shape[1] - 1)
        bridged[:, first : last + 1] = np.linspace(
            signal[:, first], signal[:, last], last - first + 1, axis=1
        )
    return bridged


def _stimulus(beat: Floats) -> _Shape | None:
    """Return the wave of a typical beat that comes to rest best, if it does."""
    bend, speed = _bend(beat), _rms(np.gradient(beat, axis=1))
    top = bend >= max_about(bend, 7)
    best, found = RESTED, None
    for at in (np.flatnonzero(top[QUIET[0] : BEFORE - REACH[1]]) + QUIET[0]).tolist():
        quiet = bend[at - QUIET[0] : at - QUIET[1]].max()
        if bend[at] < max(LEAST_MV, LESS_SHARP * quiet):
            continue
        level = beat[:, at - LEVEL[0] : at - LEVEL[1]].mean(axis=1, keepdims=True)
        away = _rms(beat - level) / _rms(beat - level)[at - 2 : at + 3].max()
        moving = speed / speed[at - 6 : at + 5].max()
        restless = np.maximum(away, moving)[at + REST[0] : at + REST[1]]
        limit = RESTED if bend[at] >= SHARP * quiet else RESTED_WELL
        if restless.min() < min(best, limit):
            best, last = float(restless.min()), at + REST[0] + int(np.argmin(restless))
            found = _Shape(at - LEVEL[0], last)
    return found


def _bend(beat: Floats) -> Floats:
    """Return how far each sample is from the middle of those on both its sides, RMS, (m,) mV."""
    wide = np.pad(beat, ((0, 0), (HALF, HALF)), mode="edge")
    return _rms(beat - 0.5 * (wide[:, : -2 * HALF] + wide[:, 2 * HALF :]))


def _rms(leads: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(leads).mean(axis=0)))


def _off_its_line(part: AnyFloats) -> Floats:
    """Return a stretch (..., m) less the line from its first sample to its last."""
    ramp = np.linspace(0.0, 1.0, part.shape[-1])
    return np.asarray(part - part[..., :1] * (1 - ramp) - part[..., -1:] * ramp)
