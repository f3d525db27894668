"""Files and folders that appear whole or not at all, whatever ends the process meanwhile.

Everything is made beside its place and renamed when it is finished. Its hidden name meanwhile,
`.<name>.dyssync-<pid>-<n>.part`, is its own, so that two processes never write into one; only a
:func:`resumable_folder` is to be found again, and has one owner.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EEXIST, ENOTDIR, ENOTEMPTY
from itertools import count
from pathlib import Path

from dyssync.errors import InputError

_PART = re.compile(r"\.(?P<name>.*)\.dyssync-(?P<pid>\d+)-\d+\.part")
_numbers = count()
_making: set[str] = set()  # names of what this process is at


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`; if the block makes that file, it becomes `path` at the end.

    After an error nothing is left behind, and what `path` held before stays.

    Raises:
        InputError: it cannot be written.
    """
    with _part_of(path) as part:
        yield part
        if part.exists():
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


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path` that takes its place when the block ends.

    After an error nothing of it is left, and what `path` held before stays. What killed processes
    left half-made beside `path` is removed. Two processes may make the same folder at once: both
    succeed, and the folder of the later one stays.

    Raises:
        InputError: it cannot be written.
    """
    with _part_of(path) as part:
        sweep(part.parent)
        part.mkdir(parents=True)
        yield part
        _replace_folder(part, path)


@contextmanager
def resumable_folder(
    path: Path, marker: str, settings: Mapping[str, object], *, force: bool
) -> Iterator[Path]:
    """Yield a folder beside `path` that takes its place when the block ends.

    Unlike that of :func:`whole_folder`, it stays after an error or an interruption
    (`.<name>.partial`): the next call with equal `settings` gets it again with all that it holds,
    one with other settings an empty one. One process at a time may make it.

    Args:
        path: a new folder, or one that `force` may replace, see :func:`check_replaceable`.
        marker: name of the file in the folder that holds `settings`.
        settings: all that the contents of the folder follow from; JSON values.
        force: replace `path`.

    Raises:
        InputError: `path` may not be replaced or cannot be written; or the block's own, with the
            advice to go on.
    """
    check_replaceable(path, marker, force=force)
    whole = Path(os.path.abspath(path))
    part = whole.with_name(f".{whole.name}.partial")
    text = json.dumps(dict(settings), indent=1, sort_keys=True) + "\n"
    try:
        if _holds(part / marker, text):
            for folder, _, _ in os.walk(part):
                sweep(Path(folder))
        else:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            write_text(part / marker, text)
        yield part
        _replace_folder(part, path)
    except OSError as error:
        raise InputError(f"{unwritable(path, error)}. {_GO_ON}") from error
    except InputError as error:
        raise InputError(f"{error}. {_GO_ON}") from error


_GO_ON = "What is done is kept: start again to go on"


def check_replaceable(path: Path, marker: str, *, force: bool) -> None:
    """Refuse a place for a new folder where something is that may not be replaced.

    Only what dyssync made is: a mistyped name must not cost somebody's folder.

    Args:
        path: where the folder is to be.
        marker: name of a file that every folder of this kind holds.
        force: replace a folder of this kind.

    Raises:
        InputError: something is there, and `force` is not set or it holds no `marker`.
    """
    if not path.exists():
        return
    if not force:
        raise InputError(
            f"{path}: exists already; a new folder is needed. Name another, or use --force"
        )
    if not (path / marker).is_file():
        raise InputError(
            f"{path}: holds no {marker}, so it is not of the kind that --force replaces. Name "
            "another folder"
        )


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


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-made directly in `folder`; it need not exist."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        match = _PART.fullmatch(entry.name)
        if match is not None and not _in_making(entry.name, int(match["pid"])):
            _remove(entry)


def unwritable(path: Path, error: OSError) -> str:
    """Word why a file or folder cannot be written, by the names that its parts stand for."""
    parts = ((_PART.fullmatch(step), step) for step in path.parts)
    seen = Path(*(match["name"] if match else step for match, step in parts))
    # Arrow puts sentences of its own into strerror
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"{seen}: cannot be written ({reason}); check place and rights"


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` that no one else uses; what is made there is gone afterwards."""
    whole = Path(os.path.abspath(path))  # "." has no name
    # the name is for people who look; uncut, it might be too long for the file system
    part = whole.with_name(f".{whole.name[:40]}.dyssync-{os.getpid()}-{next(_numbers)}.part")
    _making.add(part.name)
    try:
        yield part
    except OSError as error:
        if not _is_ours(error):
            raise
        raise InputError(unwritable(path, error)) from error
    finally:
        _remove(part)
        _making.discard(part.name)


def _is_ours(error: OSError) -> bool:
    """Say whether writing failed, and not something else that the block did, such as reading."""
    names = [n for n in (error.filename, error.filename2) if isinstance(n, (str, bytes))]
    # without a name: a full disk, or a library's own wording
    return not names or any(
        _PART.fullmatch(step) for name in names for step in Path(os.fsdecode(name)).parts
    )


def _remove(part: Path) -> None:
    """Remove a part if it can be: where none could be made, none can be removed."""
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):
            part.unlink()


def _replace_folder(made: Path, path: Path) -> None:
    """Let a finished folder take the place of `path`, which goes with all that it held."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
    while True:
        with _part_of(path) as old:
            with suppress(FileNotFoundError):
                os.replace(path, old)  # at once: removing it file by file could be interrupted
            try:
                os.replace(made, path)
                return
            except OSError as error:  # another process has just put its own there
                if error.errno not in (EEXIST, ENOTEMPTY):
                    raise


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _in_making(name: str, pid: int) -> bool:
    """Say whether the process that began a part may still be at it."""
    if pid == os.getpid():  # else left by an earlier process of that number
        return name in _making
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's process
        return True
    return True
