"""A corpus: ECGs without a label, named by a table, a folder or shards."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dyssync.cohort.shards import SHARDS
from dyssync.cohort.stores import Place, Remote
from dyssync.cohort.table import read_table
from dyssync.errors import CohortError
from dyssync.formats import files_in
from dyssync.whole import legible


def check_corpus(path: Place) -> None:
    """Refuse what could not begin to be read, without reading a recording.

    Args:
        path: CSV, Parquet, a folder of ECG files, or one of shards, which may lie in a store.

    Raises:
        CohortError: there is no such table or folder, the folder is empty, or the table names no
            recordings.
    """
    if isinstance(path, Path) and not is_sharded(path):
        _listed(path)


def listed_with_patients(path: Path) -> tuple[pd.DataFrame, Path]:
    """Return the table of a corpus with the columns ecg and patient_id, and its folder.

    Raises:
        CohortError: as :func:`check_corpus`.
    """
    table, folder = _listed(path)
    if "patient_id" not in table.columns:
        # a file of its own is a patient of its own until a table says otherwise
        table["patient_id"] = table["ecg"].map(lambda name: legible(Path(str(name)).stem))
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
    found = files_in(path)
    # of WFDB the headers; and folders that may not be looked into, so that reading them says so
    headers = [p for p in found if p.suffix == ".hea"]
    closed = [p for p in found if p.is_dir()] if headers else []
    files = [p.relative_to(path).as_posix() for p in sorted(headers + closed) or found]
    if not files:
        raise CohortError(f"{path.name}: the folder is empty; ECG files are needed")
    # as objects: strings of pandas hold no name that is no text
    return pd.DataFrame({"ecg": pd.Series(files, dtype=object)}), path


def is_sharded(path: Place) -> bool:
    """Say whether a folder holds shards; what lies in a store can be nothing else."""
    return isinstance(path, Remote) or (path.is_dir() and any(path.glob(SHARDS)))
