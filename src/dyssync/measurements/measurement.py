"""Measure one ECG: the public entrance of the room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dyssync.ecg import ECG, LEAD_INDEX
from dyssync.errors import InputError
from dyssync.signals.beats import MedianBeat, median_beat
from dyssync.signals.delineation import BeatMarks, delineate_beat
from dyssync.signals.vectorcardiogram import vectorcardiogram

FloatArray = npt.NDArray[np.float64]

UNITS: Mapping[str, str] = {
    "heart_rate_bpm": "1/min",
    "pr_ms": "ms",
    "qrs_duration_ms": "ms",
    "qt_ms": "ms",
    "qrs_axis_deg": "deg",
    "qrs_area_uvs": "uVs",
    "t_area_uvs": "uVs",
    "qrs_t_angle_deg": "deg",
}


@dataclass(frozen=True, eq=False)
class Measurements:
    """Named numbers of one ECG; NaN where a thing is not defined, never 0.

    Attributes:
        names: of the measurements, always the same ones in the same order.
        values: (k,) float64, read-only.
        units: of each.
        cautions: why numbers are missing or to be doubted, a sentence each.
    """

    names: tuple[str, ...]
    values: FloatArray
    units: tuple[str, ...]
    cautions: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        if name not in self.names:
            raise KeyError(name)
        return float(self.values[self.names.index(name)])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def as_dict(self) -> dict[str, float]:
        """Return name to value, NaN kept."""
        return {name: float(value) for name, value in zip(self.names, self.values, strict=True)}


def measure(ecg: ECG) -> Measurements:
    """Return the measurements of `ecg`; all NaN with a caution where no beat can be found."""
    cautions: tuple[str, ...] = ()
    found: dict[str, float] = {}
    try:
        beat = median_beat(ecg.signal, ecg.fs)
    except InputError as error:
        cautions = (str(error),)
    else:
        found = _of_beat(beat, delineate_beat(beat))
    values = np.array([found.get(name, np.nan) for name in UNITS])
    values.flags.writeable = False
    return Measurements(tuple(UNITS), values, tuple(UNITS.values()), cautions)


def _of_beat(beat: MedianBeat, marks: BeatMarks) -> dict[str, float]:
    ms = 1000.0 / beat.fs
    signal = beat.signal - beat.signal[:, marks.qrs_on : marks.qrs_on + 1]
    qrs = signal[:, marks.qrs_on : marks.qrs_off + 1]
    net = {lead: float(qrs[i].max() + qrs[i].min()) for lead, i in LEAD_INDEX.items()}
    loop = vectorcardiogram(signal).astype(np.float64)
    area = _area(loop, marks.qrs_on, marks.qrs_off, beat.fs)
    found = {
        "heart_rate_bpm": 60.0 / beat.rr_s,
        "qrs_duration_ms": (marks.qrs_off - marks.qrs_on) * ms,
        "qrs_axis_deg": float(np.degrees(np.arctan2(2 / np.sqrt(3) * net["aVF"], net["I"]))),
        "qrs_area_uvs": float(np.linalg.norm(area)),
    }
    if marks.p_on is not None:
        found["pr_ms"] = (marks.qrs_on - marks.p_on) * ms
    if marks.t_off is not None:
        t_area = _area(loop, marks.qrs_off, marks.t_off, beat.fs)
        found["qt_ms"] = (marks.t_off - marks.qrs_on) * ms
        found["t_area_uvs"] = float(np.linalg.norm(t_area))
        cross = float(np.linalg.norm(np.cross(area, t_area)))
        found["qrs_t_angle_deg"] = float(np.degrees(np.arctan2(cross, area @ t_area)))
    return found


def _area(loop: FloatArray, start: int, stop: int, fs: float) -> FloatArray:
    """Integral of X, Y and Z between two samples, (3,) uVs."""
    return np.asarray(np.trapezoid(loop[:, start : stop + 1], axis=1) * (1000.0 / fs))
