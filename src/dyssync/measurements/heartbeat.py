"""The typical beat as all groups of measurements see it: baseline taken off, waves named."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG, LEAD_INDEX, LIMB_LEADS, Sex
from dyssync.measurements.answers import Answer, at_least, not_known, yes_if
from dyssync.signals.delineation import BeatMarks, TypicalBeat, typical_beat
from dyssync.signals.vectorcardiogram import vectorcardiogram
from dyssync.signals.waves import Notches, Wave, qrs_notches, qrs_waves

BASELINE_MS = (20, 4)  # before the QRS onset: the end of the PR segment, clear of P and QRS
# Notch depth: Das MK et al., Circulation 2006;113:2495-501 only speak of visible notches; 0.05 mV
# is half a millimetre on paper.
NOTCH_MV = 0.05
# What the lost leads may have shown of the QRS that no other does, as the last R of RBBB in V1: in
# 256 real recordings without one or three leads it was 10 ms in 99 of 100.
UNSEEN_MS = 20.0


@dataclass(frozen=True)
class Heartbeat:
    """The typical beat of an ECG at 500 Hz.

    What measurements, the figure of the beat and pages of the typical beat are made of: that of
    :func:`dyssync.signals.delineation.typical_beat`, 0 just before the QRS. Networks see that of
    :func:`dyssync.signals.beats.median_beat`; the recorder's own is
    :class:`dyssync.ecg.RepresentativeBeat`.

    Attributes:
        signal: (12, m) float64, mV; 0 is the level just before the QRS.
        loop: (3, m) float64, mV; Kors vectorcardiogram of `signal`.
        marks: global boundaries; lead marks in `marks.leads`.
        waves: of the QRS of each lead.
        notches: of the QRS of each lead.
        noise: (12,) float64, mV: distance of single beats from the typical one.
        rr: (k,) float64, s: distances of consecutive beats.
        n_beats: beats that were averaged.
        ectopic_share: of all beats, those of another shape.
        paced_share: of the typical beats, those with a pacing spike.
        pulsed: number of beats with a pacemaker's pulse up to 0.3 s before, whatever their shape.
        sex: for criteria that depend on it.
        age: years.
        lost: leads that say nothing of the heart, with the reason ("V6 unusable").
    """

    signal: Floats
    loop: Floats
    marks: BeatMarks
    waves: tuple[tuple[Wave, ...], ...]
    notches: tuple[Notches, ...]
    noise: Floats
    rr: Floats
    n_beats: int
    ectopic_share: float
    paced_share: float
    pulsed: int = 0
    sex: Sex | None = None
    age: float | None = None
    lost: Mapping[str, str] = field(default_factory=dict)

    fs = 500.0

    @property
    def qrs_ms(self) -> float:
        """Global QRS duration, ms."""
        return self.ms(self.marks.qrs_off - self.marks.qrs_on)

    @property
    def qrs(self) -> Floats:
        """QRS of all leads, (12, w) mV."""
        return self.signal[:, self.marks.qrs_on : self.marks.qrs_off + 1]

    def ms(self, samples: float) -> float:
        """Return a number of samples as milliseconds."""
        return samples * 1000.0 / self.fs

    def waves_in(self, lead: str) -> dict[str, Wave]:
        """Return the QRS waves of a lead by name (Q, R, S, R', QS, ...)."""
        return {wave.name: wave for wave in self.waves[LEAD_INDEX[lead]]}

    def height(self, lead: str) -> float:
        """Return the largest R of a lead, mV; 0 where nothing is positive."""
        return max(0.0, *(w.amplitude for w in self.waves[LEAD_INDEX[lead]]), 0.0)

    def depth(self, lead: str) -> float:
        """Return the depth of the deepest S (or QS) of a lead, mV, positive; 0 where none is."""
        negative = [w for w in self.waves[LEAD_INDEX[lead]] if w.name[0] == "S" or w.name == "QS"]
        return max(0.0, *(-w.amplitude for w in negative), 0.0)

    def shows(self, lead: str, is_met: bool) -> Answer:
        """Return what was found in a lead as an answer; not known where the lead is lost."""
        return not_known(self.lost[lead]) if lead in self.lost else yes_if(is_met)

    def qrs_lasts(self, limit_ms: float) -> Answer:
        """Return whether the QRS lasts `limit_ms` at least.

        It begins and ends in the first and last lead that shows it, so that it may be longer than
        seen where leads are lost, but not shorter.
        """
        unseen = unseen_leads(self.lost)
        if unseen and limit_ms - UNSEEN_MS <= self.qrs_ms < limit_ms:
            return not_known(f"QRS duration, seen without {', '.join(unseen)}")
        return at_least(self.qrs_ms, limit_ms, "QRS duration")

    def area(self, rows: Floats, start: int, stop: int) -> Floats:
        """Integrate rows of mV from sample `start` to `stop`; (rows,) uVs (1 mV ms = 1 uVs)."""
        return np.asarray(np.trapezoid(rows[..., start : stop + 1], axis=-1) * self.ms(1.0))


def unseen_leads(lost: Collection[str]) -> tuple[str, ...]:
    """Return the lost leads of which the others show nothing: any two limb leads give all six."""
    limb = [lead for lead in lost if lead in LIMB_LEADS]
    return tuple(x for x in lost if x not in limb or len(LIMB_LEADS) - len(limb) < 2)


def heartbeat(ecg: ECG) -> Heartbeat:
    """Return the typical beat of `ecg`.

    Raises:
        InputError: no beat was found.
    """
    return from_typical_beat(typical_beat(ecg.signal, ecg.fs), ecg.sex, ecg.age)


def from_typical_beat(
    typical: TypicalBeat,
    sex: Sex | None = None,
    age: float | None = None,
    notch_mv: float = NOTCH_MV,
) -> Heartbeat:
    """Take the baseline off and name the waves of each lead.

    Args:
        typical: the beat and its marks.
        sex: for criteria that depend on it.
        age: years.
        notch_mv: least depth of a notch.
    """
    marks = typical.marks
    signal = typical.beat.signal.astype(np.float64)
    before, after = (round(ms * Heartbeat.fs / 1000.0) for ms in BASELINE_MS)
    level = signal[:, marks.qrs_on - before : marks.qrs_on - after].mean(axis=1, keepdims=True)
    signal = signal - level
    qrs = signal[:, marks.qrs_on : marks.qrs_off + 1]
    beats = typical.recording.beats
    return Heartbeat(
        signal=signal,
        loop=vectorcardiogram(signal).astype(np.float64),
        marks=marks,
        waves=tuple(qrs_waves(lead) for lead in qrs),
        notches=tuple(qrs_notches(lead, notch_mv) for lead in qrs),
        noise=np.asarray(typical.noise, dtype=np.float64),
        rr=np.diff(beats) / typical.recording.fs,
        n_beats=typical.beat.n_beats,
        ectopic_share=float(np.mean(typical.recording.kinds > 0)),
        paced_share=float(np.mean(typical.recording.paced[typical.recording.kinds == 0])),
        pulsed=int(typical.recording.pulses.sum()),
        sex=sex,
        age=age,
    )
