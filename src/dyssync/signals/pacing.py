"""Pacing spikes: find them beat by beat and take them out before anything is measured.

A spike is a step out of quiet: within one sample the signal moves several times faster than in the
30 ms before. A QRS, however steep, takes 10 ms and more to get going.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.ecg import Signal
from dyssync.signals.sliding import moving_max

# Steps are those of one sample at 500 Hz, 2 ms.
STRONG_STEP = 0.15  # mV in 2 ms over all leads (RMS); no QRS starts like this
WEAK_STEP = 0.04  # mV; enough once other beats have shown where the spike is
QUIET_RATIO = 5.0  # step against the fastest move of the 6-36 ms before
# Samples before the fiducial point in which a spike can be: a paced QRS takes 40 ms and more to its
# peak, a sharp narrow QRS starts later than that.
REACH = (85, 20)
LONGEST = 15  # samples; pulse and its exponential decay
IMPULSE_WINDOW, IMPULSE_LENGTH = 50, 5  # samples
IMPULSE_SHARE = 0.85

NO_SPIKE = -1


def find_spikes(signal: Signal, beats: Ints) -> Ints:
    """Return the sample at which each beat's pacing spike starts, or NO_SPIKE; (k,) int64.

    Args:
        signal: (leads, n) mV at 500 Hz.
        beats: (k,) fiducial points.
    """
    step = _step(signal)
    before = np.full_like(step, np.inf)
    before[3:] = moving_max(np.pad(step, (14, 0), mode="symmetric"), 15)[:-3]
    sudden = (step > WEAK_STEP) & (step > QUIET_RATIO * before)
    spikes = np.full(len(beats), NO_SPIKE, dtype=np.int64)
    for k, beat in enumerate(beats.tolist()):
        start = max(0, beat - REACH[0])
        part = slice(start, max(start, beat - REACH[1]))
        strong = np.flatnonzero(sudden[part] & (step[part] > STRONG_STEP))
        if len(strong):
            spikes[k] = start + strong[0]
    if np.count_nonzero(spikes >= 0) < 2:
        return np.full(len(beats), NO_SPIKE, dtype=np.int64)  # one jump is an artefact
    lag = int(np.median((beats - spikes)[spikes >= 0]))
    for k in np.flatnonzero(spikes < 0).tolist():
        first = max(0, int(beats[k]) - lag - 4)
        weak = first + np.flatnonzero(sudden[first : first + 9])
        if len(weak):
            spikes[k] = weak[np.argmax(step[weak])]
    return spikes


def find_impulses(signal: Signal, beats: Ints) -> Ints:
    """Return where a "beat" is nothing but an impulse: its first sample, or NO_SPIKE; (k,) int64.

    Nearly all of an impulse's movement lies in 10 ms; no QRS is that short.
    """
    energy = np.square(_step(signal))
    found = np.full(len(beats), NO_SPIKE, dtype=np.int64)
    for k, beat in enumerate(beats.tolist()):
        start = max(0, beat - IMPULSE_WINDOW)
        part = energy[start : beat + IMPULSE_WINDOW]
        short = np.convolve(part, np.ones(IMPULSE_LENGTH), "valid")
        if short.max() > IMPULSE_SHARE * part.sum():
            found[k] = start + int(np.argmax(short > IMPULSE_SHARE * part.sum()))
    return found


def remove_spikes(signal: Signal, spikes: Ints) -> Signal:
    """Return `signal` with each spike and its decay bridged by a straight line.

    Args:
        signal: (leads, n) mV at 500 Hz.
        spikes: first samples; NO_SPIKE is passed over.
    """
    step = _step(signal)
    bridged = signal.copy()
    for spike in spikes[spikes >= 0]:
        part = step[spike : spike + LONGEST + 1]
        peak = float(part[:3].max())
        end = int(np.flatnonzero(part > 0.5 * peak)[-1]) + 1
        while end + 1 < len(part) and 0.03 * peak < part[end] > part[end + 1]:
            end += 1
        first = max(0, int(spike) - 2)
        last = min(signal.shape[1] - 1, int(spike) + end)
        bridged[:, first : last + 1] = np.linspace(
            signal[:, first], signal[:, last], last - first + 1, axis=1
        )
    return bridged


def _step(signal: Signal) -> Floats:
    change = np.diff(signal, axis=1, prepend=signal[:, :1])
    return np.asarray(np.sqrt(np.square(change).mean(axis=0, dtype=np.float64)))
