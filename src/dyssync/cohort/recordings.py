"""The recordings that a table names: read row by row, refused where no model could use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.cohort.clinical import with_clinical
from dyssync.cohort.digests import signal_key
from dyssync.cohort.likeness import Print, fingerprint, first_of_others
from dyssync.cohort.table import Problem
from dyssync.cohort.usable import refuse_unusable
from dyssync.errors import FAULTS, CohortError, InputError, told_fault
from dyssync.formats import ReadOptions, read_ecg, read_input
from dyssync.image import ECGImage, Input
from dyssync.pages.evening import shrink_page
from dyssync.pages.one_lead import ONE_LEAD, shows_one_lead
from dyssync.pages.reading_off import read_off
from dyssync.workers import OnProgress, each_for_itself, unwatched

ENDED_BY_SYSTEM = "the process that read it was ended by the system"
TOGETHER = 8  # rows that a worker gets at a time; a file takes some milliseconds


@dataclass(frozen=True, eq=False)
class RowRead:
    """What became of the recording of one row.

    Attributes:
        problem: why it cannot be used; "" where it can.
        is_picture: whether it is a picture of a page instead of a signal.
        fs: Hz; NaN for pictures.
        seconds: s; NaN for pictures.
        sha256: of its file, "" where it cannot be used.
        look: by which it is known again: of a signal its fingerprint, of a picture the digest of
            its pixels; None where it cannot be used.
        recording: itself, where it is kept.
        caution: what is to be told of it though it can be used; "" for nothing.
    """

    problem: str
    is_picture: bool = False
    fs: float = float("nan")
    seconds: float = float("nan")
    sha256: str = ""
    look: Print | str | None = None
    recording: Input | None = None
    caution: str = ""


def read_recordings(
    table: pd.DataFrame,
    folder: Path,
    *,
    seconds: float,
    pictures: bool = False,
    keep: bool = True,
    workers: int = 1,
    apart: bool = False,
    on_progress: OnProgress = unwatched,
) -> list[RowRead]:
    """Read the recording of every row, in their order; one that cannot be used is a problem there.

    Args:
        table: with the column ecg, a path each. Optional columns ecg_fs (Hz) and ecg_unit (mV, uV,
            V) declare what a file does not say.
        folder: which the paths start from.
        seconds: shortest recording that is accepted, s.
        pictures: take pictures of ECG pages, too.
        keep: return the recordings, too; without, the memory of one at a time is needed.
        workers: processes.
        apart: whether one worker, too, is another process than this: a file may end its process.
        on_progress: called with how many rows are read, of how many.
    """
    read = partial(_read_row, folder=folder, seconds=seconds, pictures=pictures, keep=keep)
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    found = []
    one_by_one = each_for_itself(read, rows, _lost, workers=workers, together=TOGETHER, apart=apart)
    for one in one_by_one:
        found.append(one)
        on_progress(len(found), len(table))
    return found


def _lost(row: Mapping[str, Any]) -> RowRead:
    return RowRead(ENDED_BY_SYSTEM)


def read_problems(table: pd.DataFrame, rows: Sequence[RowRead]) -> list[Problem]:
    """Return the problem of each row that has one."""
    return [
        Problem(i + 2, str(patient), row.problem)
        for i, (patient, row) in enumerate(zip(table["patient_id"], rows, strict=True))
        if row.problem
    ]


def read_cautions(table: pd.DataFrame, rows: Sequence[RowRead]) -> list[Problem]:
    """Return the caution of each row that has one."""
    return [
        Problem(i + 2, str(patient), row.caution)
        for i, (patient, row) in enumerate(zip(table["patient_id"], rows, strict=True))
        if row.caution
    ]


def _read_row(
    row: Mapping[str, Any], *, folder: Path, seconds: float, pictures: bool, keep: bool
) -> RowRead:
    try:
        recording, doubt = _recording_of(row, folder, seconds, pictures)
    except InputError as error:
        return RowRead(str(error))
    except FAULTS as error:
        return RowRead(told_fault(error))
    sha256, kept = recording.source.sha256, recording if keep else None
    if isinstance(recording, ECGImage):
        pixels = signal_key(recording)
        caution = f"{recording.source.name}: {doubt}" if doubt else ""
        return RowRead("", True, sha256=sha256, look=pixels, recording=kept, caution=caution)
    return RowRead(
        "",
        fs=recording.fs,
        seconds=round(recording.seconds, 3),
        sha256=sha256,
        look=fingerprint(recording),
        recording=kept,
    )


def _recording_of(
    row: Mapping[str, Any], folder: Path, seconds: float, pictures: bool
) -> tuple[Input, str]:
    """Return the recording of a row, and what is to be told of a picture; "" for nothing."""
    if pd.isna(row["ecg"]) or not str(row["ecg"]).strip():
        raise CohortError("column ecg is empty; the path of a recording is needed")
    fs, unit = row.get("ecg_fs"), row.get("ecg_unit")
    rate = None if pd.isna(fs) else float(pd.to_numeric(str(fs), errors="coerce"))
    if rate is not None and not rate > 0:
        raise CohortError(f"column ecg_fs is {fs}; a sampling rate in Hz is needed")
    options = ReadOptions(fs=rate, unit=None if pd.isna(unit) else str(unit))
    read = read_input if pictures else read_ecg
    recording = read(folder / str(row["ecg"]), options)
    refuse_unusable(recording, seconds=seconds)
    recording = replace(recording, patient_id=str(row["patient_id"]))
    if not isinstance(recording, ECGImage):
        return with_clinical(recording, row), ""
    recording = with_clinical(read_off(recording), row)
    assert isinstance(recording, ECGImage)
    doubt = ONE_LEAD if shows_one_lead(recording.pixels) else recording.unread
    # a cohort holds thousands, and networks look at a fraction of the pixels
    return replace(recording, pixels=shrink_page(recording.pixels)), doubt


def mixture_problems(rows: Sequence[RowRead]) -> list[Problem]:
    """Find signals beside pictures: a model would learn which is which, and who has what."""
    usable = [row for row in rows if not row.problem]
    pictures = sum(row.is_picture for row in usable)
    signals = len(usable) - pictures
    if not (pictures and signals):
        return []
    text = (
        f"column ecg holds {signals} signals and {pictures} pictures; one kind is needed. Draw the "
        "signals (dyssync render), or leave one kind out"
    )
    return [Problem(None, "", text)]


def shared_recordings(table: pd.DataFrame, rows: Sequence[RowRead]) -> list[Problem]:
    """Find one recording under two patients: it would stand on both sides of a split.

    It is known by what it shows, whatever the names, formats, steps or rates of its files.
    """
    owners = pd.factorize(table["patient_id"])[0]
    patients = [str(patient) for patient in table["patient_id"]]
    first: dict[int, int] = {}  # by position, an earlier recording that is another patient's
    shown: dict[str, int] = {}
    for j, row in enumerate(rows):
        i = shown.setdefault(row.look, j) if isinstance(row.look, str) else j
        if owners[i] != owners[j]:
            first[j] = i
    signals = np.array([i for i, row in enumerate(rows) if isinstance(row.look, np.ndarray)], int)
    prints = np.array([rows[i].look for i in signals], dtype=np.float16)
    for later, earlier in first_of_others(prints, owners[signals]):
        first[int(signals[later])] = int(signals[earlier])
    return [
        Problem(
            j + 2,
            patients[j],
            f"the recording is also that of patient {patients[i]} (row {i + 2}); each patient "
            "needs an own one",
        )
        for j, i in sorted(first.items())
    ]
