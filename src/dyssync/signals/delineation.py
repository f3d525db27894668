"""Where the waves of each beat begin and end: globally, and in every lead.

Beats of one shape are averaged before they are delineated, so that noise is down by the root of
their number when it matters; the marks are then carried back to each beat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dyssync.arrays import AnyFloats, Bools, Ints, Singles
from dyssync.ecg import Signal
from dyssync.errors import InputError
from dyssync.signals.beats import NO_BEAT, MedianBeat, detect_beats
from dyssync.signals.bounds import FS, p_bounds, qrs_bounds, t_bounds
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

# mark name to its sample in all leads together, and in each lead: (leads,)
Found: TypeAlias = dict[str, tuple[float, AnyFloats]]

MARKS = ("p_on", "p_off", "qrs_on", "qrs_off", "t_peak", "t_off")
BEFORE, AFTER = 225, 350  # samples at 500 Hz of a beat that are looked at
BLOCK = 16  # beats averaged at most: in long records shape and heart rate drift
WANDER = 0.5  # Hz
# Correlation of the P segment of a beat with that of the others, lower quartile over the beats: 0.6
# and more in sinus rhythm, 0.1 in atrial fibrillation.
P_REPEATS = 0.35
# A lead has marks of P where its P is higher than half the least that a program should see (20 uV:
# AHA/ACCF/HRS 2007, part I) and than half the typical distance of single beats from the average.
LEAST_P_MV, LEAST_P_NOISE = 0.01, 0.5


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
    """

    qrs_on: int
    qrs_off: int
    p_on: int | None = None
    p_off: int | None = None
    t_peak: int | None = None
    t_off: int | None = None
    leads: dict[str, AnyFloats] = field(default_factory=dict)


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
) -> tuple[Delineation, Signal, Found]:
    """Marks of all beats; the windows and the marks of a block of the most frequent kind."""
    kinds = beat_kinds(steady, beats, FS, spikes.before >= 0) if len(beats) else beats
    marks = {name: np.full(len(beats), np.nan) for name in MARKS}
    lead_marks = {name: np.full((len(steady), len(beats)), np.nan) for name in MARKS}
    first_block: Singles = np.empty((0, *steady.shape), dtype=np.float32)
    first_found: Found = {}
    for members, rr in _blocks(beats, kinds):
        cut = windows(steady, beats[members], BEFORE, AFTER)
        found = _template_marks(cut, rr)
        if not first_found:
            first_block, first_found = cut, found
        for name, (mark, lead) in found.items():
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
    return recording, first_block, first_found


def prepare(values: Signal, fs: float) -> tuple[Signal, Ints, Spikes]:
    """Return the signal at 500 Hz without mains, spikes and wander; its beats; their spikes."""
    clean = resample(values, fs, FS)
    line = mains_frequency(clean, FS)
    if line is not None:
        clean = remove_mains(clean, FS, line)
    recorded = clean
    beats = detect_beats(clean, FS)
    impulses = find_impulses(clean, beats)
    if (impulses >= 0).any():
        # spikes were taken for beats: without them the beats they pace can be seen, if any
        clean = remove_spikes(clean, impulses)
        beats = detect_beats(clean, FS)
        beats = beats[find_impulses(clean, beats) < 0]
    # not every spike is as large as the beat that it paces
    left = before = find_spikes(clean, beats)
    if (impulses >= 0).any():
        taken = _spikes_before(beats, impulses[impulses >= 0])
        before = np.where(left >= 0, left, taken)
    spikes = Spikes(before, find_pulses(recorded, beats))
    if not len(beats):
        return clean, beats, spikes
    steady = bandpass(remove_spikes(clean, left), FS, WANDER, None, order=1)
    return steady, align_beats(steady, beats, FS), spikes


def _spikes_before(beats: Ints, impulses: Ints) -> Ints:
    """Return for each beat the impulse in the 170 ms before it, or NO_SPIKE."""
    last = np.searchsorted(impulses, beats, side="right") - 1
    nearest = np.where(last >= 0, impulses[np.maximum(last, 0)], NO_SPIKE)
    return np.where((nearest >= 0) & (beats - nearest <= REACH[0]), nearest, NO_SPIKE)


