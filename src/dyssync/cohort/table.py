"""The table of a cohort or corpus: which columns there are, and who responded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.arrays import Floats
from dyssync.cohort.clinical import RESPONSE_FALL
from dyssync.cohort.table_files import MAX_TABLE_BYTES, csv_table, parquet_table
from dyssync.errors import CohortError, InputError, one_line
from dyssync.regular import read_regular

RESPONDER_WORDS = {"0": 0, "0.0": 0, "False": 0, "1": 1, "1.0": 1, "True": 1}
VOLUMES = ("lvesv_baseline_ml", "lvesv_followup_ml")
# What the column followup may say of a patient, and why two of them have no outcome. They stay out
# of learning and testing, but not out of the count: see evaluation/flow.py.
FOLLOWUP: Mapping[str, str] = {
    "echo": "",
    "died": "died before the echo at follow-up",
    "lost": "lost to follow-up",
}
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

    def __post_init__(self) -> None:
        """Make one line of it, whatever the cells that it quotes hold."""
        object.__setattr__(self, "patient_id", one_line(self.patient_id, 100))
        object.__setattr__(self, "text", one_line(self.text))

    def __str__(self) -> str:
        return self.text if self.row is None else f"row {self.row} ({self.patient_id}): {self.text}"


def is_responder(baseline_ml: float, followup_ml: float) -> int:
    """Return 1 if LVESV fell by at least 15 %, else 0.

    >>> is_responder(200, 170), is_responder(200, 171)
    (1, 0)
    """
    # the tolerance is far below the precision of a volume; it keeps exactly 15 % a response
    return int((baseline_ml - followup_ml) / baseline_ml >= RESPONSE_FALL - 1e-12)


def fall_of_lvesv(table: pd.DataFrame) -> Floats:
    """Return by how much LVESV fell, (n,) % of the baseline; NaN where a volume is missing."""
    if not set(VOLUMES) <= set(table.columns):
        return np.full(len(table), np.nan)
    before, after = (pd.to_numeric(table[c], errors="coerce").to_numpy(float) for c in VOLUMES)
    known = np.isfinite(before) & np.isfinite(after) & (before > 0) & (after > 0)
    fall: Floats = np.full(len(table), np.nan)
    fall[known] = 100 * (before[known] - after[known]) / before[known]
    return fall


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet table; patient ids and paths stay text.

    In the columns patient_id and ecg, NA, null and their like are text where they stand in quotes,
    and missing where they do not.

    Raises:
        CohortError: it is missing, empty, too large or no table.
    """
    if not path.exists():
        raise CohortError(f"{path}: no such file; a table is needed ({' or '.join(TABLE_ENDINGS)})")
    if path.suffix.lower() not in TABLE_ENDINGS:
        raise CohortError(f"{path.name}: a table is needed ({' or '.join(TABLE_ENDINGS)})")
    try:
        data = read_regular(path, MAX_TABLE_BYTES)
        table = parquet_table(data) if path.suffix.lower() == ".parquet" else csv_table(data)
    except InputError as error:
        raise CohortError(f"{path.name}: {error}") from error
    except OSError as error:
        raise CohortError(f"{path.name}: cannot be read ({error.strerror})") from error
    if table.empty:
        raise CohortError(f"{path.name}: no rows; one row a recording is needed")
    return table


def column_problems(table: pd.DataFrame) -> list[Problem]:
    """Find columns that are missing."""
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


@dataclass(frozen=True)
class Outcomes:
    """What a table says of how patients fared.

    Attributes:
        responses: 0/1 of every row; None where there is none.
        problems: what is wrong with rows, or with the table.
        without: rows of patients who died or were lost, so that nobody can know.
    """

    responses: list[int | None]
    problems: list[Problem]
    without: list[Problem]


def outcomes_of(table: pd.DataFrame) -> Outcomes:
    """Return the response of every row, and why some have none."""
    found = Outcomes([], [], [])
    for i, row in enumerate(table.to_dict("records")):
        patient = str(row["patient_id"])
        values = {str(k): v for k, v in row.items()}
        response = None
        try:
            if not patient:
                raise CohortError("column patient_id is empty")
            if gone := _gone(values):
                found.without.append(Problem(i + 2, patient, gone))
            else:
                response = _response(values)
        except CohortError as error:
            found.problems.append(Problem(i + 2, patient, str(error)))
        found.responses.append(response)
    found.problems.extend(_torn(table, found))
    return found


def _torn(table: pd.DataFrame, found: Outcomes) -> list[Problem]:
    """Find patients of whom one row says another end than the next."""
    gone = {problem.row: problem.text for problem in found.without}
    ends = [gone.get(i + 2, response) for i, response in enumerate(found.responses)]
    said = pd.DataFrame({"patient_id": table["patient_id"], "end": ends}).dropna()
    people = said[said["patient_id"] != ""].groupby("patient_id")["end"].agg(set)
    problems = []
    for both, words, needed in (
        (lambda ends: ends >= {0, 1}, "are in both classes", "one response a patient"),
        (
            lambda ends: len(ends) > 1 and not ends <= {0, 1},
            "have rows that differ in followup",
            "one outcome a patient, or one reason why there is none,",
        ),
    ):
        torn = [str(p) for p, ends in people.items() if both(ends)]
        if torn:
            text = f"{len(torn)} patients {words} ({', '.join(torn)}); {needed} is needed"
            problems.append(Problem(None, "", text))
    return problems


def _gone(row: Mapping[str, Any]) -> str:
    """Return why a patient has no outcome, "" where one is to be expected."""
    said = row.get("followup")
    word = "" if pd.isna(said) else str(said).strip().lower()
    if word not in ("", *FOLLOWUP):
        raise CohortError(f"followup is {said}; {', '.join(FOLLOWUP)} or nothing is needed")
    stated = not pd.isna(row.get("responder")) or not pd.isna(row.get(VOLUMES[1]))
    return "" if stated else FOLLOWUP.get(word, "")


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
