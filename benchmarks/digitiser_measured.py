"""What is measured on a page, beside the same measured on the recording that was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.errors import InputError
from dyssync.measurements import Measurements, measure
from dyssync.pages.digitising.digitised import Digitised
from dyssync.pages.rebuilding.recording import recording_of

TOLD = (
    ("QRS ms", "qrs_duration_ms"), ("area uVs", "qrs_area_uvs"), ("axis deg", "qrs_axis_deg"),
    ("azimuth deg", "qrs_azimuth_deg"), ("QT ms", "qt_ms"), ("PR ms", "pr_ms"),
    ("lateral delay ms", "lateral_delay_ms"), ("rate /min", "heart_rate_bpm"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class MeasuredPair:
    """Measurements of one recording, and of a page of it."""

    true: Measurements
    read: Measurements


def measured_pair(true: ECG, read: Digitised) -> MeasuredPair | None:
    """Return both; None where the page shows too few beats."""
    try:
        rebuilt = recording_of(read)
    except InputError:
        return None
    return MeasuredPair(measure(true), measure(replace(rebuilt, age=true.age, sex=true.sex)))


def tell_measured(pairs: Sequence[MeasuredPair | None]) -> None:
    """Print one line: SD of each error, and of all errors the 68 % that are smallest."""
    known = [pair for pair in pairs if pair is not None]
    if not known:
        return
    words = []
    for title, name in TOLD:
        errors = _errors(known, name)
        if len(errors):
            two_thirds = float(np.quantile(np.abs(errors), 0.68))
            words.append(f"{title} {errors.std():.1f} ({two_thirds:.1f})")
    area = [abs(p.read["qrs_area_uvs"] / p.true["qrs_area_uvs"] - 1) for p in known]
    agree = [
        p.read.answers["lbbb_esc"].value == p.true.answers["lbbb_esc"].value
        for p in known
        if p.read.answers["lbbb_esc"].value is not None
    ]
    print(
        f"{'  measured, SD (68 %)':28s} {len(known):4d} of {len(pairs)} | {', '.join(words)} | "
        f"area off by {np.nanmedian(area):.1%}, p90 {np.nanquantile(area, 0.9):.1%} | "
        f"LBBB alike {np.mean(agree):.0%}"
    )


def _errors(pairs: Sequence[MeasuredPair], name: str) -> Floats:
    errors = np.array([pair.read[name] - pair.true[name] for pair in pairs])
    if name.endswith("_deg"):
        errors = (errors + 180) % 360 - 180
    known: Floats = errors[np.isfinite(errors)]
    return known
