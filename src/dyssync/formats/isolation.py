"""Readers whose C library hangs or crashes on damaged files: each runs in a process of its own.

Found by fuzzing: the HDF5 library loops for ever, deaf to signals; scipy's MATLAB reader segfaults.
The module is run as a program (`python -m dyssync.formats.hdf5`), which turns the file on its
standard input into NPZ on its standard output, under limits of time and memory.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from dyssync.errors import FormatError

CPU_LIMIT_S = 2
WALL_LIMIT_S = 60  # the machine may be busy with other things
MEMORY_LIMIT_BYTES = 2_000_000_000  # of address space, most of it libraries
_REFUSED = 2  # exit code of the process for what is wrong with the file


def convert_apart(module: str, data: bytes) -> bytes:
    """Return what `python -m module` makes of `data`.

    Raises:
        FormatError: what the module says, or that it died of the file.
    """
    command = [sys.executable, "-m", module]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=WALL_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FormatError("damaged data (reading does not end); copy the file again") from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == _REFUSED:
        raise FormatError(done.stderr.decode("utf-8", "replace").strip())
    raise FormatError("damaged data (the library that reads it gave up); copy the file again")


def serve(convert: Callable[[bytes], bytes]) -> int:
    """Convert standard input to standard output under limits; return the exit code."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sys.stdout.buffer.write(convert(sys.stdin.buffer.read()))
    except FormatError as error:
        sys.stderr.write(str(error))
        return _REFUSED
    return 0
