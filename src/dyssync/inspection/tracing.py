"""The recording and its typical beat as a screen draws them: numbers, marks, layouts; no pixels.

Everything is in s and mV; whoever draws decides on millimetres. Nothing is filtered but the typical
beat, which is the one that was measured.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from dyssync.arrays import AnyFloats
from dyssync.ecg import LEADS
from dyssync.explanation.profiles import LeadProfiles
from dyssync.inspection.findings import Findings
from dyssync.layouts import LAYOUTS, Layout
from dyssync.measurements.heartbeat import Heartbeat
from dyssync.signals.delineation import MARKS, Delineation

SHOWN = ("3x4+II", "12x1", "6x2", "6x2-cabrera")  # on the screen; the first at once
MOST_SECONDS = 60.0  # of a long recording that go to the screen
MOST_FS = 1000.0  # Hz; more than a screen or a printer shows at 50 mm/s
STEP_MV = 1e-3  # samples go as whole uV; +-32 mV
FILTERS = "no filter; each lead moved so that its median lies on its line"
BEAT_FILTERS = "median beat at 500 Hz, mains hum and wander below 0.5 Hz taken out"


def tracing(found: Findings, profiles: LeadProfiles | None = None) -> dict[str, Any]:
    """Return what a screen needs to draw a recording, as JSON can hold it.

    Samples are base64 of little-endian int16, lead after lead, in uV.

    Args:
        found: the recording and its typical beat.
        profiles: where a network looked, to be laid over the leads.
    """
    ecg = found.ecg
    every = max(1, math.ceil(ecg.fs / MOST_FS))
    fs = ecg.fs / every
    shown = ecg.signal[:, : round(MOST_SECONDS * ecg.fs) : every]
    return {
        "leads": list(LEADS),
        "fs": fs,
        "seconds": shown.shape[1] / fs,
        "of_seconds": ecg.seconds,
        "signal": _samples(shown - np.median(ecg.signal, axis=1, keepdims=True)),
        "filters": FILTERS,
        "marks": [] if found.typical is None else _marks(found.typical.recording),
        "beat": None if found.heartbeat is None else _beat(found, found.heartbeat),
        "layouts": {name: _layout(LAYOUTS[name]) for name in SHOWN},
        "profiles": None if profiles is None else profiles.to_dict(),
    }


def _samples(rows: AnyFloats) -> str:
    most = np.iinfo(np.int16).max
    whole = np.clip(np.round(rows / STEP_MV), -most, most).astype("<i2")
    return base64.b64encode(whole.tobytes()).decode("ascii")


def _marks(recording: Delineation) -> list[dict[str, Any]]:
    """Return all marks of all beats in order of time."""
    found = [
        {"kind": name, "t": round(float(at) / recording.fs, 4)}
        for name in MARKS
        for at in recording.marks[name]
        if math.isfinite(at)
    ]
    return sorted(found, key=lambda mark: float(mark["t"]))


def _beat(found: Findings, beat: Heartbeat) -> dict[str, Any]:
    laid = found.recorders_beat
    # beyond its ends the recorder's beat is not known; int16 has no NaN
    ends = None if laid is None else np.flatnonzero(np.isfinite(laid.signal[0]))[[0, -1]]
    return {
        "fs": beat.fs,
        "n_beats": beat.n_beats,
        "signal": _samples(beat.signal),
        "marks": {name: _seconds(getattr(beat.marks, name), beat) for name in MARKS},
        "leads": {
            name: [_seconds(at, beat) for at in beat.marks.leads[name]]
            for name in ("qrs_on", "qrs_off")
        },
        "recorder": None if laid is None else _samples(np.nan_to_num(laid.signal)),
        "recorder_ends": None if ends is None else [int(end) for end in ends],
        "filters": BEAT_FILTERS,
    }


def _seconds(sample: float | None, beat: Heartbeat) -> float | None:
    known = sample is not None and math.isfinite(sample)
    return round(float(sample) / beat.fs, 4) if sample is not None and known else None


def _layout(layout: Layout) -> Mapping[str, Any]:
    return {
        "rows": layout.n_rows,
        "columns": layout.n_columns,
        "simultaneous": layout.simultaneous,
        "row_mm": layout.row_mm,
        "panels": [
            {
                "lead": LEADS.index(panel.lead),
                "label": panel.label,
                "row": panel.row,
                "column": panel.column,
                "rhythm": panel.rhythm,
                "inverted": panel.inverted,
            }
            for panel in layout.panels
        ],
    }
