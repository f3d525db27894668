"""`score_archive`: an archive streamed through workers into shards, gone on with where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

from dyssync import __version__
from dyssync.errors import ConfigError
from dyssync.scoring.archive import Piece, pieces_of
from dyssync.scoring.rows import FAILURE, Row, schema_of
from dyssync.scoring.scorer import LOST, Asked, Found, Item, Known, begin, lost, score
from dyssync.scoring.scores import Scores, owned_scores
from dyssync.workers import OnProgress, each_for_itself, unwatched

TOGETHER = 4  # entries that a worker gets at a time; a file takes some 20 ms
SHOWN = 20  # failures that are told; the table has all


@dataclass(frozen=True)
class Scored:
    """What came of an archive.

    Attributes:
        ecgs: in all, with those of earlier calls.
        failed: of them.
        problems: the first failures, a line each.
        shards: in the table.
        kept: of them, those that an earlier call had made.
    """

    ecgs: int
    failed: int
    problems: tuple[str, ...]
    shards: int
    kept: int


def score_archive(
    archive: Path,
    out: Path,
    asked: Asked,
    *,
    workers: int = 1,
    force: bool = False,
    on_progress: OnProgress = unwatched,
) -> Scored:
    """Score all ECGs of an archive, or go on with it.

    No more than the ECGs in the hands of workers and the rows of a shard are in memory.

    Args:
        archive: as :func:`~dyssync.scoring.archive.pieces_of` takes it; it is only read.
        out: folder for the scores; afterwards it holds those of this archive, as it is now.
        asked: bundle and options.
        workers: at most.
        force: begin anew where `out` holds scores by another bundle or other options.
        on_progress: called with how many ECGs are done, of how many are known of so far.

    Raises:
        ConfigError: `out` holds something else.
        FormatError: the archive holds nothing.
        InputError: another process is at work in `out`, or it cannot be written.
    """
    if out.resolve().is_relative_to(archive.resolve()):
        raise ConfigError(f"{out}: lies in the archive; name a folder outside")
    settings = _settings(asked)
    schema = schema_of(asked.models)
    with owned_scores(out, settings, schema, force=force) as scores:
        run = _Run(archive, scores, json.dumps(settings, sort_keys=True), on_progress)
        found = each_for_itself(
            score, run.items(), lost, workers=workers, together=TOGETHER,
            begin=begin, given=(asked,),
        )  # fmt: skip
        for number, entries in groupby(found, key=_piece_of):
            run.write(number, chain.from_iterable(rows for _, rows in entries))
        scores.keep_only(run.names)
        return run.outcome()


def _settings(asked: Asked) -> dict[str, object]:
    """Return all that a row depends on beside the ECG itself."""
    return {
        "bundle": asked.bundle.digest,
        "models": list(asked.models),
        "fs": asked.options.fs,
        "unit": asked.options.unit,
        "id_column": asked.id_column,
        "dyssync": __version__,
    }


def _piece_of(found: Found) -> int:
    return found[0]


class _Run:
    """The pieces of an archive on their way: which are open, which are done."""

    def __init__(
        self, archive: Path, scores: Scores, settings: str, on_progress: OnProgress
    ) -> None:
        self.archive = archive
        self.scores = scores
        self.settings = settings
        self.on_progress = on_progress
        self.names: list[str] = []
        self.open: dict[int, tuple[Piece, str]] = {}
        self.done = self.failed = self.seen = self.kept = 0
        self.problems: list[str] = []

    def items(self) -> Iterator[Item]:
        """Yield what is to be scored, as the archive is walked through."""
        for number, piece in enumerate(pieces_of(self.archive)):
            self.names.append(piece.name)
            self.seen += sum(entry.rows for entry in piece.entries)
            told = f"{self.settings}\n{piece.fingerprint()}"
            made_of = hashlib.sha256(told.encode()).hexdigest()
            if self.scores.is_whole(piece.name, made_of):
                self.kept += 1
                self._count(piece.name)
                continue
            self.open[number] = piece, made_of
            known = _known(self.scores.rows(piece.name))
            for entry in piece.entries:
                own = {entry.id: known[entry.id]} if entry.id in known else {}
                yield Item(number, entry, own if entry.group is None else known)

    def write(self, number: int, rows: Iterator[Row]) -> None:
        """Write a piece of which all rows have come."""
        piece, made_of = self.open.pop(number)
        held = list(rows)
        # what ended its process may have been good, and its machine short of memory: the next call
        # tries it again
        tried_again = any(row.get(FAILURE) == LOST for row in held)
        self.scores.write(piece.name, held, "" if tried_again else made_of)
        self._count(piece.name)

    def _count(self, name: str) -> None:
        ecgs, failed = self.scores.counts(name)
        self.done += ecgs
        self.failed += failed
        if failed and len(self.problems) < SHOWN:
            found = self.scores.failures(name, SHOWN - len(self.problems))
            self.problems += [f"{row['id']}: {row[FAILURE]}" for row in found]
        self.on_progress(self.done, self.seen)

    def outcome(self) -> Scored:
        """Return what came of it."""
        shards = len(self.names)
        return Scored(self.done, self.failed, tuple(self.problems), shards, self.kept)


def _known(rows: list[Row]) -> Known:
    """Return the rows that may be taken over; what failed is tried again."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row[FAILURE] is None:
            found.setdefault(row["id"], {})[row["sha256"]] = row
    return found
