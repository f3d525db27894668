"""Measure one ECG: the public entrance of the room."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import ClassVar, cast

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.errors import check_range
from dyssync.keeping import kept
from dyssync.measurements import (
    activation,
    areas,
    axes,
    bundle_branch,
    intervals,
    loops,
    of_pages,
    quality,
    selvester,
)
from dyssync.measurements.answers import UNKNOWN, Answer, not_known
from dyssync.measurements.definitions import Definition
from dyssync.measurements.heartbeat import NOTCH_MV, Heartbeat, from_typical_beat
from dyssync.measurements.paced import ventricular_pacing
from dyssync.measurements.typical import typical_of
from dyssync.signals.beat_marks import LOW_P_MV
from dyssync.signals.beats import NO_BEAT
from dyssync.signals.delineation import TypicalBeat
from dyssync.signals.vectorcardiogram import VCG_LEADS

# A group is a module with DEFINITIONS and measure(beat); a new one is its file and its name here.
GROUPS: tuple[ModuleType, ...] = (
    intervals,
    areas,
    axes,
    activation,
    bundle_branch,
    selvester,
    loops,
    quality,
)
DEFINITIONS: tuple[Definition, ...] = tuple(d for group in GROUPS for d in group.DEFINITIONS)
NAMES = tuple(d.name for d in DEFINITIONS)
UNITS = tuple(d.unit for d in DEFINITIONS)
_NEEDS = {d.name: d.needs for d in DEFINITIONS}
YES_OR_NO = "0/1"
_POSITION = {name: k for k, name in enumerate(NAMES)}

CONTRADICTED = "contradicted"  # by the other limb leads
NOT_SHOWN = "not shown"  # on a page
LEAST_BEATS = 3
NO_P = "no repeating P wave: PR, P duration and P axis are missing"
# Groups with answers
ANSWERING = tuple(g for g in GROUPS if any(d.unit == YES_OR_NO for d in g.DEFINITIONS))
# Samples (6 ms) by which each mark of the QRS may be off where leads are lost: without one or three
# its duration changed by 4 ms and less in 95 of 100 real recordings.
MOVED_BY = 3
TOO_FEW = "fewer than 3 beats of one shape"
# Of the time between beats. Of 2,201 real recordings the QRS of three ventricular tachycardias was
# found to last longer (.74 to 1.1, T taken along), of all others .46 at most.
MOST_OF_RR = 0.7
NO_END = "QRS and T cannot be told apart"
RATE = "heart_rate_bpm"
FEW_BEATS = (
    "signal: {} beat(s) of one shape; at least 3 are needed to tell a beat from an artefact. "
    "Measure a longer recording"
)


@dataclass(frozen=True, eq=False)
class Measurements:
    """Named numbers of one ECG; NaN where a thing is not defined or not known, never 0.

    Attributes:
        values: (k,) float64, read-only.
        cautions: why numbers are missing or to be doubted, a sentence each.
        answers: of each measurement that is yes or no (unit 0/1), what is known and why not.
        lost: leads that say nothing of the heart, with the reason ("V6 unusable").
        withheld: measurements that the page an ECG was read off does not allow, with the reason.
        names: of the measurements, always the same ones in the same order.
        units: of each.
    """

    values: Floats
    cautions: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    names: ClassVar[tuple[str, ...]] = NAMES
    units: ClassVar[tuple[str, ...]] = UNITS

    def __getitem__(self, name: str) -> float:
        return float(self.values[_POSITION[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in _POSITION

    def lost_of(self, name: str) -> tuple[str, ...]:
        """Return why a measurement is missing for the sake of its leads or page, a phrase each."""
        lost = tuple(self.lost[lead] for lead in _NEEDS[name] if lead in self.lost)
        return (*lost, self.withheld[name]) if name in self.withheld else lost

    def as_dict(self) -> dict[str, float]:
        """Return name to value, NaN kept."""
        return {name: float(value) for name, value in zip(self.names, self.values, strict=True)}


@kept(most=20_000)  # all patients of a study, whom several models ask about
def measure(ecg: ECG, *, notch_mv: float = NOTCH_MV) -> Measurements:
    """Return the measurements of `ecg`; inside `keeping()` they are taken once.

    With fewer than three beats of one shape all are NaN, because an artefact that comes twice
    cannot be told from a heart beat; where the QRS seems to fill the time between beats, as in a
    ventricular tachycardia, all but the heart rate. What is made of a lead that is flat,
    saturated, unreadable or likely another than its name says is NaN, and of one that contradicts
    the others
    (:attr:`dyssync.ecg.ECG.doubts`). So is what a page does not allow that the ECG was read off
    (:mod:`dyssync.measurements.of_pages`). The cautions say so.

    Args:
        ecg: the recording.
        notch_mv: least depth of a notch, 0.01-1 mV. The literature asks for a visible one (Das
            2006, Strauss 2011); 0.05 mV is half a millimetre on paper.

    Raises:
        ConfigError: `notch_mv` is out of range.
    """
    check_range("notch_mv", notch_mv, 0.01, 1.0, "mV")
    return _measure_beat(ecg, typical_of(ecg), notch_mv)


def _measure_beat(ecg: ECG, typical: TypicalBeat | None, notch_mv: float) -> Measurements:
    doubts = [doubt.sentence for doubt in ecg.doubts]
    if typical is None or typical.beat.n_beats < LEAST_BEATS:
        why = NO_BEAT if typical is None else FEW_BEATS.format(typical.beat.n_beats)
        cautions: tuple[str, ...] = (why, *doubts, *quality.quality_of(ecg, None).cautions)
        return _measurements({}, cautions, {}, not_known(TOO_FEW))
    seen = quality.quality_of(ecg, typical)
    whole = from_typical_beat(typical, ecg.sex, ecg.age, notch_mv)
    if whole.qrs_ms > MOST_OF_RR * 1000 * float(np.median(whole.rr)):
        cautions = (f"{NO_END}: nothing but the heart rate is known", *doubts, *seen.cautions)
        rate = {RATE: intervals.measure(whole)[RATE]}
        return _measurements(rate, cautions, {}, not_known(NO_END))
    unseen = () if ecg.shown is None else ecg.shown.unseen
    held = {lead: NOT_SHOWN if lead in unseen else CONTRADICTED for lead in ecg.withheld_leads}
    lost = {**seen.lost, **held}
    beat = replace(whole, lost={lead: f"{lead} {why}" for lead, why in lost.items()})
    if ecg.shown is not None:
        beat = replace(beat, paced_share=max(beat.paced_share, ecg.shown.paced_share))
    found = _of_groups(beat, GROUPS)
    if beat.lost:
        found |= _holding(found, typical, beat, notch_mv)
    for entry in DEFINITIONS:
        if not isinstance(found.get(entry.name), Answer) and lost.keys() & set(entry.needs):
            found[entry.name] = np.nan
    withheld = of_pages.withheld(ecg.shown, _NEEDS)
    for name in of_pages.IF_NO:
        if isinstance(answer := found.get(name), Answer) and answer.value:
            withheld.pop(name, None)
    for name, why in withheld.items():
        found[name] = not_known(why) if isinstance(found.get(name), Answer) else np.nan
    lines = (*_lost(lost), *of_pages.page_cautions(ecg.shown, withheld))
    cautions = (*doubts, *_cautions(beat), *lines, *seen.cautions)
    return replace(_measurements(found, cautions, beat.lost), withheld=withheld)


def _of_groups(beat: Heartbeat, groups: tuple[ModuleType, ...]) -> dict[str, float | Answer]:
    found: dict[str, float | Answer] = {}
    for group in groups:
        found |= cast(Callable[[Heartbeat], Mapping[str, float | Answer]], group.measure)(beat)
    return found


def _holding(
    found: Mapping[str, float | Answer], typical: TypicalBeat, beat: Heartbeat, notch_mv: float
) -> dict[str, Answer]:
    """Return the answers that hold wherever a QRS seen in fewer leads may begin and end.

    The other answers would turn if the lost leads moved its marks a little, so they are not known.
    """
    held = {name: answer for name, answer in found.items() if isinstance(answer, Answer)}
    doubt = not_known(f"near a limit without {', '.join(beat.lost)}")
    for on, off in itertools.product((-MOVED_BY, MOVED_BY), repeat=2):
        marks = typical.marks
        moved = replace(marks, qrs_on=marks.qrs_on + on, qrs_off=marks.qrs_off + off)
        other = from_typical_beat(replace(typical, marks=moved), beat.sex, beat.age, notch_mv)
        again = _of_groups(replace(other, lost=beat.lost), ANSWERING)
        for name, answer in again.items():
            if isinstance(answer, Answer) and answer.value != held[name].value:
                held[name] = held[name] if held[name].value is None else doubt
    return held


def _measurements(
    found: Mapping[str, float | Answer],
    cautions: tuple[str, ...],
    lost: Mapping[str, str],
    otherwise: Answer = UNKNOWN,
) -> Measurements:
    values = np.full(len(NAMES), np.nan)
    answers = {entry.name: otherwise for entry in DEFINITIONS if entry.unit == YES_OR_NO}
    for name, value in found.items():
        if isinstance(value, Answer):
            answers[name] = value
        values[_POSITION[name]] = value.number if isinstance(value, Answer) else value
    values.flags.writeable = False
    return Measurements(values, cautions, answers, lost)


def _lost(lost: Mapping[str, str]) -> tuple[str, ...]:
    lines = []
    for why in dict.fromkeys(lost.values()):
        leads = [lead for lead in lost if lost[lead] == why]
        areas = ", QRS area and the loop" if set(leads) & set(VCG_LEADS) else ""
        lines.append(f"{why} {', '.join(leads)}: what is made of them is missing{areas}")
    return tuple(lines)


def _cautions(beat: Heartbeat) -> tuple[str, ...]:
    found = []
    if beat.marks.merged:
        found.append(
            "T and the next P cannot be told apart at this rate: PR, QT, P and T are missing"
        )
    elif beat.marks.close:
        found.append("P begins before T has come to rest: PR and P duration are missing")
    elif beat.marks.low:
        found.append(
            f"P is lower than {LOW_P_MV:g} mV in every lead, so that its onset cannot be told: "
            "PR and P duration are missing"
        )
    elif beat.marks.p_on is None:
        found.append(NO_P)
    if beat.marks.blurred:
        found.append("P begins where T ends, which cannot be told to 25 ms: QT is missing")
    elif beat.marks.t_off is None and not beat.marks.merged:
        found.append("no T wave end: QT, T area and angles with T are missing")
    paced = ventricular_pacing(beat)
    if paced.value:
        found.append("ventricular pacing: QRS measurements are those of paced beats")
    elif paced.value is None:
        found.append(f"ventricular pacing {paced}")
    if beat.sex is None:
        found.append("sex not known: Cornell product is missing; so may be strict LBBB")
    return tuple(found)
