"""A corpus of any size made into material on disk: piece by piece, in memory that does not grow."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dyssync import __version__
from dyssync.cohort.pieces import SECONDS, Piece, fingerprint_of, pieces_of, read_piece
from dyssync.cohort.shard_rows import SIMULATED
from dyssync.cohort.stores import Place
from dyssync.errors import CohortError, ModelError, counted
from dyssync.pretraining.columns import NAMES, Columns, SampleFile, columns_of
from dyssync.pretraining.material import Material, Part, check_shares
from dyssync.records import Record
from dyssync.whole import (
    is_whole,
    resumable_folder,
    synced_later,
    whole_file,
    whole_folder,
    write_receipt,
)
from dyssync.workers import OnProgress, each, unwatched

VERSION = 2  # another one where other columns are held, or computed in another way
KIND, MARKER, RECORD = "corpus", "made_from.json", "source.json"
PROBLEMS = 20  # kept in the record of a source; the count says how many there are


@dataclass(frozen=True)
class SourceRecord(Record):
    """What the prepared folder of a source holds.

    Attributes:
        recordings: usable ones.
        simulated: whether all of them are.
        left_out: how many are not.
        problems: why, of the first of them.
    """

    recordings: int
    simulated: bool
    left_out: int
    problems: tuple[str, ...]


def prepare_material(
    sources: Sequence[Place],
    folder: Path,
    *,
    shares: Sequence[float] = (),
    seconds: float = SECONDS,
    workers: int = 1,
    on_progress: OnProgress = unwatched,
) -> tuple[Material, list[str]]:
    """Return corpora as material whose rows are read from disk when they are asked for.

    Each source is prepared once and found again as long as none of its files changes; interrupted,
    the next call goes on.

    Args:
        sources: as `cohort.pieces.pieces_of` takes them.
        folder: of the cache; made if need be.
        shares: of an epoch, one a source; empty for shares by size.
        seconds: shortest recording that is accepted, s.
        workers: processes.
        on_progress: called with how many pieces of 256 recordings are done, of how many.

    Returns:
        The material, and a line for each source that recordings were left out of.

    Raises:
        CohortError: a source cannot be read, or nothing in it can be used.
        ConfigError: the shares do not fit.
    """
    check_shares(shares, len(sources))
    pieces = [pieces_of(source, seconds=seconds) for source in sources]
    done, of = 0, sum(map(len, pieces))
    parts, told = [], []
    for source, own in zip(sources, pieces, strict=True):
        # measurements may differ from one version of dyssync to the next
        home = folder / f"corpus-{fingerprint_of(own)[:16]}-{__version__}-v{VERSION}"
        if not _is_usable(home):
            shutil.rmtree(home, ignore_errors=True)
            _prepare(own, home, workers, partial(_report, on_progress, done, of))
        done += len(own)
        on_progress(done, of)
        record = SourceRecord.load(home / RECORD)
        if not record.recordings:
            found = f"none of {record.left_out} recordings can be used; {record.problems[0]}"
            raise CohortError(f"{source.name}: {found}")
        told += _lines(source.name, record)
        parts.append(Part(source.name, record.simulated, _opened(home)))
    return Material(parts, shares), told


def _is_usable(home: Path) -> bool:
    """Say whether a prepared source is there, and none of its files cut."""
    try:
        if SourceRecord.load(home / RECORD).recordings:
            _opened(home)
    except (ModelError, OSError, ValueError, EOFError):
        return False
    return True


def _report(on_progress: OnProgress, before: int, of: int, done: int) -> None:
    on_progress(before + done, of)


def _prepare(
    pieces: Sequence[Piece], home: Path, workers: int, report: Callable[[int], None]
) -> None:
    settings = {"pieces": len(pieces), "version": VERSION, "dyssync": __version__}
    home.parent.mkdir(parents=True, exist_ok=True)
    with resumable_folder(home, KIND, MARKER, settings, force=False) as folder:
        targets = [folder / f"piece-{k:06d}" for k in range(len(pieces))]
        asked = [(p, t) for p, t in zip(pieces, targets, strict=True) if not is_whole(t)]
        before = len(pieces) - len(asked)
        for k, _ in enumerate(each(_write_piece, asked, workers=min(workers, len(asked)))):
            report(before + k + 1)
        _join(targets, folder)
        for target in targets:
            shutil.rmtree(target)


def _write_piece(asked: tuple[Piece, Path]) -> None:
    piece, target = asked
    rows, problems = read_piece(piece)
    # the receipt vouches for the rest after a power failure: no need to wait for the disk
    with synced_later(), whole_folder(target) as folder:
        if rows:
            columns = columns_of(rows)
            for name in NAMES:
                np.save(folder / f"{name}.npy", getattr(columns, name))
        shown = tuple(str(problem) for problem in problems[:PROBLEMS])
        simulated = all(row.ecg.source.format == SIMULATED for row in rows)
        SourceRecord(len(rows), simulated, len(problems), shown).save(folder / RECORD)
        write_receipt(folder)


def _join(pieces: Sequence[Path], folder: Path) -> None:
    """Write the columns of all pieces one after the other, and what they hold in all."""
    records = [SourceRecord.load(piece / RECORD) for piece in pieces]
    problems = [problem for record in records for problem in record.problems][:PROBLEMS]
    left_out = sum(record.left_out for record in records)
    held = [piece for piece, record in zip(pieces, records, strict=True) if record.recordings]
    for column in NAMES if held else ():
        _join_column([piece / f"{column}.npy" for piece in held], folder / f"{column}.npy")
    total = sum(record.recordings for record in records)
    simulated = all(record.simulated for record in records)
    SourceRecord(total, simulated, left_out, tuple(problems)).save(folder / RECORD)


def _join_column(pieces: Sequence[Path], path: Path) -> None:
    first = np.load(pieces[0], mmap_mode="r")
    rows = sum(len(np.load(piece, mmap_mode="r")) for piece in pieces)
    header = {
        "descr": np.lib.format.dtype_to_descr(first.dtype),
        "fortran_order": False,
        "shape": (rows, *first.shape[1:]),
    }
    with whole_file(path) as part, part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for piece in pieces:
            np.load(piece).tofile(file)


def _opened(home: Path) -> Columns:
    mapped = {name: np.load(home / f"{name}.npy", mmap_mode="r") for name in NAMES}
    return Columns(**{**mapped, "signals": SampleFile(home / "signals.npy")})


def _lines(name: str, record: SourceRecord) -> list[str]:
    if not record.left_out:
        return []
    left_out = counted(record.left_out, "recording")
    return [f"{name}: {left_out} left out; the first: {record.problems[0]}"]
