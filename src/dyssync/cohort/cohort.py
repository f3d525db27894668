"""A cohort: patients, their ECGs and their response; read and checked as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.cohort.recordings import mixture_problems, read_recordings, shared_recordings
from dyssync.cohort.splits import PARTS
from dyssync.cohort.table import Problem, column_problems, read_table, responses_of
from dyssync.ecg import ECG
from dyssync.errors import CohortError, join_problems
from dyssync.image import Input

TABLE_COLUMNS = ("patient_id", "ecg", "responder", "fs", "seconds", "sha256")


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
    cohort, problems = check_cohort(path, seconds=seconds, on_progress=on_row)
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
    workers: int = 1,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Cohort, list[Problem]]:
    """Find all problems of a cohort at once; return what is usable beside them.

    Raises:
        CohortError: the table itself cannot be read.
    """
    table = read_table(path)
    problems = column_problems(table)
    if problems:
        empty = pd.DataFrame(columns=["row", "patient_id", "reason"])
        return Cohort(path.name, table, (), empty), problems
    table["patient_id"] = table["patient_id"].fillna("").astype(str).str.strip()
    responder, label_problems = responses_of(table)
    problems += label_problems
    ecgs, read_problems = read_recordings(
        table, path.parent, seconds=seconds, pictures=True, on_row=on_progress
    )
    problems += read_problems + mixture_problems(ecgs)
    problems += shared_recordings(table, ecgs)
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
