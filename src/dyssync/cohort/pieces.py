"""A corpus in pieces, so that one of any size is read in memory that does not grow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from dyssync.cohort.corpus import is_sharded, listed_with_patients
from dyssync.cohort.digests import signal_key
from dyssync.cohort.plain import plain_facts
from dyssync.cohort.recordings import read_problems, read_recordings
from dyssync.cohort.shards import Row, read_shard, shards_of
from dyssync.cohort.stores import Place, Remote
from dyssync.cohort.table import Problem
from dyssync.cohort.usable import refuse_unusable
from dyssync.ecg import ECG
from dyssync.errors import CohortError

SECONDS = 10.0  # of a recording, as studies ask for
PIECE = 256  # files of a piece; a shard holds as many ECGs at most


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a corpus that one process reads at a time.

    Attributes:
        path: a shard; or the folder that the paths of `table` start from.
        table: rows with the columns ecg and patient_id; None for a shard.
        first: number of the first row in the whole table.
        seconds: shortest recording that is accepted, s.
        problems: facts of these rows that cannot be read.
        stamp: of a shard in a store: its size and time.
    """

    path: Place
    table: pd.DataFrame | None = None
    first: int = 0
    seconds: float = SECONDS
    problems: tuple[Problem, ...] = ()
    stamp: str = ""


def pieces_of(path: Place, *, seconds: float = SECONDS) -> list[Piece]:
    """Return a corpus as pieces, in its order, without reading a recording.

    Args:
        path: CSV, Parquet, a folder of ECG files, or one of shards, which may lie in a store.
        seconds: shortest recording that is accepted, s.

    Raises:
        CohortError: as `dyssync.cohort.corpus.check_corpus`.
    """
    if isinstance(path, Remote):
        stamps = path.files()
        return [Piece(s, seconds=seconds, stamp=stamps[s.name]) for s in shards_of(path)]
    if is_sharded(path):
        return [Piece(shard, seconds=seconds) for shard in shards_of(path)]
    table, folder = listed_with_patients(path)
    # of the whole table: one letter for a sex is a word only beside the other letters of its column
    facts = plain_facts(table)
    pieces = []
    for k in range(0, len(table), PIECE):
        rows = range(k + 2, k + PIECE + 2)  # as people count them, below the header
        problems = tuple(problem for problem in facts.problems if problem.row in rows)
        pieces.append(Piece(folder, facts.table[k : k + PIECE], k, seconds, problems))
    return pieces


def read_piece(piece: Piece) -> tuple[list[Row], list[Problem]]:
    """Return the ECGs of a piece as rows, and a problem for each that cannot be used.

    Args:
        piece: of :func:`pieces_of`.

    Raises:
        CohortError: a shard is damaged.
    """
    if piece.table is None:
        return usable_rows(read_shard(piece.path), piece.seconds)
    assert isinstance(piece.path, Path)
    rows = read_recordings(piece.table, piece.path, seconds=piece.seconds)
    unread = [
        replace(problem, row=None if problem.row is None else problem.row + piece.first)
        for problem in read_problems(piece.table, rows)
    ]
    problems = {problem.row: problem for problem in (*piece.problems, *unread)}  # one a row
    ecgs = [
        row.recording
        for number, row in enumerate(rows, piece.first + 2)
        if isinstance(row.recording, ECG) and number not in problems
    ]
    told = [problems[row] for row in sorted(problems, key=lambda row: row or 0)]
    return [Row(ecg, digest=signal_key(ecg)) for ecg in ecgs], told


def usable_rows(rows: Iterable[Row], seconds: float) -> tuple[list[Row], list[Problem]]:
    """Return the rows of a shard that models can use, and a problem for each other.

    Raises:
        CohortError: the shard is damaged.
    """
    kept, problems = [], []
    for row in rows:
        try:
            refuse_unusable(row.ecg, seconds=seconds)
        except CohortError as error:
            problems.append(Problem(None, "", str(error)))
        else:
            kept.append(row)
    return kept, problems


def fingerprint_of(pieces: Sequence[Piece]) -> str:
    """Return a sha256 that changes where a corpus does: its table, and size and time of each file.

    Args:
        pieces: all of a corpus, of :func:`pieces_of`.
    """
    told = hashlib.sha256()
    for piece in pieces:
        told.update(f"{piece.seconds:g}".encode())
        if isinstance(piece.path, Remote):
            told.update(f"{piece.path.name} {piece.stamp}\n".encode())
            continue
        if piece.table is None:
            files = [piece.path]
        else:
            told.update(piece.table.to_csv(index=False).encode("utf-8", "surrogateescape"))
            files = [piece.path / str(name) for name in piece.table["ecg"]]
        for folder in sorted({file.parent for file in files}):
            stems = {file.name.partition(".")[0] for file in files if file.parent == folder}
            for name, state in sorted(states_of_files(folder)):
                if name.partition(".")[0] in stems:
                    told.update(os.fsencode(f"{name} {state}\n"))
    return told.hexdigest()


def states_of_files(folder: str | Path) -> Iterator[tuple[str, str]]:
    """Yield name, and size with time, of each file of a folder that can be looked at, unsorted.

    A folder that is none or may not be read has no such files: reading what was named there will
    tell. Nor is a link one that leads to itself, or to nothing.
    """
    if not os.path.isdir(folder) or not os.access(folder, os.R_OK | os.X_OK):
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # a link to itself, a file that is gone by now
                if entry.is_file():
                    held = entry.stat()
                    yield entry.name, f"{held.st_size} {held.st_mtime_ns}"
