"""What a worker does with an entry of an archive: read, ask, and say in a row what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow

from dyssync.errors import FAULTS, InputError, ModelError, told_fault
from dyssync.formats import ReadOptions, read_input
from dyssync.formats.reading.recording import AS_STATED, MAX_FILE_BYTES
from dyssync.image import ECGImage, Input
from dyssync.keeping import keeping
from dyssync.pages.reading_off import read_off
from dyssync.prediction.bundle import Bundle
from dyssync.prediction.predictor import Predictor
from dyssync.regular import IrregularError, read_regular
from dyssync.scoring.archive import Entry
from dyssync.scoring.rows import Row, failed_row, row_of
from dyssync.scoring.shard_rows import Cells, cells_of, digest_of_samples, ecg_of, samples_of

LOST = "the process that read it was ended by the system"


Known: TypeAlias = Mapping[str, Mapping[str, Row]]  # by id, then by digest of the content
Found: TypeAlias = tuple[int, list[Row]]  # number of the piece, rows of the entry


@dataclass(frozen=True)
class Asked:
    """What is asked of each ECG.

    Attributes:
        bundle: opened.
        models: asked, each with columns of its own; empty for the one answer alone.
        options: what files do not say.
        id_column: of Parquet shards; None for file and row.
    """

    bundle: Bundle
    models: tuple[str, ...] = ()
    options: ReadOptions = AS_STATED
    id_column: str | None = None


@dataclass(frozen=True)
class Item:
    """An entry, and what an earlier call said of it.

    Attributes:
        piece: number of its piece.
        entry: what is scored.
        known: rows that are taken over where id and content are the same.
    """

    piece: int
    entry: Entry
    known: Known


_scorer: Scorer | None = None  # of a worker


def begin(asked: Asked) -> None:
    """Open the bundle, once a worker."""
    global _scorer
    _scorer = Scorer(asked)


def score(item: Item) -> Found:
    """Return the rows of an entry."""
    assert _scorer is not None
    return item.piece, list(_scorer.rows(item))


def lost(item: Item) -> Found:
    """Return the rows of an entry that ended its process."""
    return item.piece, list(failed_rows(item.entry, LOST))


class Scorer:
    """A bundle, opened to ask it about many ECGs."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.predictor = Predictor(asked.bundle, asked.models or None, lazy=not asked.models)

    def rows(self, item: Item) -> Iterator[Row]:
        """Yield the row of each ECG of an entry; one that gives nothing says why."""
        if item.entry.group is None:
            yield self._row_of_file(item)
            return
        entry, column, done = item.entry, self.asked.id_column, 0
        try:
            for cells in cells_of(entry, column):
                name = f"{entry.id}:{entry.row + done}"
                id = name if column is None or cells[column] is None else str(cells[column])
                yield self._row_of_cells(item, id, name, cells)
                done += 1
        except InputError as error:
            yield from failed_rows(entry, str(error), done)
        except (*FAULTS, pyarrow.ArrowException) as error:
            problem = f"damaged Parquet data ({type(error).__name__})"
            yield from failed_rows(entry, problem, done)

    def _row_of_file(self, item: Item) -> Row:
        path, id = item.entry.path, item.entry.id
        digest: str | None = None
        with keeping():
            try:
                x = read_input(path, self.asked.options)
                digest = x.source.sha256
                return _known(item, id, digest) or self._scored(id, digest, x)
            except FAULTS as error:
                return failed_row(id, digest or _digest(item.entry), _told(error, path.name))

    def _row_of_cells(self, item: Item, id: str, name: str, cells: Cells) -> Row:
        digest: str | None = None
        with keeping():
            try:
                samples = samples_of(cells, self.asked.options)
                digest = digest_of_samples(samples)
                if (known := _known(item, id, digest)) is not None:
                    return known
                x = ecg_of(cells, samples, name, self.asked.options)
                return self._scored(id, digest, x)
            except FAULTS as error:
                return failed_row(id, digest, _told(error, name))

    def _scored(self, id: str, digest: str, x: Input) -> Row:
        models = self.asked.models
        if isinstance(x, ECGImage):  # who answers depends on whether a signal could be read off
            x = read_off(x)
        answer = None if models else self.predictor.answering(x)
        if answer is None and not models:
            why = f" {x.unread}" if isinstance(x, ECGImage) else ""
            raise ModelError(f"no model of this bundle answers to it.{why}")
        said = self.predictor.predict(x, None if answer is None else [answer])
        return row_of(id, digest, x, said, models)


def _known(item: Item, id: str, digest: str) -> Row | None:
    return item.known.get(id, {}).get(digest)


def failed_rows(entry: Entry, problem: str, done: int = 0) -> Iterator[Row]:
    """Yield a failure for each ECG of an entry, but for those of the first rows that are done."""
    if entry.group is None:
        yield failed_row(entry.id, None, problem)
        return
    for row in range(entry.row + done, entry.row + entry.rows):
        yield failed_row(f"{entry.id}:{row}", None, problem)


def _told(error: BaseException, name: str) -> str:
    if isinstance(error, (InputError, OSError)):
        return str(error).removeprefix(f"{name}: ")
    return told_fault(error)


def _digest(entry: Entry) -> str | None:
    """Return the digest of a file that could not be used, where it can be read at all."""
    try:
        return hashlib.sha256(read_regular(entry.path, MAX_FILE_BYTES)).hexdigest()
    except (IrregularError, OSError):
        return None
