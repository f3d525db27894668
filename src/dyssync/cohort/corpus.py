"""A corpus: ECGs without a label, read whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dyssync.cohort.digests import digest_of, recording_keys
from dyssync.cohort.recordings import read_problems, read_recordings
from dyssync.cohort.shards import SHARDS, count_in_shards, read_shards
from dyssync.cohort.table import Problem, read_table
from dyssync.cohort.usable import refuse_unusable
from dyssync.ecg import ECG
from dyssync.errors import CohortError
from dyssync.image import Input
from dyssync.workers import OnProgress, unwatched


@dataclass(frozen=True)
class Corpus:
    """Unlabelled recordings.

    Attributes:
        name: name of the table or folder.
        ecgs: the recordings; `patient_id` is set where the table has it.
        problems: recordings that were left out, with the reason.
    """

    name: str
    ecgs: tuple[ECG, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def digest(self) -> str:
        """sha256 of the recordings in their order, see :func:`digest_of`."""
        return digest_of(self.ecgs)


def read_corpus(
    path: Path,
    *,
    seconds: float = 10.0,
    workers: int = 1,
    on_progress: OnProgress = unwatched,
) -> Corpus:
    """Read a corpus: the ECGs that a table (column ecg, optionally patient_id) or a folder names.

    Recordings that cannot be used are left out and listed in `problems`.

    Args:
        path: CSV, Parquet, a folder of ECG files, or one of ``dyssync simulate --unlabelled``.
        seconds: shortest recording that is accepted, s.
        workers: processes; shards are read in this one.
        on_progress: called with how many recordings are read, of how many.

    Raises:
        CohortError: as :func:`check_corpus`, or nothing in it can be used.
    """
    if is_sharded(path):
        return _read_shards(path, seconds, on_progress)
    table, folder = listed_with_patients(path)
    rows = read_recordings(table, folder, seconds=seconds, workers=workers, on_progress=on_progress)
    problems = read_problems(table, rows)
    ecgs = tuple(row.recording for row in rows if isinstance(row.recording, ECG))
    if not ecgs:
        raise CohortError(
            f"{path.name}: none of {len(table)} recordings can be used; {problems[0]}"
        )
    return Corpus(path.name, ecgs, tuple(problems))


def check_corpus(path: Path) -> None:
    """Refuse what :func:`read_corpus` could not begin to read, without reading a recording.

    Raises:
        CohortError: there is no such table or folder, the folder is empty, or the table names no
            recordings.
    """
    if not is_sharded(path):
        _listed(path)


def listed_with_patients(path: Path) -> tuple[pd.DataFrame, Path]:
    """Return the table of a corpus with the columns ecg and patient_id, and its folder.

    Raises:
        CohortError: as :func:`check_corpus`.
    """
    table, folder = _listed(path)
    if "patient_id" not in table.columns:
        # a file of its own is a patient of its own until a table says otherwise
        table["patient_id"] = table["ecg"].map(lambda name: Path(str(name)).stem)
    return table, folder


def _listed(path: Path) -> tuple[pd.DataFrame, Path]:
    """Return a table with the column ecg, and the folder that its paths start from."""
    if not path.exists():
        raise CohortError(
            f"{path}: no such file or folder; a table or a folder of ECG files is needed"
        )
    if not path.is_dir():
        table = read_table(path)
        if "ecg" not in table.columns:
            raise CohortError(f"{path.name}: column ecg is missing; the path of each recording")
        return table, path.parent
    headers = sorted(p.relative_to(path).as_posix() for p in path.rglob("*.hea"))
    files = headers or sorted(
        p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()
    )
    if not files:
        raise CohortError(f"{path.name}: the folder is empty; ECG files are needed")
    return pd.DataFrame({"ecg": files}), path


def is_sharded(path: Path) -> bool:
    """Say whether a folder holds a simulated corpus."""
    return path.is_dir() and any(path.glob(SHARDS))


def _read_shards(path: Path, seconds: float, on_progress: OnProgress) -> Corpus:
    ecgs: list[ECG] = []
    n = count_in_shards(path)
    for ecg in read_shards(path):
        refuse_unusable(ecg, seconds=seconds)
        ecgs.append(ecg)
        on_progress(len(ecgs), n)
    return Corpus(path.name, tuple(ecgs))


def check_apart(
    corpus: Sequence[ECG], test_patients: Iterable[str], tested: Sequence[Input]
) -> None:
    """Refuse a corpus that holds a patient or a recording of a test part.

    Raises:
        CohortError: it does; all patients are named.
    """
    patients = {ecg.patient_id for ecg in corpus}
    shared = sorted(set(test_patients) & {p for p in patients if p})
    keys = set(recording_keys(corpus))
    same = [
        str(recording.patient_id)
        for recording, key in zip(tested, recording_keys(tested), strict=True)
        if key in keys
    ]
    both = sorted(set(shared) | set(same))
    if both:
        raise CohortError(
            f"corpus: {len(both)} patients are also in a test part ({', '.join(both)}); "
            "take their recordings out of the corpus"
        )
