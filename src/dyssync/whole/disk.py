"""When written data reach the disk: before a rename makes them seen, or together at the end.

A renamed file whose data are still in memory is empty after a power failure. Waiting for the disk
takes some 5 ms a file, longer than writing an ECG: where many files are vouched for by one that is
written last (a receipt, `finished.json`, the rename of their folder), they wait together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from errno import EINVAL, ENOTSUP
from pathlib import Path

FEW = 8  # files; of more, one call for the whole disk is faster than one each
_later: ContextVar[bool] = ContextVar("_later", default=False)


@contextmanager
def synced_later() -> Iterator[None]:
    """Do not wait for the disk in this block: another file, written later, vouches for these."""
    token = _later.set(True)
    try:
        yield
    finally:
        _later.reset(token)


def sync(path: Path) -> None:
    """Wait until a file, or all files of a folder, are on the disk; not in :func:`synced_later`.

    Raises:
        OSError: the disk is full or broken.
    """
    if _later.get():
        return
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    if len(files) > FEW:
        os.sync()
        return
    for file in files:
        _sync_file(file)


def sync_all() -> None:
    """Wait until all that was written is on the disk."""
    os.sync()


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (EINVAL, ENOTSUP):  # file systems that know no waiting
            raise
    finally:
        os.close(handle)
