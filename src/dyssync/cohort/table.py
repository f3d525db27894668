"""The table of a cohort or corpus: which columns there are, and who responded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.errors import CohortError

RESPONDER_WORDS = {"0": 0, "0.0": 0, "False": 0, "1": 1, "1.0": 1, "True": 1}
RESPONSE_FALL = 0.15  # LVESV falls by at least 15 % in 6 months (Mori 2025, 10.1111/jce.70212)
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


def is_responder(baseline_ml: float, followup_ml: float) -> int:
    """Return 1 if LVESV fell by at least 15 %, else 0.

    >>> is_responder(200, 170), is_responder(200, 171)
    (1, 0)
    """
    # the tolerance is far below the precision of a volume; it keeps exactly 15 % a response
    return int((baseline_ml - followup_ml) / baseline_ml >= RESPONSE_FALL - 1e-12)


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet table; patient ids stay text.

    Raises:
        CohortError: it is missing, empty or no table.
    """
    if not path.exists():
        raise CohortError(f"{path}: no such file; a table is needed ({' or '.join(TABLE_ENDINGS)})")
    if path.suffix.lower() not in TABLE_ENDINGS or not path.is_file():
        raise CohortError(f"{path.name}: a table is needed ({' or '.join(TABLE_ENDINGS)})")
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


def responses_of(table: pd.DataFrame) -> tuple[list[int | None], list[Problem]]:
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