def _beat_marks(found: Found) -> BeatMarks:
    """Return marks relative to the fiducial point as samples of the typical beat."""
    whole = {name: round(mark) + BEFORE for name, (mark, _) in found.items()}
    return BeatMarks(
        whole["qrs_on"],
        whole["qrs_off"],
        whole.get("p_on"),
        whole.get("p_off"),
        whole.get("t_peak"),
        whole.get("t_off"),
        leads={name: lead + BEFORE for name, (_, lead) in found.items()},
    )


def _blocks(beats: Ints, kinds: Ints) -> Iterator[tuple[Ints, float]]:
    """Yield the beats to average, and the typical time to the beat after them, s."""
    following = np.diff(beats, append=2 * beats[-1:] - beats[-2:-1]) / FS
    if len(beats) == 1:
        following = np.array([1.0])
    for kind in range(int(kinds.max(initial=-1)) + 1):
        members = np.flatnonzero(kinds == kind)
        for block in np.array_split(members, -(-len(members) // BLOCK)):
            yield block, float(np.median(following[block]))


def _template_marks(cut: Singles, rr: float) -> Found:
    """Marks of one kind of beat relative to its fiducial point: global, and (leads,)."""
    template = middle_beat(cut)
    found = _bounds(template, BEFORE, rr)
    if "p_on" in found:
        on, off = found["p_on"][0], found["p_off"][0]
        if _p_repeats(cut, on, off):
            shown = _shows_p(cut, template, on, off)
            for name in ("p_on", "p_off"):
                found[name] = (found[name][0], np.where(shown, found[name][1], np.nan))
        else:
            del found["p_on"], found["p_off"]
    return {name: (mark - BEFORE, lead - BEFORE) for name, (mark, lead) in found.items()}


def _bounds(template: Singles, r: int, rr: float) -> Found:
    qrs = qrs_bounds(template, r)
    found: Found = {"qrs_on": (qrs.on, qrs.lead_on), "qrs_off": (qrs.off, qrs.lead_off)}
    t = t_bounds(template, r, qrs.off, rr)
    if t is not None:
        found["t_peak"] = (t.peak, np.full(len(template), float(t.peak)))
        found["t_off"] = (t.off, t.lead_off)
    # A P wave lies after the T wave of the beat before, and after its QRS at least.
    earliest = (qrs.off if t is None else t.off) - rr * FS
    p = p_bounds(template, qrs.on, rr, earliest)
    if p is not None:
        found["p_on"], found["p_off"] = (p.on, p.lead_on), (p.off, p.lead_off)
    return found


def _p_repeats(cut: Singles, on: float, off: float) -> bool:
    """Whether each beat has the P wave of the others (atrial fibrillation has not)."""
    if len(cut) < 3:
        return False
    part = cut[:, :, max(0, int(on) - 15) : int(off) + 10].astype(np.float64)
    part = bandpass(part, FS, None, 25.0).astype(np.float64)
    ramp = np.linspace(0.0, 1.0, part.shape[2])
    part -= part[:, :, :1] * (1 - ramp) + part[:, :, -1:] * ramp
    others = (part.sum(axis=0) - part) / (len(part) - 1)
    match = (part * others).sum(axis=(1, 2))
    size = np.sqrt(np.square(part).sum(axis=(1, 2)) * np.square(others).sum(axis=(1, 2)))
    return float(np.percentile(match / np.maximum(size, 1e-12), 25)) > P_REPEATS


def _shows_p(cut: Singles, template: Singles, on: float, off: float) -> Bools:
    """Whether each lead shows the P wave at all, (leads,): a mark in a flat lead is a guess."""
    part = slice(max(0, int(on) - 8), int(off) + 8)
    wave = bandpass(template[:, part], FS, None, 25.0).astype(np.float64)
    line = np.linspace(wave[:, :4].mean(axis=1), wave[:, -4:].mean(axis=1), wave.shape[1], axis=1)
    size = np.abs(wave - line).max(axis=1)
    noise = np.abs(cut[:, :, part] - template[:, part]).mean(axis=(0, 2))
    return np.asarray((size > LEAST_P_MV) & (size > LEAST_P_NOISE * noise))


def _drop_outside(marks: dict[str, AnyFloats], lead_marks: dict[str, AnyFloats], n: int) -> None:
    """Forget waves that begin before the record or end after it."""
    for pair in (("p_on", "p_off"), ("qrs_on", "qrs_off"), ("t_peak", "t_off")):
        outside = (marks[pair[0]] < 0) | (marks[pair[1]] > n - 1)
        for name in pair:
            marks[name][outside] = np.nan
            lead_marks[name][:, outside] = np.nan
