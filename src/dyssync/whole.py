"""Files and folders that appear whole or not at all, whatever ends the process meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dyssync.errors import InputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`; if the block makes that file, it becomes `path` at the end.

    After an error nothing is left behind, and what `path` held before stays.

    Raises:
        InputError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        if part.exists():
            os.replace(part, path)
    except OSError as error:
        raise InputError(unwritable(path, error)) from error
    finally:
        part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole.

    Raises:
        InputError: it cannot be written.
    """
    with whole_file(path) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a file whole, as UTF-8 with the line ends that `text` has."""
    write_bytes(path, text.encode("utf-8"))


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path` that takes its place when the block ends.

    After an error nothing of it is left, and what `path` held before stays. What killed processes
    left half-made is removed.

    Raises:
        InputError: it cannot be written.
    """
    # two processes may make the same folder (an encoder of one corpus): each has its own part
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        for left in path.parent.glob(f".{path.name}.*.part"):
            if not _alive(left.name.split(".")[-2]):
                shutil.rmtree(left, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        replace_folder(part, path)
    except OSError as error:
        raise InputError(unwritable(path, error)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def is_part(path: Path) -> bool:
    """Return whether a name is that of an unfinished file or folder, left by a killed process."""
    return path.name.startswith(".") and path.name.endswith(".part")


def replace_folder(made: Path, path: Path) -> None:
    """Let a finished folder take the place of `path`, which goes with all that it held."""
    shutil.rmtree(path, ignore_errors=True)
    os.replace(made, path)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:  # somebody else's process
        return True
    return int(pid) != os.getpid()


def unwritable(path: Path, error: OSError) -> str:
    """Word why a file or folder cannot be written."""
    return f"{path}: cannot be written ({error.strerror or error}); check place and rights"
