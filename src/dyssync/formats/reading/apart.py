"""Converting files in processes of their own, a fork a file: the side that serves.

See :mod:`isolation` for who asks and why.
"""

from __future__ import annotations

import importlib
import os
import resource
import select
import shutil
import signal
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from dyssync.endings import killed_with_parent
from dyssync.errors import FormatError

# Of address space, beside what the libraries take: twice the pixels of the largest page, and room
# to take apart a file of the largest size.
MEMORY_BYTES = 350_000_000
MEMORY_WHERE_UNKNOWN = 2_000_000_000  # in all, on systems that do not tell what is taken already
Made: TypeAlias = "bytes | Sequence[bytes | memoryview]"
Convert: TypeAlias = "Callable[[bytes], Made]"
DONE, REFUSED, DIED = range(3)  # what became of a file
HEADER = struct.Struct("<BQ")  # outcome, length of what follows
READY = b"R"
_apart_already = False  # whether this process was forked for one file


@dataclass(frozen=True)
class Limits:
    """What a file may take in its process.

    Attributes:
        cpu_s: processor time, s.
        memory_bytes: address space beside what the libraries take.
        opens_files: whether the libraries need files of the system (fonts).
    """

    cpu_s: int = 1
    memory_bytes: int = MEMORY_BYTES
    opens_files: bool = False


ONE_LIBRARY = Limits()


def apart_already() -> bool:
    """Return whether this process was forked for one file, and ends with it."""
    return _apart_already


def exactly(stream: BinaryIO, size: int) -> bytes:
    """Return the next bytes of a stream.

    Raises:
        EOFError: it ends before.
    """
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def pieces(made: Made) -> Sequence[bytes | memoryview]:
    """Return what a file was converted to, in pieces."""
    return [made] if isinstance(made, bytes) else made


def serve(convert: Convert, libraries: Sequence[str], limits: Limits = ONE_LIBRARY) -> int:
    """Convert files from standard input, a child each, until it is closed; return the exit code.

    Args:
        convert: a file to NPZ or pixels, in one piece or several; raises FormatError.
        libraries: names of modules to import once, before the first file.
        limits: of each file.
    """
    for library in libraries:
        importlib.import_module(library)
    asks, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while header := asks.read(HEADER.size):
        data = exactly(asks, HEADER.unpack(header)[1])
        with _scratch() as result:
            child = os.fork()
            if child == 0:
                os._exit(_child(convert, data, result, limits))
            del data  # a server waits long, and what it has read is a patient's
            code = _ending(child, asks)
            outcome = code if code in (DONE, REFUSED) else DIED
            answers.write(HEADER.pack(outcome, result.seek(0, os.SEEK_END)))
            result.seek(0)
            shutil.copyfileobj(result, answers)
        answers.flush()
    return 0


def _scratch() -> BinaryIO:
    """Return a file for one answer: in memory where the system can, so that no disk holds it."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("answer"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())


def _ending(child: int, asks: BinaryIO) -> int:
    """Return the exit code of a child; where whoever asked is gone, end with it (Linux).

    The parent itself is watched by its end of the pipe: the system could tell of the end of the
    thread alone that started this process, and threads of a server come and go.
    """
    if hasattr(os, "pidfd_open"):
        ended = os.pidfd_open(child)
        watched = select.poll()
        watched.register(ended, select.POLLIN)
        watched.register(asks, 0)  # of a pipe that is closed the system tells unasked
        told = [descriptor for descriptor, _ in watched.poll()]
        os.close(ended)
        if ended not in told:
            os.kill(child, signal.SIGKILL)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _child(convert: Convert, data: bytes, result: BinaryIO, limits: Limits) -> int:
    """Convert one file under limits; return the outcome."""
    global _apart_already
    _apart_already = True
    outcome = DIED
    try:
        killed_with_parent()
        _hush()
        _limit(limits)
        for piece in pieces(convert(data)):
            result.write(piece)
        outcome = DONE
    except FormatError as error:
        result.seek(0)
        result.truncate()
        result.write(str(error).encode("utf-8"))
        outcome = REFUSED
    finally:  # what else is raised must not run on into the server's loop
        result.flush()
        os._exit(outcome)


def _hush() -> None:
    """Let a library print nowhere: the output is the server's answer, and may quote the file."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _limit(limits: Limits) -> None:
    """Bound what this process may take."""
    most = _address_space() + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not limits.opens_files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


@contextmanager
def opening_no_files() -> Iterator[None]:
    """Let this process open no file in this block, whatever a file asks of its library."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _address_space() -> int:
    """Return how many bytes this process has mapped."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return MEMORY_WHERE_UNKNOWN - MEMORY_BYTES
    return pages * resource.getpagesize()
