"""One process at a time: a second call on the same place is refused, a dead one stands in no way.

The system releases the lock of a process with its end, however it ended. The file that carries it
is removed afterwards; one that a killed process left is of no account.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from zlib import crc32

from dyssync.errors import InputError
from dyssync.whole.parts import unwritable

LOCK = ".dyssync-lock"
LONGEST = 200  # bytes of a name that a lock can carry behind it; file systems take 255


@contextmanager
def one_maker(path: Path) -> Iterator[None]:
    """Let no other process make the file or folder `path` during this block.

    Raises:
        InputError: another one is at it, or its folder cannot be written to.
    """
    whole = Path(os.path.abspath(path))
    name = os.fsencode(whole.name)
    short = whole.name if len(name) <= LONGEST else f"{whole.name[:40]}-{crc32(name):08x}"
    with _locked(whole.with_name(f".{short}{LOCK}"), path):
        yield


@contextmanager
def one_worker(folder: Path) -> Iterator[None]:
    """Let no other process work in `folder` during this block; it is made where it is missing.

    What was made is removed afterwards if nothing was put into it.

    Raises:
        InputError: another one is at work, or it cannot be written to.
    """
    with _locked(folder / LOCK, folder):
        yield


@contextmanager
def _locked(lock: Path, what: Path) -> Iterator[None]:
    made = [p for p in (lock.parent, *lock.parent.parents) if not os.path.lexists(p)]
    try:
        held = _acquired(lock)
    except BlockingIOError as error:
        raise InputError(
            f"{what}: another dyssync is at work on it; wait for its end, or name another place"
        ) from error
    except OSError as error:
        raise InputError(unwritable(what, error)) from error
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()  # first, so that nobody can lock it who has found it before
        os.close(held)
        with suppress(OSError):
            for folder in made:
                folder.rmdir()


def _acquired(lock: Path) -> int:
    """Return an open, locked file.

    Raises:
        BlockingIOError: another process has locked it.
    """
    while True:
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            held = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except FileNotFoundError:  # an owner that made the folder has just removed it
            continue
        with ExitStack() as closing:
            closing.callback(os.close, held)
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(held, lock):  # else its owner has just ended and removed it
                closing.pop_all()
                return held


def _is_at(held: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(held), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
