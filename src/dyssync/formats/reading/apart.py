"""Converting files in processes of their own, a fork a file: the side that serves.

See :mod:`isolation` for who asks and why.
"""

from __future__ import annotations

import importlib
import os
import resource
import struct
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from dyssync.errors import FormatError

CPU_LIMIT_S = 1
MEMORY_LIMIT_BYTES = 2_000_000_000  # of address space, most of it libraries
DONE, REFUSED, DIED = range(3)  # what became of a file
HEADER = struct.Struct("<BQ")  # outcome, length of what follows
READY = b"R"
_apart_already = False  # whether this process was forked for one file


@dataclass(frozen=True)
class Limits:
    """What a file may take in its process: processor time in s, address space in bytes."""

    cpu_s: int = CPU_LIMIT_S
    memory_bytes: int = MEMORY_LIMIT_BYTES


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


def serve(
    convert: Callable[[bytes], bytes], libraries: Sequence[str], limits: Limits = ONE_LIBRARY
) -> int:
    """Convert files from standard input, a child each, until it is closed; return the exit code.

    Args:
        convert: a file to NPZ or pixels; raises FormatError.
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
            status = os.waitpid(child, 0)[1]
            result.seek(0)
            answer = result.read()
        code = os.waitstatus_to_exitcode(status)
        outcome = code if code in (DONE, REFUSED) else DIED
        answers.write(HEADER.pack(outcome, len(answer)) + answer)
        answers.flush()
        del data, answer  # a server waits long, and what it has read is a patient's
    return 0


def _scratch() -> BinaryIO:
    """Return a file for one answer: in memory where the system can, so that no disk holds it."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("answer"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())


def _child(convert: Callable[[bytes], bytes], data: bytes, result: BinaryIO, limits: Limits) -> int:
    """Convert one file under limits; return the outcome."""
    global _apart_already
    _apart_already = True
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _hush()
    outcome = DIED
    try:
        result.write(convert(data))
        outcome = DONE
    except FormatError as error:
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
