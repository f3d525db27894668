"""What is not finished yet: hidden, under a name of its own, and swept when its process is dead.

The name, `.<name>.dyssync-<machine>-<pid>-<n>.part`, is never shared by two processes. Whether a
process of another machine lives cannot be seen from here: its parts are left to that machine.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from zlib import crc32

from dyssync.errors import InputError


class UnwritableError(InputError):
    """A disk is full, or a place may not be written to: no fault of what was to be written."""


# without a machine in the names of earlier versions
PART = re.compile(r"\.(?P<name>.*)\.dyssync-(?:(?P<machine>[0-9a-f]{8})-)?(?P<pid>\d+)-\d+\.part")
_numbers = count()
_making: set[str] = set()  # names of what this process is at


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` that no one else uses; what is made there is gone afterwards.

    Raises:
        UnwritableError: it cannot be written.
    """
    whole = Path(os.path.abspath(path))  # "." has no name
    # the name is for people who look; uncut, it might be too long for the file system
    maker = f"{_machine()}-{os.getpid()}-{next(_numbers)}"
    part = whole.with_name(f".{whole.name[:40]}.dyssync-{maker}.part")
    _making.add(part.name)
    try:
        yield part
    except OSError as error:
        if not _is_ours(error):
            raise
        raise UnwritableError(unwritable(path, error)) from error
    finally:
        remove(part)
        _making.discard(part.name)


def _is_ours(error: OSError) -> bool:
    """Say whether writing failed, and not something else that the block did, such as reading."""
    names = [n for n in (error.filename, error.filename2) if isinstance(n, (str, bytes))]
    # without a name: a full disk, or a library's own wording
    return not names or any(
        PART.fullmatch(step) for name in names for step in Path(os.fsdecode(name)).parts
    )


def unwritable(path: Path, error: OSError) -> str:
    """Word why a file or folder cannot be written, by the names that its parts stand for."""
    parts = ((PART.fullmatch(step), step) for step in path.parts)
    seen = Path(*(match["name"] if match else step for match, step in parts))
    # Arrow puts sentences of its own into strerror
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"{seen}: cannot be written ({reason}); check place and rights"


def legible(name: str) -> str:
    r"""Return the name of a file as text that can be written anywhere: bytes that are none as \xe9.

    >>> legible("caf\udce9.hea")
    'caf\\xe9.hea'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def remove(part: Path) -> None:
    """Remove a part if it can be: where none could be made, none can be removed."""
    if part.is_dir() and not part.is_symlink():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):
            part.unlink()


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-made directly in `folder`; it need not exist."""
    try:
        names = os.listdir(folder)
    except OSError:  # what cannot be looked into cannot be swept
        return
    for name in names:
        match = PART.fullmatch(name)
        if match is None or match["machine"] not in (None, _machine()):
            continue
        if not _in_making(name, int(match["pid"])):
            remove(folder / name)


@cache
def _machine() -> str:
    """Return what tells this machine, or container, from others that see the same files.

    It stays the same when the machine starts anew.
    """
    numbers = ""
    with suppress(OSError):  # not Linux
        numbers = os.readlink("/proc/self/ns/pid")  # processes count anew in a container
    return f"{crc32(f'{platform.node()} {numbers}'.encode()):08x}"


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
