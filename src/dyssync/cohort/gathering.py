"""What is to be added to a corpus: files, tables and shards, told apart and known again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from dyssync.cohort.corpus import is_sharded, listed_with_patients
from dyssync.cohort.pieces import SECONDS, Piece, pieces_of, states_of_files
from dyssync.cohort.plain import plain_facts
from dyssync.cohort.shards import SHARD
from dyssync.cohort.stores import Place, Remote
from dyssync.cohort.table import TABLE_ENDINGS, read_table
from dyssync.errors import CohortError
from dyssync.whole import legible

STAMP = 16  # hex digits: of ten million files, one in 10^5 runs meets another's


@dataclass(frozen=True, eq=False)
class Batch:
    """What one worker reads at a time, and becomes one shard.

    Attributes:
        piece: rows of a table, or a shard of another corpus.
        files: a stamp for each row, or the one of the shard.
        names: of each of `files`, for people.
        again: whether an earlier call read them in vain.
    """

    piece: Piece
    files: tuple[str, ...]
    names: tuple[str, ...]
    again: bool = False


@dataclass(frozen=True)
class Sources:
    """What a user named.

    Attributes:
        files: ECG files.
        tables: with a column ecg.
        shards: folders of shards, here or in a store.
    """

    files: Sequence[Path] = ()
    tables: Sequence[Path] = ()
    shards: Sequence[Place] = ()


def kind_of(place: Place) -> str:
    """Say what a place is: "shards", "tables", or else "files", which may be a folder of them."""
    if is_sharded(place):
        return "shards"
    assert isinstance(place, Path)
    if place.suffix.lower() in TABLE_ENDINGS and place.is_file():
        try:
            return "tables" if "ecg" in read_table(place).columns else "files"
        except CohortError:  # an ECG of that format
            return "files"
    return "files"


def batches_of(
    sources: Sources, before: Mapping[str, bool], *, seconds: float = SECONDS
) -> tuple[list[Batch], int]:
    """Return what is to be read, in its order, and how many files are not read again.

    What an earlier call read in vain comes last: so the batches of a call that was killed are those
    of the one that goes on.

    Args:
        sources: what was named.
        before: stamps of files that were read by earlier calls, and whether each gave a recording.
        seconds: shortest recording that is accepted, s.

    Raises:
        CohortError: a table cannot be read, or a folder holds no shards.
        StoreError: a store cannot be reached.
    """
    tables = [listed_with_patients(table) for table in sources.tables]
    if sources.files:
        paths = [os.fspath(path) for path in sources.files]
        patients = [legible(path.stem) for path in sources.files]
        loose = pd.DataFrame({"ecg": paths, "patient_id": patients}, dtype=object)
        tables.append((loose, Path()))
    found = [
        batch for table, folder in tables for batch in _in_batches(table, folder, before, seconds)
    ]
    for shards in sources.shards:
        for piece in pieces_of(shards, seconds=seconds):
            stamp = _stamp_of_shard(piece)
            name = legible(f"{shards.name}/{piece.path.name}")
            found.append(Batch(piece, (stamp,), (name,), before.get(stamp) is False))
    known = [batch for batch in found if all(map(before.get, batch.files))]
    read = [batch for batch in found if not all(map(before.get, batch.files))]
    return sorted(read, key=lambda batch: batch.again), sum(len(batch.files) for batch in known)


def _in_batches(
    table: pd.DataFrame, folder: Path, before: Mapping[str, bool], seconds: float
) -> Iterator[Batch]:
    """Yield batches of rows that are all new, all to be read again, or all known."""
    stamps = _stamps(table, folder)
    # of the whole table: one letter for a sex is a word only beside the other letters of its column
    facts = plain_facts(table)
    unread = {problem.row: problem for problem in facts.problems}
    for status in (None, False, True):
        rows = [k for k, stamp in enumerate(stamps) if before.get(stamp) is status]
        for some in (rows[k : k + SHARD] for k in range(0, len(rows), SHARD)):
            names = tuple(legible(str(name)) for name in table["ecg"].iloc[some])
            problems = tuple(
                replace(unread[k + 2], row=row)  # as in a table of these rows alone
                for row, k in enumerate(some, 2)
                if k + 2 in unread
            )
            piece = Piece(folder, facts.table.iloc[some], seconds=seconds, problems=problems)
            files = tuple(stamps[k] for k in some)
            yield Batch(piece, files, names, status is False)


def _stamp_of_shard(piece: Piece) -> str:
    if isinstance(piece.path, Remote):
        return _stamp(f"{piece.path} {piece.stamp}")
    held = piece.path.stat()
    return _stamp(f"{os.path.abspath(piece.path)} {held.st_size} {held.st_mtime_ns}")


def _stamps(table: pd.DataFrame, folder: Path) -> list[str]:
    """Return a digest a row: its cells, its path, size and time of it and of its companions."""
    seen: dict[str, dict[str, list[str]]] = {}
    stamps = []
    # a name may be no text: its bytes stand in the stamp with the file's own
    told = table.map(_escaped).to_json(
        orient="records", lines=True, force_ascii=True, default_handler=str
    )
    for line, name in zip(told.splitlines(), table["ecg"], strict=True):
        path = os.path.abspath(folder / str(name))
        here, _, file = path.rpartition(os.sep)
        if here not in seen:
            seen[here] = _by_stem(here)
        beside = seen[here].get(file.partition(".")[0], [])
        stamps.append(_stamp("\n".join([here, line, *beside])))
    return stamps


def _escaped(cell: object) -> object:
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell


def _by_stem(folder: str) -> dict[str, list[str]]:
    """Return the files of a folder with size and time, by what their names begin with."""
    found: dict[str, list[str]] = {}
    for name, told in sorted(states_of_files(folder)):
        found.setdefault(name.partition(".")[0], []).append(f"{name} {told}")
    return found


def _stamp(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:STAMP]
