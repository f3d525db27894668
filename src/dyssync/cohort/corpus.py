"""A corpus: ECGs without a label, for self-supervision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dyssync.cohort.digests import digest_of, recording_keys
from dyssync.cohort.recordings import check_usable, read_recordings
from dyssync.cohort.shards import read_shards
from dyssync.cohort.table import Problem, read_table
from dyssync.ecg import ECG
from dyssync.errors import CohortError
from dyssync.image import Input


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
    on_row: Callable[[int, int], None] = lambda done, total: None,
) -> Corpus:
    """Read a corpus from a table (column ecg, optionally patient_id) or a folder of ECG files.

    Recordings that cannot be used are left out and listed in `problems`.

    Raises:
        CohortError: there is no table or folder, or nothing in it can be used.
    """
    if path.is_dir() and any(path.glob("shard-*.parquet")):
        return _read_shards(path, seconds, on_row)
    if path.is_dir():
        files = sorted(p.relative_to(path).as_posix() for p in path.rglob("*.hea"))
        files = files or sorted(
            p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()
        )
        if not files:
            raise CohortError(f"{path.name}: the folder is empty; ECG files are needed")
        table = pd.DataFrame({"ecg": files})
        folder = path
    else:
        table = read_table(path)
        folder = path.parent
    if "ecg" not in table.columns:
        raise CohortError(f"{path.name}: column ecg is missing; the path of each recording")
    if "patient_id" not in table.columns:
        # a file of its own is a patient of its own until a table says otherwise
        table["patient_id"] = table["ecg"].map(lambda name: Path(str(name)).stem)
    ecgs, problems = read_recordings(table, folder, seconds=seconds, on_row=on_row)
    held = tuple(ecg for ecg in ecgs if isinstance(ecg, ECG))
    if not held:
        raise CohortError(
            f"{path.name}: none of {len(table)} recordings can be used; {problems[0]}"
        )
    return Corpus(path.name, held, tuple(problems))


def _read_shards(path: Path, seconds: float, on_row: Callable[[int, int], None]) -> Corpus:
    """Read a corpus that ``dyssync simulate --unlabelled`` made."""
    held = []
    for ecg in read_shards(path):
        check_usable(ecg, seconds=seconds)
        held.append(ecg)
        on_row(len(held), len(held))
    return Corpus(path.name, tuple(held))


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
        str(e.patient_id)
        for e, key in zip(tested, recording_keys(tested), strict=True)
        if key in keys
    ]
    both = sorted(set(shared) | set(same))
    if both:
        raise CohortError(
            f"corpus: {len(both)} patients are also in a test part ({', '.join(both)}); "
            "take their recordings out of the corpus"
        )
