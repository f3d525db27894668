"""Bytes of regular files, of a bounded size: what is read from users is never a pipe or a device.

A FIFO would be waited for, a device may give bytes for ever, and what the kernel makes up under
/proc or /sys is no file of anybody. Links are followed; what they lead to is looked at.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOENT
from io import BufferedReader
from pathlib import Path

from dyssync.errors import InputError

# Opening must neither wait for a writer nor make a terminal ours; Windows knows neither of these.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_FLAGS |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
MADE_UP = (
    "another number of bytes than its size says; a whole file is needed, which nobody is writing"
)


class IrregularError(InputError):
    """What a path leads to is no regular file, or too large; the text does not name it."""


@contextmanager
def regular_file(path: Path, most: int) -> Iterator[tuple[BufferedReader, int]]:
    """Yield a regular file, open for reading, and its size in bytes.

    Args:
        path: of the file.
        most: bytes; a larger file is not opened.

    Raises:
        IrregularError: it is a folder, a pipe, a socket or a device, or larger than `most`.
        OSError: it is missing or may not be read, or its name is none.
    """
    if "\0" in str(path):
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
    _check(os.stat(path), most)  # before it is opened: opening a device may do something
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        _check(found, most)  # of what was opened: the path may lead elsewhere by now
        yield file, found.st_size


def read_regular(path: Path, most: int) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: of the file.
        most: bytes.

    Raises:
        IrregularError: as :func:`regular_file`, or it holds more or fewer bytes than its size says,
            as files do that the kernel makes up.
        OSError: as :func:`regular_file`.
    """
    with regular_file(path, most) as (file, size):
        if size == 0:  # reading would wait at some places under /proc
            return b""
        data = file.read(size + 1)
    if len(data) != size:
        raise IrregularError(MADE_UP)
    return data


def digest_of_file(path: Path, most: int) -> str:
    """Return the sha256 of a regular file, read piece by piece.

    Raises:
        IrregularError, OSError: as :func:`regular_file`.
    """
    with regular_file(path, most) as (file, _):
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((word for is_kind, word in _KINDS if is_kind(found.st_mode)), "something else")
        raise IrregularError(f"{kind}; a regular file is needed")
    if found.st_size > most:
        raise IrregularError(f"{found.st_size / 1e6:.0f} MB; at most {most / 1e6:.0f} MB are read")
