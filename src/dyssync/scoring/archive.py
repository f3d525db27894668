"""What an archive holds, in pieces: each becomes one shard of scores.

Files are cut into pieces where the checksum of a name says so, not by counting: a file that comes
or goes changes the piece that it stands in, and no other.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from dyssync.errors import FAULTS, FormatError
from dyssync.formats.reading.folder import walk_files
from dyssync.whole import legible, mark_of

TYPICAL = 500  # files of a piece; what a killed call does again. Chosen
MOST = 1000  # of a piece
SLICE = 64  # rows of a shard that a worker gets at a time; 15 MB of samples
SIGNALS = ("signal", "fs")  # columns by which a shard of ECGs is told from the table of one ECG
COMPANIONS = (".dat", ".mat")  # of a WFDB header, whose change is a change of the ECG


@dataclass(frozen=True)
class Entry:
    """What a worker gets at a time.

    Attributes:
        path: of the file.
        id: its path in the archive.
        group: row group of a shard; None where the file holds one ECG.
        first: row in that group.
        row: the same row counted from the beginning of the file.
        rows: how many, from there on.
    """

    path: Path
    id: str
    group: int | None = None
    first: int = 0
    row: int = 0
    rows: int = 1


@dataclass(frozen=True)
class Piece:
    """What one shard of scores is made from.

    Attributes:
        name: of the shard, without suffix.
        entries: one at least.
    """

    name: str
    entries: tuple[Entry, ...]

    def fingerprint(self) -> str:
        """Return the sha256 of names, sizes and times of all files, and of the rows taken."""
        told = hashlib.sha256()
        for entry in self.entries:
            told.update(os.fsencode(f"{entry.id}\n{entry.row} {entry.rows}\n"))
            beside = COMPANIONS if entry.path.suffix == ".hea" else ()
            for path in (entry.path, *(entry.path.with_suffix(s) for s in beside)):
                try:
                    held = path.stat()
                except OSError:  # scoring it will tell
                    told.update(b"none\n")
                else:
                    told.update(f"{held.st_size} {held.st_mtime_ns}\n".encode())
        return told.hexdigest()


def pieces_of(archive: Path) -> Iterator[Piece]:
    """Yield an archive in pieces, in its order, as it is walked through.

    Args:
        archive: a folder (with its subfolders) of ECG files, of Parquet shards with a row an ECG,
            or both; or one such file.

    Raises:
        FormatError: there is nothing, or no such place.
    """
    entries = _entries_of(archive)
    held: list[Entry] = []
    empty = True
    for entry in entries:
        empty = False
        if held and _begins(held, entry):
            yield _piece(held)
            held = []
        held.append(entry)
    if empty:
        raise FormatError(f"{archive}: no files; a folder with ECGs, or Parquet shards, is needed")
    yield _piece(held)


def _begins(held: list[Entry], entry: Entry) -> bool:
    """Say whether a piece begins with `entry`, after those that are held."""
    if entry.group is not None or held[-1].group is not None:
        return entry.path != held[-1].path or sum(e.rows for e in held) + entry.rows > MOST
    return len(held) == MOST or _number(entry.id) % TYPICAL == 0


def _number(name: str) -> int:
    """Return a number that follows from a name and from nothing else, evenly over all names."""
    return int.from_bytes(hashlib.blake2b(os.fsencode(name), digest_size=8).digest())


def _piece(entries: list[Entry]) -> Piece:
    first = entries[0]
    key = hashlib.sha256(os.fsencode(f"{first.id}\n{first.row}")).hexdigest()[:16]
    return Piece(f"scores-{key}", tuple(entries))


def _entries_of(archive: Path) -> Iterator[Entry]:
    if not os.path.isdir(archive):
        if not archive.is_file():
            raise FormatError(f"{archive}: no such folder or file; check the path")
        yield from _entries_of_file(archive, legible(archive.name))
        return
    for folder, paths in groupby(walk_files(archive), key=lambda path: path.parent):
        # what lies beside the mark of a folder of ours: shards, and tables and notes about them
        ours = mark_of(folder) is not None
        for path in paths:
            if not ours or path.suffix.lower() == ".parquet":
                yield from _entries_of_file(path, legible(path.relative_to(archive).as_posix()))


def _entries_of_file(path: Path, name: str) -> Iterable[Entry]:
    groups = _row_groups(path) if path.suffix.lower() == ".parquet" else None
    if groups is None:
        return [Entry(path, name)]
    found, row = [], 0
    for group, rows in enumerate(groups):
        for first in range(0, rows, SLICE):
            found.append(Entry(path, name, group, first, row + first, min(SLICE, rows - first)))
        row += rows
    return found


def _row_groups(path: Path) -> list[int] | None:
    """Return the rows of each row group of a shard of ECGs; None of any other file."""
    import pyarrow
    import pyarrow.parquet

    try:
        held = pyarrow.parquet.read_metadata(path)
        if not set(SIGNALS) <= set(held.schema.to_arrow_schema().names):
            return None
        return [held.row_group(k).num_rows for k in range(held.num_row_groups)]
    except (*FAULTS, pyarrow.ArrowException):  # reading it as one ECG will tell
        return None
