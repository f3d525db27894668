"""ECG files, tables and shards added to a corpus: each recording once, each piece whole or redone.

Pieces are read and written by workers; this process takes what they made in its order, leaves out
what is known by its digest, and puts it into the corpus. So the bytes do not depend on how many
workers there are, nor on where an earlier call was killed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from dyssync.cohort.digests import signal_key
from dyssync.cohort.gathering import Batch, Sources, batches_of
from dyssync.cohort.manifests import Manifest, being_added_to, publish, read_before, read_manifests
from dyssync.cohort.pieces import SECONDS, usable_rows
from dyssync.cohort.recordings import ENDED_BY_SYSTEM, read_recordings
from dyssync.cohort.shard_rows import Row
from dyssync.cohort.shards import read_shard, write_shard, write_table
from dyssync.cohort.stores import Place
from dyssync.ecg import ECG
from dyssync.errors import InputError, counted
from dyssync.whole import legible
from dyssync.workers import OnProgress, each_for_itself, unwatched


@dataclass(frozen=True)
class Added:
    """What became of an addition.

    Attributes:
        recordings: that are new in the corpus.
        duplicates: that it had already, or that were there twice.
        known: files that an earlier call has read, and which are as they were.
        problems: a line for each file that gave no recording.
        total: recordings that the corpus holds.
    """

    recordings: int
    duplicates: int
    known: int
    problems: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class _Made:
    """What a worker made of a batch: a shard of the recordings `digests`, and why others fail."""

    path: Path
    sha256: str
    bytes: int
    digests: tuple[str, ...]
    problems: dict[str, str]


def add_to_corpus(
    corpus: Place,
    sources: Sources,
    *,
    seconds: float = SECONDS,
    workers: int = 1,
    apart: bool = False,
    on_progress: OnProgress = unwatched,
) -> Added:
    """Add recordings to a corpus, a new one or one that was made by earlier calls.

    Killed at any moment, the same call goes on and leaves the same bytes. Memory grows by some 200
    bytes a recording, by which it is known again.

    Args:
        corpus: folder on this disk or in a store.
        sources: what to read.
        seconds: shortest recording that is accepted, s.
        workers: processes.
        apart: whether one worker, too, is another process than this: a file may end its process.
        on_progress: called with how many files are done, of how many.

    Raises:
        InputError: the corpus is damaged, cannot be written, or is none; or a table cannot be read.
        StoreError: a store cannot be reached.
    """
    with being_added_to(corpus) as scratch:
        held = read_manifests(corpus)
        known = {bytes.fromhex(digest) for manifest in held for digest in manifest.digests}
        number, before = len(held), len(known)
        batches, skipped = batches_of(sources, read_before(held), seconds=seconds)
        held.clear()  # of a million recordings 200 MB
        problems: list[str] = []
        duplicates, done = 0, skipped
        of = done + sum(len(batch.files) for batch in batches)
        on_progress(done, of)
        with closing(_all_made(batches, scratch, workers, apart)) as all_made:
            for batch, made in zip(batches, all_made, strict=True):
                manifest = _settled(batch, made, known)
                if manifest.sha256 or not batch.again:  # read again in vain, it is written already
                    publish(corpus, number, manifest, made.path)
                    number += 1
                made.path.unlink(missing_ok=True)
                duplicates += manifest.duplicates
                problems += manifest.problems.values()
                done += len(batch.files)
                on_progress(done, of)
    return Added(len(known) - before, duplicates, skipped, tuple(problems), len(known))


def _all_made(batches: list[Batch], scratch: Path, workers: int, apart: bool) -> Generator[_Made]:
    """Yield what is made of each batch; a file that ends its process costs no other its place."""
    numbered = list(enumerate(batches))
    make = partial(_made, scratch=scratch)
    one_by_one = partial(_made, scratch=scratch, one_by_one=True)
    made = each_for_itself(make, numbered, one_by_one, workers=workers, apart=apart)
    assert isinstance(made, Generator)
    with closing(made):
        yield from made


def _made(numbered: tuple[int, Batch], scratch: Path, one_by_one: bool = False) -> _Made:
    """Read a batch and write its shard; `one_by_one` where a file of it ends its process."""
    number, batch = numbered
    path = scratch / f"{number:06d}.parquet"
    rows, problems = _rows_of(batch, one_by_one)
    if rows:
        write_shard(path, rows)
    return _Made(path, *_told_of(path), tuple(row.digest for row in rows), problems)


def _told_of(path: Path) -> tuple[str, int]:
    """Return sha256 and bytes of a shard; of none "" and 0."""
    if not path.exists():
        return "", 0
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _rows_of(batch: Batch, one_by_one: bool) -> tuple[list[Row], dict[str, str]]:
    """Return the rows of a batch, and the problem of each file that has one."""
    piece = batch.piece
    if piece.table is None and one_by_one:  # it has been tried by itself
        return [], {batch.files[0]: f"{batch.names[0]}: {ENDED_BY_SYSTEM}"}
    if piece.table is None:
        return _rows_of_shard(batch)
    assert isinstance(piece.path, Path)
    read = read_recordings(piece.table, piece.path, seconds=piece.seconds, apart=one_by_one)
    facts = {problem.row: problem.text for problem in piece.problems}
    # a manifest takes no name that is no text
    whys = [legible(found.problem or facts.get(row, "")) for row, found in enumerate(read, 2)]
    problems = {
        file: f"{name}: {why.removeprefix(f'{Path(name).name}: ')}"
        for file, name, why in zip(batch.files, batch.names, whys, strict=True)
        if why
    }
    ecgs = [
        found.recording
        for found, why in zip(read, whys, strict=True)
        if isinstance(found.recording, ECG) and not why
    ]
    return [Row(ecg, digest=signal_key(ecg)) for ecg in ecgs], problems


def _rows_of_shard(batch: Batch) -> tuple[list[Row], dict[str, str]]:
    (file,), (name,) = batch.files, batch.names
    try:
        rows, problems = usable_rows(read_shard(batch.piece.path), batch.piece.seconds)
    except InputError as error:
        return [], {file: f"{name}: {str(error).removeprefix(f'{batch.piece.path.name}: ')}"}
    if not problems:
        return rows, {}
    left_out = counted(len(problems), "recording")
    return rows, {file: f"{name}: {left_out} left out; the first: {problems[0]}"}


def _settled(batch: Batch, made: _Made, known: set[bytes]) -> Manifest:
    """Leave out of a shard what is known, note the rest as known, and return its manifest."""
    kept = []
    for digest in made.digests:
        key = bytes.fromhex(digest)
        kept.append(key not in known)
        known.add(key)
    sha256, size = made.sha256, made.bytes
    if not any(kept):
        sha256, size = "", 0
    elif not all(kept):
        write_table(made.path, pq.read_table(made.path).filter(kept))
        sha256, size = _told_of(made.path)
    return Manifest(
        sha256=sha256,
        bytes=size,
        digests=tuple(d for d, keep in zip(made.digests, kept, strict=True) if keep),
        files=batch.files,
        duplicates=kept.count(False),
        problems=made.problems,
    )
