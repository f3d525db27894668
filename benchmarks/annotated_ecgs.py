"""ECGs with cardiologists' marks: LUDB and QTDB, read for bench_delineation.py."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.ecg import LEADS
from real_data import ludb_headers

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb 4.3 uses deprecated pandas calls on import
    import wfdb

Marks = dict[str, Floats]  # samples of each mark, by its name; NaN where there is none

WAVES = {"p": "p", "N": "qrs", "t": "t"}


def reference_marks(annotation: wfdb.Annotation) -> tuple[Marks, Floats]:
    """Return the cardiologist's marks, and the peaks of waves without a boundary (excused)."""
    found: dict[str, list[float]] = {
        f"{w}_{e}": [] for w in ("p", "qrs", "t") for e in ("on", "off")
    }
    excused = []
    start: int | None = None
    wave, peak = "", 0
    for sample, symbol in zip(annotation.sample.tolist(), annotation.symbol, strict=True):
        if symbol == "(":
            start = sample
        elif symbol in WAVES:
            wave, peak = WAVES[symbol], sample
            if start is None:
                excused.append(float(peak))
            else:
                found[f"{wave}_on"].append(start)
        elif symbol == ")":
            if wave:
                found[f"{wave}_off"].append(sample)
            start, wave = None, ""
    return {name: np.array(v, dtype=np.float64) for name, v in found.items()}, np.array(excused)


@dataclass(frozen=True)
class Record:
    """One annotated record: signal (leads, n) mV, marks and excused peaks of each lead."""

    name: str
    signal: Singles
    fs: float
    reference: tuple[tuple[Marks, Floats], ...]
    paced: bool = False


def ludb_records(data: Path) -> Iterator[Record]:
    """Yield the records of LUDB: 12 leads, each with its own marks."""
    with (data / "ludb" / "labels.csv").open(encoding="utf-8") as stream:
        labels = {row["ID"]: row for row in csv.DictReader(stream)}
    for header in ludb_headers(data):
        record = wfdb.rdrecord(str(header.with_suffix("")))
        order = [[n.lower() for n in record.sig_name].index(lead.lower()) for lead in LEADS]
        marks = tuple(
            reference_marks(wfdb.rdann(str(header.with_suffix("")), lead.lower())) for lead in LEADS
        )
        pacing = labels.get(header.stem, {}).get("Cardiac pacing", "")
        signal = record.p_signal.T[order].astype(np.float32)
        yield Record(header.stem, signal, float(record.fs), marks, bool(pacing))


def qtdb_records(data: Path) -> Iterator[Record]:
    """Yield the annotated stretch of each record with 30 s around it; one set of marks for both."""
    for marks_file in sorted((data / "qtdb").glob("*.q1c")):
        stem = str(marks_file.with_suffix(""))
        record, annotation = wfdb.rdrecord(stem), wfdb.rdann(stem, "q1c")
        fs = float(record.fs)
        start = max(0, int(annotation.sample.min() - 30 * fs))
        stop = int(annotation.sample.max() + 30 * fs)
        annotation.sample = annotation.sample - start
        signal = np.nan_to_num(record.p_signal[start:stop].T).astype(np.float32)
        yield Record(marks_file.stem, signal, fs, (reference_marks(annotation),) * 2)
