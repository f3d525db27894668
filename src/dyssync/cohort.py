"""A cohort: patients, their ECGs and their response; read and checked as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.clinical import with_clinical
from dyssync.ecg import ECG
from dyssync.errors import CohortError, FormatError, InputError, join_problems
from dyssync.formats import ECGImage, Input, ReadOptions, read_ecg, read_input
from dyssync.rendering.picture import check_is_ecg_page, shrink_page
from dyssync.splits import PARTS

RESPONDER_WORDS = {"0": 0, "0.0": 0, "False": 0, "1": 1, "1.0": 1, "True": 1}
RESPONSE_FALL = 0.15  # LVESV falls by at least 15 % in 6 months (Mori 2025, 10.1111/jce.70212)
TABLE_COLUMNS = ("patient_id", "ecg", "responder", "fs", "seconds", "sha256")
VOLUMES = ("lvesv_baseline_ml", "lvesv_followup_ml")
TABLE_ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True)
class Problem:
    """One finding in a cohort table; `row` is None when the table as a whole is meant.

    Attributes:
        row: line of the table as a spreadsheet counts it (the header is line 1).
        patient_id: as in the table, "" when unknown.
        text: what was found and what is needed.
    """

    row: int | None
    patient_id: str
    text: str

    def __str__(self) -> str:
        return self.text if self.row is None else f"row {self.row} ({self.patient_id}): {self.text}"


@dataclass(frozen=True)
class Cohort:
    """Recordings with a known response.

    Attributes:
        name: name of the table's file.
        table: a row a recording: patient_id (str), ecg, responder (0/1), fs, seconds (NaN for
            pictures), sha256, then the user's other columns.
        ecgs: the recordings, in the order of the table; all signals, or all pictures.
        excluded: row, patient_id, reason of every recording left out on request.
    """

    name: str
    table: pd.DataFrame
    ecgs: tuple[Input, ...]
    excluded: pd.DataFrame

    @property
    def holds_pictures(self) -> bool:
        """Whether the recordings are pictures of pages instead of signals."""
        return len(self.signals) < len(self.ecgs)

    @property
    def signals(self) -> tuple[ECG, ...]:
        """The recordings that are signals: all, or none."""
        return tuple(ecg for ecg in self.ecgs if isinstance(ecg, ECG))

    @property
    def responses(self) -> pd.Series[int]:
        """Response (0/1) by patient id, a patient once, in the order of the table."""
        first = self.table.drop_duplicates("patient_id")
        return first.set_index("patient_id")["responder"]

    def rows_of(self, patients: Sequence[str]) -> list[int]:
        """Return the positions of all recordings of these patients, in table order."""
        return list(np.flatnonzero(self.table["patient_id"].isin(list(patients))))


def is_responder(baseline_ml: float, followup_ml: float) -> int:
    """Return 1 if LVESV fell by at least 15 %, else 0.

    >>> is_responder(200, 170), is_responder(200, 171)
    (1, 0)
    """
    # the tolerance is far below the precision of a volume; it keeps exactly 15 % a response
    return int((baseline_ml - followup_ml) / baseline_ml >= RESPONSE_FALL - 1e-12)


def read_cohort(
    path: Path,
    *,
    seconds: float = 10.0,
    exclude_problems: bool = False,
    on_row: Callable[[int, int], None] = lambda done, total: None,
) -> Cohort:
    """Read a cohort table and all its ECGs.

    Args:
        path: CSV or Parquet with patient_id, ecg, and the two volumes or responder.
        seconds: shortest recording that is accepted, s.
        exclude_problems: leave recordings with problems out instead of refusing the cohort.
        on_row: called with (rows read, rows in all).

    Raises:
        CohortError: the table or a recording cannot be used; all problems at once.
    """
    cohort, problems = check_cohort(path, seconds=seconds, on_row=on_row)
    fatal = [p for p in problems if p.row is None or not exclude_problems]
    if fatal:
        text = join_problems([str(p) for p in fatal], path.name)
        if not exclude_problems and any(p.row is not None for p in problems):
            text += "\nMend the rows, or leave them out with --exclude-bad."
        raise CohortError(text)
    return cohort


def check_cohort(
    path: Path,
    *,
    seconds: float = 10.0,
    on_row: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Cohort, list[Problem]]:
    """Find all problems of a cohort at once; return what is usable beside them.

    Raises:
        CohortError: the table itself cannot be read.
    """
    table = read_table(path)
    problems = _column_problems(table)
    if problems:
        empty = pd.DataFrame(columns=["row", "patient_id", "reason"])
        return Cohort(path.name, table, (), empty), problems
    table["patient_id"] = table["patient_id"].fillna("").astype(str).str.strip()
    responder, label_problems = _responses(table)
    problems += label_problems
    ecgs, read_problems = read_recordings(
        table, path.parent, seconds=seconds, pictures=True, on_row=on_row
    )
    problems += read_problems + _mixture_problems(ecgs)
    problems += _shared_recordings(table, ecgs)
    bad = {p.row for p in problems}
    kept = [i for i in range(len(table)) if i + 2 not in bad]
    held = [ecg for i in kept if (ecg := ecgs[i]) is not None]
    usable = table.iloc[kept].assign(
        responder=np.array([responder[i] for i in kept], dtype=np.int64),
        fs=[ecg.fs if isinstance(ecg, ECG) else np.nan for ecg in held],
        seconds=[round(ecg.seconds, 3) if isinstance(ecg, ECG) else np.nan for ecg in held],
        sha256=[ecg.source.sha256 for ecg in held],
    )
    problems += _class_problems(usable)
    excluded = pd.DataFrame(
        [(p.row, p.patient_id, p.text) for p in problems if p.row is not None],
        columns=["row", "patient_id", "reason"],
    )
    others = [c for c in usable.columns if c not in TABLE_COLUMNS]
    usable = usable[[*TABLE_COLUMNS, *others]].reset_index(drop=True)
    return Cohort(path.name, usable, tuple(held), excluded), problems


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet table; patient ids stay text.

    Raises:
        CohortError: it is missing, empty or no table.
    """
    if path.suffix.lower() not in TABLE_ENDINGS:
        raise CohortError(f"{path.name}: a table is needed ({' or '.join(TABLE_ENDINGS)})")
    if not path.is_file():
        raise CohortError(f"{path}: no such file. Give the path of the cohort table")
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path)
        else:
            # blank lines are kept, so that row numbers are those of a spreadsheet
            dtype = {"patient_id": str, "ecg": str}
            table = pd.read_csv(path, dtype=dtype, skip_blank_lines=False)
    except pd.errors.EmptyDataError as error:
        raise CohortError(f"{path.name}: the file is empty; a header row is needed") from error
    except (pd.errors.ParserError, UnicodeDecodeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CohortError(f"{path.name}: no readable table ({reason})") from error
    if table.empty:
        raise CohortError(f"{path.name}: no rows; one row a recording is needed")
    return table


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


def _column_problems(table: pd.DataFrame) -> list[Problem]:
    columns = set(table.columns)
    missing = [c for c in ("patient_id", "ecg") if c not in columns]
    problems = [
        Problem(None, "", f"column {c} is missing; one row a recording has it") for c in missing
    ]
    if "responder" not in columns and not set(VOLUMES) <= columns:
        found = sorted(set(VOLUMES) & columns)
        problems.append(
            Problem(
                None,
                "",
                f"no response: found {', '.join(found) or 'neither volume'}; needed are "
                f"{' and '.join(VOLUMES)}, or responder (0/1)",
            )
        )
    return problems


def _responses(table: pd.DataFrame) -> tuple[list[int | None], list[Problem]]:
    """Return the response of every row, and what is wrong with it."""
    responses: list[int | None] = []
    problems = []
    for i, row in enumerate(table.to_dict("records")):
        patient = str(row["patient_id"])
        try:
            if not patient:
                raise CohortError("column patient_id is empty")
            responses.append(_response({str(k): v for k, v in row.items()}))
        except CohortError as error:
            responses.append(None)
            problems.append(Problem(i + 2, patient, str(error)))
    seen = pd.DataFrame({"patient_id": table["patient_id"], "y": responses}).dropna()
    classes = seen.groupby("patient_id")["y"].nunique()
    torn = [str(p) for p in classes[classes > 1].index]
    if torn:
        text = (
            f"{len(torn)} patients are in both classes ({', '.join(torn)}); "
            "one response a patient is needed"
        )
        problems.append(Problem(None, "", text))
    return responses, problems


def _response(row: Mapping[str, Any]) -> int:
    declared = row.get("responder")
    volumes = [row.get(column) for column in VOLUMES]
    if all(v is not None for v in volumes):
        numbers = [pd.to_numeric(str(v), errors="coerce") for v in volumes]
        if all(np.isfinite(n) and n > 0 for n in numbers):
            response = is_responder(float(numbers[0]), float(numbers[1]))
            if not pd.isna(declared) and RESPONDER_WORDS.get(str(declared)) != response:
                raise CohortError(
                    f"responder is {declared}, the volumes say {response}; mend one of them"
                )
            return response
        if pd.isna(declared):
            shown = ", ".join(f"{c} {v}" for c, v in zip(VOLUMES, volumes, strict=True))
            raise CohortError(f"{shown}; volumes above 0 mL are needed")
    if str(declared) in RESPONDER_WORDS:
        return RESPONDER_WORDS[str(declared)]
    raise CohortError(f"responder is {declared}; 0 or 1 is needed")


def _mixture_problems(ecgs: Sequence[Input | None]) -> list[Problem]:
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


def _shared_recordings(table: pd.DataFrame, ecgs: Sequence[Input | None]) -> list[Problem]:
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


def _class_problems(usable: pd.DataFrame) -> list[Problem]:
    counts = usable.drop_duplicates("patient_id")["responder"].value_counts()
    responders, others = int(counts.get(1, 0)), int(counts.get(0, 0))
    # each of three parts needs both classes
    if min(responders, others) < len(PARTS):
        text = (
            f"{responders} responders and {others} non-responders can be used; at least "
            f"{len(PARTS)} of each are needed, one a part of the split"
        )
        return [Problem(None, "", text)]
    return []
