"""Where the waves of each beat begin and end: globally, and in every lead.

Beats of one shape are averaged before they are delineated, so that noise is down by the root of
their number when it matters; the marks are then carried back to each beat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dyssync.arrays import AnyFloats, Bools, Floats, Ints, Singles
from dyssync.ecg import Signal
from dyssync.errors import InputError
from dyssync.signals.beat_marks import Pace, Waves, waves_of
from dyssync.signals.beats import NO_BEAT, MedianBeat, detect_beats
from dyssync.signals.blunted import bridge, find_blunted
from dyssync.signals.bounds import FS
from dyssync.signals.filtering import bandpass, mains_frequency, remove_mains, resample
from dyssync.signals.kinds import (
    align_beats,
    beat_kinds,
    middle_beat,
    windows,
)
from dyssync.signals.pacing import (
    NO_SPIKE,
    REACH,
    Spikes,
    find_impulses,
    find_pulses,
    find_spikes,
    remove_spikes,
)

MARKS = ("p_on", "p_off", "qrs_on", "qrs_off", "t_peak", "t_off")
BEFORE, AFTER = 225, 350  # samples at 500 Hz of a beat that are looked at
BLOCK = 16  # beats averaged at most: in long records shape and heart rate drift
WANDER = 0.5  # Hz
# SD of RR over its mean from which no P can be expected at one time after each beat; sinus rhythm
# has 0.03 to 0.06 at rest and less when fast, atrial fibrillation 0.15 to 0.25.
IRREGULAR = 0.1
PASSES = 3  # in which spikes are taken out that had been taken for beats
FEW = 3  # beats; what follows fewer tells nothing of a rhythm


@dataclass(frozen=True)
class Delineation:
    """The marks of every beat of a recording, in samples of the recording (NaN: no such wave).

    Attributes:
        fs: Hz.
        beats: (k,) int64, fiducial points.
        kinds: (k,) int64, 0 for the most frequent shape.
        paced: (k,) bool, a pacing spike precedes the QRS.
        pulses: (k,) bool, a pacemaker's pulse comes up to 0.3 s before the beat.
        marks: mark name (:data:`MARKS`) to (k,) float64, all leads together.
        lead_marks: mark name to (leads, k) float64.
    """

    fs: float
    beats: Ints
    kinds: Ints
    paced: Bools
    pulses: Bools
    marks: dict[str, AnyFloats]
    lead_marks: dict[str, AnyFloats]


@dataclass(frozen=True)
class BeatMarks:
    """Boundaries of one beat, samples of the beat's own time; None where there is no such wave.

    Attributes:
        qrs_on: global, like the five that follow.
        leads: mark name (:data:`MARKS`) to (leads,) float64.
        merged: P stands on T, or may, so that neither P nor the end of T is known.
        close: P follows T so closely that its onset is a guess.
        low: P is so low that its onset is a guess.
        blurred: P follows T so closely, or is so high, that the end of T is a guess.
    """

    qrs_on: int
    qrs_off: int
    p_on: int | None = None
    p_off: int | None = None
    t_peak: int | None = None
    t_off: int | None = None
    leads: dict[str, AnyFloats] = field(default_factory=dict)
    merged: bool = False
    close: bool = False
    low: bool = False
    blurred: bool = False


@dataclass(frozen=True)
class TypicalBeat:
    """The most frequent beat of a recording with its marks, at 500 Hz, free of mains and spikes.

    Attributes:
        beat: signal (leads, m) float32 mV.
        marks: of the beat.
        noise: (leads,) float64, mV: typical distance of single beats from the beat.
        recording: marks of all beats.
    """

    beat: MedianBeat
    marks: BeatMarks
    noise: AnyFloats
    recording: Delineation


def delineate(signal: npt.ArrayLike, fs: float) -> Delineation:
    """Return the marks of all beats.

    Args:
        signal: (leads, n) mV; 12 leads or any other number.
        fs: Hz.

    Returns:
        No beats (k = 0) where none can be found.
    """
    values = np.atleast_2d(np.asarray(signal, dtype=np.float32))
    return _delineate(*prepare(values, fs), fs)[0]


def typical_beat(signal: npt.ArrayLike, fs: float) -> TypicalBeat:
    """Return the most frequent beat and its marks.

    For whatever is marked or measured: at 500 Hz, mains and pacing spikes taken out before. With
    waves and baseline named it is a :class:`dyssync.measurements.heartbeat.Heartbeat`; for pictures
    and waveform features there is :func:`dyssync.signals.beats.median_beat`.

    Args:
        signal: (leads, n) mV.
        fs: Hz.

    Raises:
        InputError: no beat was found.
    """
    values = np.atleast_2d(np.asarray(signal, dtype=np.float32))
    steady, beats, spikes = prepare(values, fs)
    if not len(beats):
        raise InputError(NO_BEAT)
    recording, first_block, found = _delineate(steady, beats, spikes, fs)
    rr = float(np.median(np.diff(beats)) / FS) if len(beats) > 1 else float("nan")
    template = middle_beat(first_block)
    noise = 1.2533 * np.abs(first_block - template).mean(axis=(0, 2))  # SD if it is Gaussian
    return TypicalBeat(
        MedianBeat(template, FS, BEFORE, len(first_block), rr),
        _beat_marks(found),
        np.asarray(noise, dtype=np.float64),
        recording,
    )


def _delineate(
    steady: Signal, beats: Ints, spikes: Spikes, fs: float
) -> tuple[Delineation, Signal, Waves]:
    """Marks of all beats; the windows and the marks of a block of the most frequent kind."""
    kinds = beat_kinds(steady, beats, FS, spikes.before >= 0) if len(beats) else beats
    marks = {name: np.full(len(beats), np.nan) for name in MARKS}
    lead_marks = {name: np.full((len(steady), len(beats)), np.nan) for name in MARKS}
    first_block: Singles = np.empty((0, *steady.shape), dtype=np.float32)
    first: Waves | None = None
    for members, pace in _blocks(beats, kinds):
        cut = windows(steady, beats[members], BEFORE, AFTER)
        waves = waves_of(cut, BEFORE, pace)
        if first is None:
            first_block, first = cut, waves
        for name, (mark, lead) in waves.found.items():
            marks[name][members] = beats[members] + mark
            lead_marks[name][:, members] = beats[members] + lead[:, None]
    _drop_outside(marks, lead_marks, steady.shape[1])
    scale = fs / FS
    recording = Delineation(
        fs,
        np.round(beats * scale).astype(np.int64),
        kinds,
        spikes.before >= 0,
        spikes.pulses,
        {name: mark * scale for name, mark in marks.items()},
        {name: mark * scale for name, mark in lead_marks.items()},
    )
    return recording, first_block, first or Waves({})


def prepare(values: Signal, fs: float) -> tuple[Signal, Ints, Spikes]:
    """Return the signal at 500 Hz without mains, spikes and wander; its beats; their spikes."""
    clean = resample(values, fs, FS)
    line = mains_frequency(clean, FS)
    if line is not None:
        clean = remove_mains(clean, FS, line)
    recorded = clean
    beats = detect_beats(clean, FS)
    impulses = found = find_impulses(clean, beats)
    for _ in range(PASSES):
        if not (found >= 0).any():
            break
        # spikes were taken for beats: without them the beats they pace can be seen, if any; and
        # more spikes, where the first ones had hidden them
        clean = remove_spikes(clean, found)
        beats = detect_beats(clean, FS)
        found = find_impulses(clean, beats)
        impulses = np.concatenate([impulses, found])
    beats = beats[found < 0]
    # not every spike is as large as the beat that it paces
    left = find_spikes(clean, beats)
    taken = _spikes_before(beats, np.unique(impulses[impulses >= 0]))
    spikes = Spikes(np.where(left >= 0, left, taken), find_pulses(recorded, beats))
    if not len(beats):
        return clean, beats, spikes
    steady = bandpass(remove_spikes(clean, left), FS, WANDER, None, order=1)
    return _without_blunted(steady, align_beats(steady, beats, FS), spikes)


def _without_blunted(steady: Signal, beats: Ints, spikes: Spikes) -> tuple[Signal, Ints, Spikes]:
    """Find the stimuli that are no spikes any more, and take them out, too."""
    plain = spikes.before < 0
    starts, length = find_blunted(steady, beats[plain])
    if not (starts >= 0).any():
        return steady, beats, spikes
    before = spikes.before.copy()
    before[plain] = starts
    return bridge(steady, starts, length), beats, Spikes(before, spikes.pulses)


def _spikes_before(beats: Ints, impulses: Ints) -> Ints:
    """Return for each beat the impulse in the 170 ms before it, or NO_SPIKE."""
    if not len(impulses):
        return np.full(len(beats), NO_SPIKE, dtype=np.int64)
    last = np.searchsorted(impulses, beats, side="right") - 1
    nearest = np.where(last >= 0, impulses[np.maximum(last, 0)], NO_SPIKE)
    return np.where((nearest >= 0) & (beats - nearest <= REACH[0]), nearest, NO_SPIKE)


def _beat_marks(waves: Waves) -> BeatMarks:
    """Return marks relative to the fiducial point as samples of the typical beat."""
    whole = {name: round(mark) + BEFORE for name, (mark, _) in waves.found.items()}
    return BeatMarks(
        whole["qrs_on"],
        whole["qrs_off"],
        whole.get("p_on"),
        whole.get("p_off"),
        whole.get("t_peak"),
        whole.get("t_off"),
        leads={name: lead + BEFORE for name, (_, lead) in waves.found.items()},
        merged=waves.merged,
        close=waves.close,
        low=waves.low,
        blurred=waves.blurred,
    )


def _blocks(beats: Ints, kinds: Ints) -> Iterator[tuple[Ints, Pace]]:
    """Yield the beats to average, and when the beat after them comes."""
    following = np.diff(beats, append=2 * beats[-1:] - beats[-2:-1]) / FS
    if len(beats) == 1:
        following = np.array([1.0])
    for kind in range(int(kinds.max(initial=-1)) + 1):
        members = np.flatnonzero(kinds == kind)
        for block in np.array_split(members, -(-len(members) // BLOCK)):
            yield block, _pace(following[block])


def _pace(following: Floats) -> Pace:
    """Return the pace of beats that are followed after so many s."""
    rr, soonest = float(np.median(following)), float(np.percentile(following, 25))
    spread = 1.4826 * float(np.median(np.abs(following - rr)))  # SD if it is Gaussian
    return Pace(rr, soonest, len(following) >= FEW and spread < IRREGULAR * rr)


def _drop_outside(marks: dict[str, AnyFloats], lead_marks: dict[str, AnyFloats], n: int) -> None:
    """Forget waves that begin before the record or end after it."""
    for pair in (("p_on", "p_off"), ("qrs_on", "qrs_off"), ("t_peak", "t_off")):
        outside = (marks[pair[0]] < 0) | (marks[pair[1]] > n - 1)
        for name in pair:
            marks[name][outside] = np.nan
            lead_marks[name][:, outside] = np.nan
