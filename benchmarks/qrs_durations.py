"""QRS durations of cardiologists' marks and of ours, and records that are far off."""

from __future__ import annotations

import numpy as np

from annotated_ecgs import Marks, Record
from dyssync.signals.delineation import delineate

WIDE_MS = 120.0
FAILURE_MS = 40.0


def is_wide(record: Record) -> bool:
    """Whether the cardiologists' median QRS over leads is 120 ms or more, or the heart is paced."""
    return record.paced or reference_qrs_ms(record) >= WIDE_MS


def reference_qrs_ms(record: Record) -> float:
    """Return the cardiologists' QRS duration, the median over leads."""
    return median_qrs_ms([marks for marks, _ in record.reference], record.fs)


def median_qrs_ms(lead_marks: list[Marks], fs: float) -> float:
    """Return the median over leads of the median QRS duration of a lead; NaN without any."""
    lengths = []
    for marks in lead_marks:
        on, off = (m[np.isfinite(m)] for m in (marks["qrs_on"], marks["qrs_off"]))
        if len(on) and len(off):
            following = off[np.minimum(np.searchsorted(off, on), len(off) - 1)]
            lengths.append(float(np.median(following - on)))
    return float(np.median(lengths)) * 1000.0 / fs if lengths else float("nan")


def our_qrs_ms(record: Record) -> float:
    """Return our global QRS duration, the median over beats."""
    marks = delineate(record.signal, record.fs).marks
    return float(np.nanmedian(marks["qrs_off"] - marks["qrs_on"])) * 1000 / record.fs


def show_failures(records: list[Record], durations: list[float]) -> None:
    """QRS duration of each record against the cardiologists'; no duration at all is a failure."""
    e = np.array(durations) - [reference_qrs_ms(record) for record in records]
    failed = [r.name for r, x in zip(records, e, strict=True) if not abs(x) <= FAILURE_MS]
    print(
        f"QRSd - cardiologists' median lead: mean {np.nanmean(e):.1f}, SD {np.nanstd(e):.1f} ms; "
        f"off by more than 40 ms: {len(failed)} of {len(e)}, {100 * len(failed) / len(e):.1f} %"
    )
