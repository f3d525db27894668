"""Folders: whole at once, or made by and by and whole in the end."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EEXIST, ENOTDIR, ENOTEMPTY
from pathlib import Path

from dyssync.errors import InputError
from dyssync.whole.disk import sync, synced_later
from dyssync.whole.files import write_text
from dyssync.whole.owner import one_maker
from dyssync.whole.parts import part_of, remove, sweep, unwritable
from dyssync.whole.replacing import check_replaceable, mark, mark_of

_GO_ON = "What is done is kept: start again to go on"


@contextmanager
def whole_folder(path: Path, *, kind: str | None = None, force: bool = True) -> Iterator[Path]:
    """Yield an empty folder beside `path` that takes its place when the block ends.

    After an error nothing of it is left, and what `path` held before stays. What killed processes
    left half-made beside `path` is removed. Two processes may make the same folder at once: both
    succeed, and the folder of the later one stays; see :func:`dyssync.whole.one_maker`.

    Args:
        path: a new folder, or one that is replaced.
        kind: of a folder that a user names, which is marked and replaced only as
            :func:`check_replaceable` says; None of one inside a folder of ours.
        force: replace a folder of this kind.

    Raises:
        InputError: it cannot be written, or what is there may not be replaced.
    """
    if kind is not None:
        check_replaceable(path, kind, force=force)
    with part_of(path) as part:
        sweep(part.parent)
        part.mkdir(parents=True)
        with synced_later():
            yield part
        _put(part, path, kind, force)


@contextmanager
def resumable_folder(
    path: Path, kind: str, marker: str, settings: Mapping[str, object], *, force: bool
) -> Iterator[Path]:
    """Yield a folder beside `path` that takes its place when the block ends.

    Unlike that of :func:`whole_folder`, it stays after an error or an interruption
    (`.<name>.partial`): the next call with equal `settings` gets it again with all that it holds,
    one with other settings an empty one. One process at a time may make it. What it holds may be
    cut where the power failed: :func:`dyssync.whole.is_whole` tells.

    Args:
        path: a new folder, or one that `force` may replace, see :func:`check_replaceable`.
        kind: of the folder.
        marker: name of the file in the folder that holds `settings`.
        settings: all that the contents of the folder follow from; JSON values.
        force: replace `path`.

    Raises:
        InputError: `path` may not be replaced or cannot be written, or another process is making
            it; or the block's own, with the advice to go on.
    """
    check_replaceable(path, kind, force=force)
    whole = Path(os.path.abspath(path))
    with one_maker(path):
        check_replaceable(path, kind, force=force)  # it may just have been made
        try:
            partial = whole.with_name(f".{whole.name}.partial")
            part = partial_folder(partial, kind, marker, settings)
            yield part
            _put(part, path, kind, force)
        except OSError as error:
            raise InputError(f"{unwritable(path, error)}. {_GO_ON}") from error
        except InputError as error:
            raise InputError(f"{error}. {_GO_ON}") from error


def partial_folder(part: Path, kind: str, marker: str, settings: Mapping[str, object]) -> Path:
    """Return a folder for what an interruption must not cost: taken up, or begun.

    Args:
        part: the folder; made where it is missing, emptied where it was made with other settings.
        kind: of the folder.
        marker: name of the file in it that holds `settings`.
        settings: all that its contents follow from; JSON values.

    Raises:
        InputError: something else lies there, or it cannot be written.
    """
    text = json.dumps(dict(settings), indent=1, sort_keys=True) + "\n"
    try:
        _check_ours(part, kind)
        if _holds(part / marker, text):
            for folder, _, _ in os.walk(part):
                sweep(Path(folder))
            return part
        if part.exists():
            shutil.rmtree(part)
        part.mkdir(parents=True)
        mark(part, kind, finished=False)
        write_text(part / marker, text)
    except OSError as error:
        raise InputError(unwritable(part, error)) from error
    return part


def _check_ours(part: Path, kind: str) -> None:
    """Refuse to work in, or to remove, what somebody else has put in our place."""
    if not os.path.lexists(part):
        return
    made = None if part.is_symlink() else mark_of(part)
    if made is not None and made.kind == kind:
        return
    sweep(part)  # of a process that was killed before it could leave its mark
    if part.is_symlink() or not part.is_dir() or any(part.iterdir()):
        raise InputError(f"{part}: is in the way and not of our making; move it, or name another")


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _put(made: Path, path: Path, kind: str | None, force: bool) -> None:
    """Let a finished folder take its place; what is there may have come since the beginning."""
    if kind is not None:
        mark(made, kind, finished=True)
    sync(made)
    if kind is not None:
        check_replaceable(path, kind, force=force)
    with suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
    if _exchanged(made, path):  # in one step: no kill between two can cost both
        remove(made)
        return
    while True:
        with part_of(path) as old:
            with suppress(FileNotFoundError):
                os.replace(path, old)  # at once: removing it file by file could be interrupted
            try:
                os.replace(made, path)
                return
            except OSError as error:  # another process has just put its own there
                if error.errno not in (EEXIST, ENOTEMPTY):
                    raise


_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders take each other's place; False where there is no other, or no such call."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):  # not Linux, or an old one
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
