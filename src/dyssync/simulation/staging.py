"""A folder that appears whole or not at all, and that an interrupted run can go on filling."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from dyssync.errors import InputError

MARKER = "simulation.json"  # what the folder was made from; a folder without it is never replaced


@contextmanager
def staged_folder(out: Path, settings: Mapping[str, object], *, force: bool) -> Iterator[Path]:
    """Yield a folder beside `out` that becomes `out` when the block ends without an error.

    After an error or an interruption it stays (`.<name>.partial`); the next call with equal
    `settings` gets it again with all that it holds, one with other settings gets an empty one.

    Raises:
        InputError: `out` exists (and is not to be replaced), or cannot be written.
    """
    _check_free(out, force)
    part = out.parent / f".{out.name}.partial"
    text = json.dumps(dict(settings), indent=1, sort_keys=True) + "\n"
    try:
        marker = part / MARKER
        if not (marker.is_file() and marker.read_text(encoding="utf-8") == text):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            write_whole(marker, text.encode())
        yield part
        if out.exists():
            shutil.rmtree(out)
        part.rename(out)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise InputError(
            f"{out}: cannot be written ({reason}); a folder with free space is needed. "
            "Mend this and start again: what is done is kept"
        ) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name and rename it, so that it is never seen half-written."""
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(data)
    beside.replace(path)


def run_chunks(
    make: Callable[[int], int],
    chunks: Sequence[int],
    *,
    workers: int,
    on_done: Callable[[int], None],
) -> None:
    """Call `make` with each chunk's number, in this process or in `workers` of them.

    Args:
        make: a picklable function; its result is handed to `on_done` in this process.
        chunks: what is still to do.
        workers: processes; 1 starts none.
        on_done: called after each chunk, in order of completion.

    Raises:
        InputError: the system ended one of the processes.
    """
    if workers <= 1 or len(chunks) <= 1:
        for chunk in chunks:
            on_done(make(chunk))
        return
    # spawn: a fork of a process that runs threads (torch) can hang
    with ProcessPoolExecutor(min(workers, len(chunks)), mp_context=get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(make, chunk) for chunk in chunks]):
                on_done(future.result())
        except BrokenProcessPool as error:
            raise InputError(
                "the system ended a simulating process, most often for want of memory; fewer "
                "--workers need less. Start again: what is done is kept"
            ) from error
        finally:  # after an error or an interruption nothing new is begun
            pool.shutdown(wait=True, cancel_futures=True)


def _check_free(out: Path, force: bool) -> None:
    if not out.exists():
        return
    if not force:
        raise InputError(
            f"{out}: exists already; a new folder is needed. Name another, or use --force"
        )
    if not (out / MARKER).is_file():
        raise InputError(
            f"{out}: is no simulated folder (no {MARKER}), so --force does not replace it. "
            "Name another folder"
        )
