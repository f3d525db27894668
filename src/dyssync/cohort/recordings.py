"""The recordings that a table names: read one by one, refused where no model could use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from dyssync.cohort.clinical import with_clinical
from dyssync.cohort.table import Problem
from dyssync.ecg import ECG
from dyssync.errors import CohortError, FormatError, InputError
from dyssync.formats import ReadOptions, read_ecg, read_input
from dyssync.image import ECGImage, Input
from dyssync.pages.evening import shrink_page
from dyssync.pages.evidence import check_is_ecg_page


def read_recordings(
    table: pd.DataFrame,
    folder: Path,
    *,
    seconds: float,
    pictures: bool = False,
    on_row: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Input | None], list[Problem]]:
    """Read the ECG of every row; None and a problem where that fails.

    Optional columns ecg_fs (Hz) and ecg_unit (mV, uV, V) declare what a file does not say. With
    `pictures`, pictures of ECG pages will do.
    """
    ecgs: list[Input | None] = []
    problems = []
    for i, row in enumerate(table.to_dict("records")):
        try:
            values = {str(k): v for k, v in row.items()}
            ecgs.append(_read_row(values, folder, seconds, pictures))
        except InputError as error:
            ecgs.append(None)
            problems.append(Problem(i + 2, str(row["patient_id"]), str(error)))
        on_row(i + 1, len(table))
    return ecgs, problems


def _read_row(row: Mapping[str, Any], folder: Path, seconds: float, pictures: bool) -> Input:
    if pd.isna(row["ecg"]) or not str(row["ecg"]).strip():
        raise CohortError("column ecg is empty; the path of a recording is needed")
    fs, unit = row.get("ecg_fs"), row.get("ecg_unit")
    rate = None if pd.isna(fs) else float(pd.to_numeric(str(fs), errors="coerce"))
    if rate is not None and not rate > 0:
        raise CohortError(f"column ecg_fs is {fs}; a sampling rate in Hz is needed")
    options = ReadOptions(
        fs=rate,
        unit=None if pd.isna(unit) else str(unit),
    )
    read = read_input if pictures else read_ecg
    ecg = check_usable(read(folder / str(row["ecg"]), options), seconds=seconds)
    patient = str(row["patient_id"])
    if isinstance(ecg, ECGImage):
        return replace(ecg, patient_id=patient)
    return with_clinical(replace(ecg, patient_id=patient), row)


def check_usable(ecg: Input, *, seconds: float) -> Input:
    """Return `ecg` if a model can be fitted to it or asked about it; a picture shrunk to its use.

    Raises:
        CohortError: leads are flat, the recording is shorter than `seconds`, or the picture is no
            ECG page.
    """
    if isinstance(ecg, ECGImage):
        try:
            check_is_ecg_page(ecg.pixels)
        except FormatError as error:
            raise CohortError(f"{ecg.source.name}: {error}") from error
        return replace(ecg, pixels=shrink_page(ecg.pixels))
    problems = []
    if ecg.flat_leads:
        problems.append(f"flat leads {', '.join(ecg.flat_leads)}; a signal in all 12 is needed")
    # half a sample of tolerance: 4999 samples at 500 Hz are ten seconds to every vendor
    if ecg.seconds < seconds - 0.01:
        problems.append(f"{ecg.seconds:.1f} s of signal, {seconds:g} s needed")
    if problems:
        raise CohortError(f"{ecg.source.name}: {'; '.join(problems)}")
    return ecg


def mixture_problems(ecgs: Sequence[Input | None]) -> list[Problem]:
    """Find signals beside pictures: a model would learn which is which, and who has what."""
    pictures = sum(isinstance(ecg, ECGImage) for ecg in ecgs)
    signals = sum(isinstance(ecg, ECG) for ecg in ecgs)
    if not (pictures and signals):
        return []
    text = (
        f"column ecg holds {signals} signals and {pictures} pictures; one kind is needed. Draw the "
        "signals (dyssync render), or leave one kind out"
    )
    return [Problem(None, "", text)]


def shared_recordings(table: pd.DataFrame, ecgs: Sequence[Input | None]) -> list[Problem]:
    """Find one recording under two patients: it would stand on both sides of a split."""
    owner: dict[str, str] = {}
    problems = []
    for i, (patient, ecg) in enumerate(zip(table["patient_id"], ecgs, strict=True)):
        if ecg is None or not ecg.source.sha256:
            continue
        first = owner.setdefault(ecg.source.sha256, patient)
        if first != patient:
            text = f"the recording is also that of patient {first}; each patient needs an own one"
            problems.append(Problem(i + 2, patient, text))
    return problems
