"""Pacing spikes: find them beat by beat and take them out before anything is measured.

A spike is a step out of quiet: within one sample the signal moves several times faster than in the
30 ms before. A QRS, however steep, takes 10 ms and more to get going.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dyssync.arrays import Bools, Floats, Ints
from dyssync.ecg import Signal
from dyssync.signals.sliding import max_about, moving_max

# Steps are those of one sample at 500 Hz, 2 ms.
STRONG_STEP = 0.15  # mV in 2 ms over all leads (RMS); no QRS starts like this
WEAK_STEP = 0.04  # mV; enough once other beats have shown where the spike is
QUIET_RATIO = 5.0  # step against the fastest move of the 6-36 ms before
# Weak steps alone are spikes where most beats have one at the same time (within 4 ms), so long
# before the fiducial point (samples) that hardly a QRS starts there, and where the movement is
# largely gone after 8 ms: of 2,000 recordings without a pacemaker none has it in half of the beats.
COMMON_FROM, COMMON_SHARE, COMMON_LEAST, GONE = 30, 0.6, 3, 0.5
# Samples before the fiducial point in which a spike can be: a paced QRS takes 40 ms and more to its
# peak, a sharp narrow QRS starts later than that.
REACH = (85, 20)
LONGEST = 15  # samples; pulse and its exponential decay
# The pulse goes on while it moves by this share of its first step, and faster than a QRS that
# starts in muscle (mV in 2 ms); at its top it stands still for no longer than this (samples).
STILL_FAST, FASTER_THAN_ONSET, TOP = 0.1, 0.06, 2
# A pulse that a low-pass has spread sets in with this share of its first step, so many samples
# before it at most: what is left of that looks like the start of the QRS.
EARLY, EARLIEST = 0.03, 6
IMPULSE_WINDOW, IMPULSE_LENGTH = 50, 5  # samples
IMPULSE_SHARE = 0.85
# A pulse of a pacemaker anywhere before a beat, whether or not it paced that one: far more sudden
# than an artefact of one electrode, in two leads of three, at most 0.3 s before the fiducial point
# (AV delays end there). Chosen; the pulses of ten paced recordings rise 10 to 300 times faster than
# what was before, of 700 others not one has two.
PULSE_RATIO, PULSE_LEADS, PULSE_MV = 10.0, 2.0 / 3.0, 0.1
PULSE_REACH = (150, 4)  # samples

NO_SPIKE = -1


@dataclass(frozen=True)
class Spikes:
    """Pacing spikes of a recording.

    Attributes:
        before: (k,) int64, sample at which the spike that paces each beat starts, or NO_SPIKE.
        pulses: (k,) bool, a pulse comes up to 0.3 s before the beat, whether it paced it or not.
    """

    before: Ints
    pulses: Bools


def find_spikes(signal: Signal, beats: Ints) -> Ints:
    """Return the sample at which each beat's pacing spike starts, or NO_SPIKE; (k,) int64.

    Args:
        signal: (leads, n) mV at 500 Hz.
        beats: (k,) fiducial points.
    """
    step, sudden = _sudden(signal, QUIET_RATIO)
    sudden &= step > WEAK_STEP
    spikes = np.full(len(beats), NO_SPIKE, dtype=np.int64)
    for k, beat in enumerate(beats.tolist()):
        start = max(0, beat - REACH[0])
        part = slice(start, max(start, beat - REACH[1]))
        strong = np.flatnonzero(sudden[part] & (step[part] > STRONG_STEP))
        if len(strong):
            spikes[k] = start + strong[0]
    lag: int | None
    if np.count_nonzero(spikes >= 0) >= 2:
        lag = int(np.median((beats - spikes)[spikes >= 0]))
    else:  # one jump is an artefact
        spikes[:] = NO_SPIKE
        lag = _common_lag(sudden & _passes(step), beats)
    if lag is None:
        return spikes
    for k in np.flatnonzero(spikes < 0).tolist():
        first = max(0, int(beats[k]) - lag - 4)
        weak = first + np.flatnonzero(sudden[first : first + 9])
        if len(weak):
            spikes[k] = weak[np.argmax(step[weak])]
    return spikes


def _passes(step: Floats) -> Bools:
    """Return where a step is over 8 to 16 ms later; a QRS that starts goes on."""
    later = np.zeros_like(step)
    later[:-8] = max_about(step, 5)[6:-2]
    here = max_about(step, 3)
    return np.asarray(later < GONE * here)


def _common_lag(sudden: Bools, beats: Ints) -> int | None:
    """Return how far before most beats something weak but sudden comes, in samples, or None."""
    padded = np.concatenate([np.zeros(REACH[0], dtype=bool), sudden])
    before = padded[beats[:, None] + np.arange(REACH[0] - COMMON_FROM)]
    near = sliding_window_view(np.pad(before, ((0, 0), (2, 2))), 5, axis=1).any(axis=2)
    votes = near.sum(axis=0)
    if not len(beats) or votes.max() < max(COMMON_LEAST, COMMON_SHARE * len(beats)):
        return None
    return REACH[0] - int(np.argmax(votes))


def find_pulses(signal: Signal, beats: Ints) -> Bools:
    """Return whether a pulse of a pacemaker comes before each beat, (k,).

    Args:
        signal: (leads, n) mV at 500 Hz.
        beats: (k,) fiducial points.
    """
    step, sudden = _sudden(signal, PULSE_RATIO)
    found = np.flatnonzero(sudden & (step > STRONG_STEP))
    found = found[found < signal.shape[1] - 4]
    first = signal[:, np.maximum(found - 2, 0)]
    moved = np.max([np.abs(signal[:, found + k] - first) for k in range(4)], axis=0)
    found = found[(moved > PULSE_MV).mean(axis=0) >= PULSE_LEADS]
    after = beats[:, None] - found
    return np.asarray(((after >= PULSE_REACH[1]) & (after <= PULSE_REACH[0])).any(axis=1))


def _sudden(signal: Signal, ratio: float) -> tuple[Floats, Bools]:
    """Return each sample's step, and whether it is `ratio` times what was 6 to 36 ms before."""
    step = _step(signal)
    before = np.full_like(step, np.inf)
    before[3:] = moving_max(np.pad(step, (14, 0), mode="symmetric"), 15)[:-3]
    return step, step > ratio * before


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
            first = int(np.argmax(short > IMPULSE_SHARE * part.sum()))
            moves = part[first : first + IMPULSE_LENGTH]
            found[k] = start + first + int(np.argmax(moves > 0.1 * moves.max()))
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
        end = _spike_end(step[spike : spike + LONGEST + 1])
        first = _spike_start(step, int(spike))
        last = min(signal.shape[1] - 1, int(spike) + end)
        bridged[:, first : last + 1] = np.linspace(
            signal[:, first], signal[:, last], last - first + 1, axis=1
        )
    return bridged


