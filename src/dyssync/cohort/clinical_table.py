"""A table of clinical facts beside ECG files: what `predict` may know of a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dyssync.cohort.plain import plain_facts
from dyssync.cohort.table import read_table
from dyssync.errors import CohortError, join_problems


def read_facts(path: Path) -> dict[str, dict[str, object]]:
    """Return the rows of a table of clinical facts by the name of their ECG file.

    Raises:
        CohortError: it cannot be read, has no column ecg, names a file twice, or holds values that
            cannot be; all such values at once.
    """
    table = read_table(path)
    if "ecg" not in table:
        raise CohortError(f"{path.name}: column ecg is missing; it names the ECG file of each row")
    facts = plain_facts(table)
    rows: dict[str, dict[str, object]] = {}
    problems = [f"row {p.row}: {p.text}" for p in facts.problems]
    for i, record in enumerate(facts.table.to_dict("records")):
        row = {str(key): value for key, value in record.items()}
        name = Path(str(row["ecg"])).name
        if name in rows:
            problems.append(f"row {i + 2}: {name} is there twice; one row a file is needed")
        rows[name] = {**row, **_age_as_written(table, i)}
    if problems:
        raise CohortError(join_problems(problems, path.name))
    return rows


def _age_as_written(table: pd.DataFrame, position: int) -> dict[str, object]:
    """Return the cell of the age, which may be a class: that is said where it is used."""
    return {"age": table["age"].iloc[position]} if "age" in table else {}


def check_facts(facts: Mapping[str, object], files: Sequence[str]) -> None:
    """Refuse a table of clinical facts that lacks a file: it would be scored without a word.

    Raises:
        CohortError: a file has no row; all are named.
    """
    missing = [name for name in files if facts and name not in facts]
    if missing:
        raise CohortError(
            f"no row in the clinical table for {', '.join(missing)}; add one, if with empty cells"
        )
