"""One file at a time: it appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dyssync.errors import InputError
from dyssync.whole.disk import sync
from dyssync.whole.parts import part_of, unwritable


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`; if the block makes that file, it becomes `path` at the end.

    After an error nothing is left behind, and what `path` held before stays. The data are on the
    disk before the name is; but see :func:`dyssync.whole.synced_later`.

    Raises:
        InputError: it cannot be written.
    """
    with part_of(path) as part:
        yield part
        if part.exists():
            sync(part)
            os.replace(part, path)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole.

    Raises:
        InputError: it cannot be written.
    """
    with whole_file(path) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a file whole, as UTF-8 with the line ends that `text` has.

    Raises:
        InputError: it cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))


def make_folder(out: Path) -> Path:
    """Return the folder, made where it is missing.

    Raises:
        InputError: it cannot be made or written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(unwritable(out, error)) from error
    if not os.access(out, os.W_OK):
        raise InputError(f"{out}: may not be written to; name another folder")
    return out
