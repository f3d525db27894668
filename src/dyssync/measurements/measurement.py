"""Measure one ECG: the public entrance of the room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar, cast

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.errors import InputError, check_range
from dyssync.measurements import (
    activation,
    areas,
    axes,
    bundle_branch,
    intervals,
    loops,
    quality,
    selvester,
)
from dyssync.measurements.definitions import Definition
from dyssync.measurements.heartbeat import NOTCH_MV, Heartbeat, from_typical_beat
from dyssync.signals.beats import NO_BEAT
from dyssync.signals.delineation import TypicalBeat, typical_beat
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
_POSITION = {name: k for k, name in enumerate(NAMES)}

LEAST_BEATS = 3
FEW_BEATS = (
    "signal: {} beat(s) of one shape; at least 3 are needed to tell a beat from an artefact. "
    "Measure a longer recording"
)


@dataclass(frozen=True, eq=False)
class Measurements:
    """Named numbers of one ECG; NaN where a thing is not defined, never 0.

    Attributes:
        values: (k,) float64, read-only.
        cautions: why numbers are missing or to be doubted, a sentence each.
        names: of the measurements, always the same ones in the same order.
        units: of each.
    """

    values: Floats
    cautions: tuple[str, ...] = ()
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

    def as_dict(self) -> dict[str, float]:
        """Return name to value, NaN kept."""
        return {name: float(value) for name, value in zip(self.names, self.values, strict=True)}


def measure(ecg: ECG, *, notch_mv: float = NOTCH_MV) -> Measurements:
    """Return the measurements of `ecg`.

    With fewer than three beats of one shape all are NaN, because an artefact that comes twice
    cannot be told from a heart beat. What is made of a lead that is flat, saturated, unreadable
    or likely another than its name says is NaN. The cautions say so.

    Args:
        ecg: the recording.
        notch_mv: least depth of a notch, 0.01-1 mV. The literature asks for a visible one (Das
            2006, Strauss 2011); 0.05 mV is half a millimetre on paper.

    Raises:
        ConfigError: `notch_mv` is out of range.
    """
    check_range("notch_mv", notch_mv, 0.01, 1.0, "mV")
    try:
        typical = typical_beat(ecg.signal, ecg.fs)
    except InputError:
        typical = None
    return measure_beat(ecg, typical, notch_mv=notch_mv)


def measure_beat(
    ecg: ECG, typical: TypicalBeat | None, *, notch_mv: float = NOTCH_MV
) -> Measurements:
    """Return the measurements where the typical beat is known already; None: there is no beat."""
    values = np.full(len(NAMES), np.nan)
    if typical is None or typical.beat.n_beats < LEAST_BEATS:
        why = NO_BEAT if typical is None else FEW_BEATS.format(typical.beat.n_beats)
        cautions: tuple[str, ...] = (why, *quality.quality_of(ecg, None).cautions)
    else:
        found = quality.quality_of(ecg, typical)
        beat = from_typical_beat(typical, ecg.sex, ecg.age, notch_mv)
        for group in GROUPS:
            for name, value in cast(Callable[[Heartbeat], dict[str, float]], group.measure)(
                beat
            ).items():
                values[_POSITION[name]] = value
        lost = {*found.unusable, *found.swapped}
        values[np.array([bool(lost.intersection(d.needs)) for d in DEFINITIONS])] = np.nan
        lines = (*_lost("unusable", found.unusable), *_lost("perhaps swapped", found.swapped))
        cautions = (*_cautions(beat), *lines, *found.cautions)
    values.flags.writeable = False
    return Measurements(values, cautions)


def _lost(why: str, leads: tuple[str, ...]) -> tuple[str, ...]:
    if not leads:
        return ()
    areas = ", QRS area and the loop" if set(leads) & set(VCG_LEADS) else ""
    return (f"{why} {', '.join(leads)}: what is made of them is missing{areas}",)


def _cautions(beat: Heartbeat) -> tuple[str, ...]:
    found = []
    if beat.marks.merged:
        found.append(
            "T and the next P cannot be told apart at this rate: PR, QT, P and T are missing"
        )
    elif beat.marks.close:
        found.append("P begins before T has come to rest: PR and P duration are missing")
    elif beat.marks.p_on is None:
        found.append("no repeating P wave: PR, P duration and P axis are missing")
    if beat.marks.t_off is None and not beat.marks.merged:
        found.append("no T wave end: QT, T area and angles with T are missing")
    if beat.paced_share >= 0.5:
        found.append("ventricular pacing: QRS measurements are those of paced beats")
    if beat.sex is None:
        found.append("sex not known: strict LBBB uses 140 ms; Cornell product is missing")
    return tuple(found)