def _spike_start(step: Floats, spike: int) -> int:
    """Return the last sample before a spike that lies still: a low-pass lets it set in early."""
    first = max(0, spike - 2)
    quiet = float(step[max(0, spike - 18) : max(1, spike - 6)].max())
    limit = max(EARLY * float(step[spike : spike + 3].max()), 1.5 * quiet)
    while first > max(0, spike - EARLIEST) and step[first] > limit:
        first -= 1
    return first


def _spike_end(step: Floats) -> int:
    """Return the sample at which a spike that starts at sample 0 has decayed."""
    peak = float(step[:3].max())
    # a low pulse moves no faster than the QRS that it may run into
    large = step > 0.5 * peak
    large[TOP + 2 :] &= step[TOP + 2 :] > FASTER_THAN_ONSET
    end = int(np.flatnonzero(large)[-1]) + 1
    # a pulse that goes up and comes back stands still at its top
    fast = step > max(STILL_FAST * peak, FASTER_THAN_ONSET)
    while fast[end : end + TOP].any():
        end += int(np.flatnonzero(fast[end : end + TOP])[-1]) + 1
    while end + 1 < len(step) and 0.03 * peak < step[end] > step[end + 1]:
        end += 1
    return end


def _step(signal: Signal) -> Floats:
    """Return the step to each sample, RMS over the leads that move at all, (n,) mV."""
    change = np.diff(signal, axis=1, prepend=signal[:, :1])
    moving = change.any(axis=1)
    change = change[moving] if moving.any() else change
    return np.asarray(np.sqrt(np.square(change).mean(axis=0, dtype=np.float64)))
