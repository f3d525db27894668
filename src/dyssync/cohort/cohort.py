"""A cohort: patients, their recordings and their response; read and checked as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.arrays import Floats
from dyssync.cohort.clinical import FACTS
from dyssync.cohort.exclusions import WITHOUT_COLUMNS, left_out_rows, who_is_gone
from dyssync.cohort.ids import id_problems
from dyssync.cohort.plain import plain_facts
from dyssync.cohort.recordings import (
    RowRead,
    mixture_problems,
    read_cautions,
    read_problems,
    read_recordings,
    shared_recordings,
)
from dyssync.cohort.rows import shared_facts
from dyssync.cohort.splits import PARTS
from dyssync.cohort.table import (
    Problem,
    column_problems,
    fall_of_lvesv,
    outcomes_of,
    read_table,
)
from dyssync.ecg import ECG
from dyssync.errors import CohortError, check_range, join_problems
from dyssync.image import ECGImage, Input, ecg_of
from dyssync.workers import OnProgress, unwatched, workers_for

TABLE_COLUMNS = ("patient_id", "ecg", "responder", "fs", "seconds", "sha256")


@dataclass(frozen=True)
class CohortTable:
    """What a cohort's table says of the recordings that can be used.

    Attributes:
        name: name of the table's file.
        table: a row a recording: patient_id (str), ecg, responder (0/1), fs (Hz), seconds (both
            NaN for pictures), sha256, then the user's other columns.
        excluded: row, patient_id, reason of every recording that cannot be used.
        without_outcome: patients who died or were lost before the echo, as far as the table tells
            of them: :data:`WITHOUT_COLUMNS`.
        cautions: facts that are not quite what the table says (an age of ">89"), and pages that
            seem to show one lead or could not be read off.
    """

    name: str
    table: pd.DataFrame
    excluded: pd.DataFrame
    without_outcome: pd.DataFrame
    cautions: tuple[Problem, ...] = field(default=(), kw_only=True)

    @property
    def responses(self) -> pd.Series[int]:
        """Response (0/1) by patient id, a patient once, in the order of the table."""
        first = self.table.drop_duplicates("patient_id")
        return first.set_index("patient_id")["responder"]

    @property
    def falls(self) -> Floats:
        """By how much LVESV fell, (recordings,) %; NaN where no row of the patient tells it."""
        own = self.table[["patient_id"]].assign(fall=fall_of_lvesv(self.table))
        return shared_facts(own, ["fall"])["fall"].to_numpy(np.float64)

    @property
    def weights(self) -> Floats:
        """Weight of each recording, (recordings,): those of one patient share the weight of one."""
        patients = self.table["patient_id"]
        return 1 / patients.map(patients.value_counts()).to_numpy(np.float64)

    def rows_of(self, patients: Sequence[str]) -> list[int]:
        """Return the positions of all recordings of these patients, in table order."""
        return list(np.flatnonzero(self.table["patient_id"].isin(list(patients))))


@dataclass(frozen=True)
class Cohort(CohortTable):
    """Recordings with a known response.

    Attributes:
        inputs: the recordings, in the order of the table; all signals, or all pictures.
    """

    inputs: tuple[Input, ...]

    @property
    def holds_pictures(self) -> bool:
        """Whether the recordings are pictures of pages instead of signals."""
        return any(isinstance(recording, ECGImage) for recording in self.inputs)

    @property
    def signals(self) -> tuple[ECG, ...]:
        """The recordings as signals: all, or those that were read off pictures."""
        found = (ecg_of(recording) for recording in self.inputs)
        return tuple(ecg for ecg in found if ecg is not None)


def read_cohort(
    path: Path,
    *,
    seconds: float = 10.0,
    exclude_problems: bool = False,
    workers: int = 1,
    on_progress: OnProgress = unwatched,
) -> Cohort:
    """Read a cohort table and all its recordings.

    Args:
        path: CSV or Parquet with patient_id, ecg, and the two volumes or responder.
        seconds: shortest recording that is accepted, s.
        exclude_problems: leave recordings with problems out instead of refusing the cohort.
        workers: processes.
        on_progress: called with how many rows are read, of how many.

    Raises:
        CohortError: the table or a recording cannot be used; all problems at once.
    """
    table, problems, rows = _examine(path, seconds, workers, on_progress, keep=True)
    fatal = [p for p in problems if p.row is None or not exclude_problems]
    if fatal:
        text = join_problems([str(p) for p in fatal], path.name)
        if not exclude_problems and any(p.row is not None for p in problems):
            text += "\nMend the rows, or leave them out with --exclude-bad."
        raise CohortError(text)
    inputs = tuple(row.recording for row in rows if row.recording is not None)
    held = (table.name, table.table, table.excluded, table.without_outcome, inputs)
    return Cohort(*held, cautions=table.cautions)


def check_cohort(
    path: Path,
    *,
    seconds: float = 10.0,
    workers: int | None = 1,
    on_progress: OnProgress = unwatched,
) -> tuple[CohortTable, list[Problem]]:
    """Find all problems of a cohort at once; return what can be used beside them.

    No recording is kept: the memory of one a process is needed, whatever the size of the cohort.
    Arguments as in :func:`read_cohort`; of `workers`, None takes all cores where that pays.

    Raises:
        CohortError: the table itself cannot be read.
    """
    table, problems, _ = _examine(path, seconds, workers, on_progress, keep=False)
    return table, problems


def _examine(
    path: Path, seconds: float, workers: int | None, on_progress: OnProgress, *, keep: bool
) -> tuple[CohortTable, list[Problem], list[RowRead]]:
    """Return what can be used, all problems, and what was read of the usable rows."""
    check_range("seconds", seconds, 0.0, 86_400.0, "s")  # a day; NaN would take any recording
    table = read_table(path)
    problems = column_problems(table)
    if problems:
        nobody = pd.DataFrame(columns=list(TABLE_COLUMNS))
        gone = pd.DataFrame(columns=list(WITHOUT_COLUMNS))
        return CohortTable(path.name, nobody, left_out_rows(problems), gone), problems, []
    table["patient_id"] = table["patient_id"].fillna("").astype(str).str.strip()
    facts = plain_facts(table)
    table = shared_facts(facts.table, FACTS)
    outcomes = outcomes_of(table)
    rows = read_recordings(
        table,
        path.parent,
        seconds=seconds,
        pictures=True,
        keep=keep,
        workers=workers_for(table, workers),
        on_progress=on_progress,
    )
    without = {p.row for p in outcomes.without}
    problems = [
        *outcomes.problems,
        *id_problems(table["patient_id"].tolist()),
        *(p for p in read_problems(table, rows) if p.row not in without),
        *facts.problems,
        *mixture_problems(rows),
        *shared_recordings(table, rows),
    ]
    bad = {p.row for p in problems} | without
    kept = [i for i in range(len(table)) if i + 2 not in bad]
    held = [rows[i] for i in kept]
    usable = table.iloc[kept].assign(
        responder=np.array([outcomes.responses[i] for i in kept], dtype=np.int64),
        fs=[row.fs for row in held],
        seconds=[row.seconds for row in held],
        sha256=[row.sha256 for row in held],
    )
    problems += _class_problems(usable)
    others = [c for c in usable.columns if c not in TABLE_COLUMNS]
    usable = usable[[*TABLE_COLUMNS, *others]].reset_index(drop=True)
    left_out = left_out_rows([*(p for p in problems if p.row not in without), *outcomes.without])
    gone = who_is_gone(table, sorted(row - 2 for row in without if row is not None))
    cautions = (*facts.cautions, *read_cautions(table, rows))
    return CohortTable(path.name, usable, left_out, gone, cautions=cautions), problems, held


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
