"""Readers whose C library hangs or crashes on damaged files: each file in a process of its own.

Found by fuzzing: the HDF5 library loops for ever, deaf to signals; scipy's MATLAB reader segfaults;
PDFium takes its time. Found by breaking in: HDF5 reads other files for whoever asks, a page of PDF
takes a gigabyte, and so does a Parquet page that claims little.

A server (`python -m dyssync.formats.hdf5`) imports the library once and waits. For each file it
forks: the child converts it to NPZ or pixels under limits of time and memory, unable to open any
file, and ends. Nothing that a file does to its process can reach the next file; a fork costs
milliseconds, an import half a second.
"""

from __future__ import annotations

import atexit
import importlib
import os
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from dyssync.endings import killed_with_parent
from dyssync.errors import FormatError
from dyssync.workers import THREAD_SETTINGS

CPU_LIMIT_S = 1
WALL_LIMIT_S = 60  # the machine may be busy with other things
# Of address space, beside what the libraries take: twice the pixels of the largest page, and room
# to take apart a file of the largest size.
MEMORY_BYTES = 350_000_000
MEMORY_WHERE_UNKNOWN = 2_000_000_000  # in all, on systems that do not tell what is taken already
Convert: TypeAlias = "Callable[[bytes], bytes | Sequence[bytes | memoryview]]"
_DONE, _REFUSED, _DIED = range(3)  # what became of a file
_HEADER = struct.Struct("<BQ")  # outcome, length of what follows
_READY = b"R"


def convert_apart(module: str, data: bytes) -> bytes:
    """Return what the `convert` of a module makes of `data` in a process of its own.

    Raises:
        FormatError: what the module says, or that it died of the file.
    """
    with _LOCK:
        try:
            outcome, answer = _ask(module, data)
        except (EOFError, OSError):  # someone ended the server: not the fault of this file
            outcome, answer = _ask(module, data)
    if outcome == _DONE:
        return answer
    if outcome == _REFUSED:
        raise FormatError(answer.decode("utf-8", "replace"))
    raise FormatError("damaged data (the library that reads it gave up); copy the file again")


def _ask(module: str, data: bytes) -> tuple[int, bytes]:
    key = module, os.getpid()
    server = _SERVERS.get(key)
    if server is None:
        server = _SERVERS[key] = _Server(module)
    try:
        return server.ask(data)
    except (EOFError, OSError, FormatError):
        del _SERVERS[key]
        server.kill()
        raise


class _Server:
    """The running server of one module; belongs to the process that started it."""

    def __init__(self, module: str) -> None:
        with tempfile.TemporaryFile() as errors:  # a pipe that nobody empties would block it
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # so that a signal reaches its child as well
                env={**os.environ, **dict.fromkeys(THREAD_SETTINGS, "1")},
            )
            self._asks = cast(BinaryIO, self._process.stdin)
            self._answers = cast(BinaryIO, self._process.stdout)
            if self._answers.read(1) != _READY:
                self.kill()
                errors.seek(0)
                reason = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
                raise FormatError(f"python -m {module} does not start ({''.join(reason)})")

    def ask(self, data: bytes) -> tuple[int, bytes]:
        """Send a file; return its outcome and the answer.

        Raises:
            FormatError: no answer within :data:`WALL_LIMIT_S`.
            EOFError, OSError: the server is gone.
        """
        self._asks.write(_HEADER.pack(_DONE, len(data)))
        self._asks.write(data)
        self._asks.flush()
        if not select.select([self._answers], [], [], WALL_LIMIT_S)[0]:
            raise FormatError("damaged data (reading does not end); copy the file again")
        outcome, size = _HEADER.unpack(_exactly(self._answers, _HEADER.size))
        return outcome, _exactly(self._answers, size)

    def kill(self) -> None:
        """End the server and its child."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


_LOCK = threading.Lock()
# A fork in the middle of an answer would leave the child a lock that nobody opens.
os.register_at_fork(
    before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
)
_SERVERS: dict[tuple[str, int], _Server] = {}  # by module and process: a fork starts its own


@atexit.register
def end_servers() -> None:
    """End the servers of this process; the next file starts them anew."""
    for (_, owner), server in _SERVERS.items():
        if owner == os.getpid():
            server.kill()
    _SERVERS.clear()


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def serve(
    convert: Convert, library: str, cpu_limit_s: int = CPU_LIMIT_S, *, opens_files: bool = False
) -> int:
    """Convert files from standard input, a child each, until it is closed; return the exit code.

    Args:
        convert: a file to NPZ or pixels, in one piece or several; raises FormatError.
        library: name of the module to import once, before the first file.
        cpu_limit_s: processor time that a file may take.
        opens_files: whether the library needs files of the system (fonts).
    """
    killed_with_parent()
    importlib.import_module(library)
    asks, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(_READY)
    answers.flush()
    while header := asks.read(_HEADER.size):
        data = _exactly(asks, _HEADER.unpack(header)[1])
        with tempfile.TemporaryFile() as result:
            child = os.fork()
            if child == 0:
                _limit(cpu_limit_s, opens_files=opens_files)
                os._exit(_child(convert, data, result))
            del data
            status = os.waitpid(child, 0)[1]
            code = os.waitstatus_to_exitcode(status)
            outcome = code if code in (_DONE, _REFUSED) else _DIED
            answers.write(_HEADER.pack(outcome, result.seek(0, os.SEEK_END)))
            result.seek(0)
            shutil.copyfileobj(result, answers)
        answers.flush()
    return 0


def _limit(cpu_limit_s: int, *, opens_files: bool) -> None:
    """Bound what this process may take."""
    most = _address_space() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_limit_s, cpu_limit_s))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not opens_files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _address_space() -> int:
    """Return how many bytes this process has mapped."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return MEMORY_WHERE_UNKNOWN - MEMORY_BYTES
    return pages * resource.getpagesize()


def _child(convert: Convert, data: bytes, result: BinaryIO) -> int:
    """Convert one file; return the outcome."""
    killed_with_parent()
    outcome = _DIED
    try:
        made = convert(data)
        for piece in [made] if isinstance(made, bytes) else made:
            result.write(piece)
        outcome = _DONE
    except FormatError as error:
        result.seek(0)
        result.truncate()
        result.write(str(error).encode("utf-8"))
        outcome = _REFUSED
    finally:  # what else is raised must not run on into the server's loop
        result.flush()
        os._exit(outcome)
