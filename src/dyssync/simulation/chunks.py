"""Patients in chunks: made on several processes, each chunk whole or absent, none made twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dyssync.workers import OnProgress, each

MARKER = "simulation.json"  # in a simulated folder: what it was made from
KIND = "simulation"  # of a folder, for `--force`
PARTS = "parts"  # what an unfinished folder holds beside: rows and receipts of chunks


def chunks_of(n: int, size: int) -> list[range]:
    """Return the numbers 0 to n - 1 in chunks of `size`, the last one shorter.

    >>> chunks_of(5, 2)
    [range(0, 2), range(2, 4), range(4, 5)]
    """
    return [range(first, min(first + size, n)) for first in range(0, n, size)]


def receipt_of(folder: Path, chunk: range) -> Path:
    """Return where it is written that a chunk is whole."""
    return folder / PARTS / f"{chunk.start:07d}.receipt.json"


def make_chunks(
    make: Callable[[range], None],
    chunks: Sequence[range],
    is_made: Callable[[range], bool],
    *,
    workers: int,
    on_progress: OnProgress,
) -> None:
    """Make the chunks that are not there yet.

    Args:
        make: picklable where there are several workers; the chunk appears whole or not at all.
        chunks: all of them.
        is_made: says whether a chunk is there.
        workers: processes.
        on_progress: called with how many patients are finished, of how many.

    Raises:
        InputError: a chunk cannot be written, or the system ended one of the processes.
    """
    open_chunks = [chunk for chunk in chunks if not is_made(chunk)]
    n = sum(map(len, chunks))
    done = n - sum(map(len, open_chunks))
    on_progress(done, n)
    for made in each(partial(_made, make), open_chunks, workers=min(workers, len(open_chunks))):
        done += made
        on_progress(done, n)


def _made(make: Callable[[range], None], chunk: range) -> int:
    make(chunk)
    return len(chunk)
