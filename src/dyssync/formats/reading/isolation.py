"""Readers whose C library hangs or crashes on damaged files: each file in a process of its own.

Found by fuzzing: the HDF5 library loops for ever, deaf to signals; scipy's MATLAB reader segfaults;
PDFium takes its time. Found by breaking in: HDF5 reads other files for whoever asks, a page of PDF
takes a gigabyte, and so does a Parquet page that claims little.

A server (`python -m dyssync.formats.hdf5`) imports the library once and waits. For each file it
forks: the child converts it to NPZ or pixels under limits of time and memory, unable to open any
file, and ends. Nothing that a file does to its process can reach the next file; a fork costs
milliseconds, an import half a second. A server that reads uploads keeps servers of its own
(:class:`Apart`); what they fork is apart already, and converts in place.
"""

from __future__ import annotations

import atexit
import importlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import nullcontext
from typing import BinaryIO, cast

from dyssync.errors import FormatError, Vetted
from dyssync.formats.reading.apart import (
    DONE,
    HEADER,
    READY,
    REFUSED,
    Convert,
    Limits,
    apart_already,
    exactly,
    opening_no_files,
    pieces,
)
from dyssync.workers import THREAD_SETTINGS

WALL_LIMIT_S = 60  # the machine may be busy with other things
GAVE_UP = "damaged data (the library that reads it gave up); copy the file again"
ENDLESS = "damaged data (reading does not end); copy the file again"


def convert_apart(module: str, data: bytes) -> bytes:
    """Return what the `convert` of a module makes of `data` in a process of its own.

    Args:
        module: with `convert`, and `LIMITS` as its main program serves them.
        data: the file.

    Raises:
        FormatError: what the module says, or that it died of the file.
    """
    if apart_already():
        home = importlib.import_module(module)
        return _in_place(home.convert, home.LIMITS, data)
    with _LOCK:
        key = module, os.getpid()
        if key not in _SERVERS:
            _SERVERS[key] = Apart(module)
        return _SERVERS[key].convert(data)


def _in_place(convert: Convert, limits: Limits, data: bytes) -> bytes:
    """Convert a file in this process, which ends with it."""
    with nullcontext() if limits.opens_files else opening_no_files():
        return b"".join(pieces(convert(data)))


class Apart:
    """Converts with a module in a server process, which is replaced when it dies.

    Belongs to the process that made it; one thread at a time.

    Args:
        module: runs :func:`dyssync.formats.reading.apart.serve` as its main program.
        wall_limit_s: from when on no answer is waited for.
    """

    def __init__(self, module: str, wall_limit_s: float = WALL_LIMIT_S) -> None:
        self.module = module
        self.wall_limit_s = wall_limit_s
        self._server: _Server | None = None

    def start(self) -> None:
        """Start the server now rather than at the first file."""
        if self._server is None:
            self._server = _Server(self.module)

    def convert(self, data: bytes) -> bytes:
        """Return what the module makes of `data`; asks a new server once where the old one is gone.

        Raises:
            FormatError: what the module says, or that it died of the file.
        """
        try:
            outcome, answer = self._ask(data)
        except (EOFError, OSError):  # someone ended the server: not the fault of this file
            outcome, answer = self._ask(data)
        if outcome == DONE:
            return answer
        if outcome == REFUSED:
            said: Vetted = answer.decode("utf-8", "replace")  # by a reader, in its own process
            raise FormatError(said)
        raise FormatError(GAVE_UP)

    def _ask(self, data: bytes) -> tuple[int, bytes]:
        self.start()
        assert self._server is not None
        try:
            return self._server.ask(data, self.wall_limit_s)
        except (EOFError, OSError, FormatError):
            self.end()
            raise

    def end(self) -> None:
        """End the server and what it is working on."""
        if self._server is not None:
            self._server.kill()
        self._server = None


class _Server:
    """The running server of one module."""

    def __init__(self, module: Vetted) -> None:
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
            if self._answers.read(1) != READY:
                self.kill()
                errors.seek(0)
                lines = errors.read().decode("utf-8", "replace").strip().splitlines()
                reason: Vetted = "".join(lines[-1:])  # it has not seen a file yet
                raise FormatError(f"python -m {module} does not start ({reason})")

    def ask(self, data: bytes, wall_limit_s: float) -> tuple[int, bytes]:
        """Send a file; return its outcome and the answer.

        Raises:
            FormatError: no answer within the limit.
            EOFError, OSError: the server is gone.
        """
        self._asks.write(HEADER.pack(DONE, len(data)))
        self._asks.write(data)
        self._asks.flush()
        if not select.select([self._answers], [], [], wall_limit_s)[0]:
            raise FormatError(ENDLESS)
        outcome, size = HEADER.unpack(exactly(self._answers, HEADER.size))
        return outcome, exactly(self._answers, size)

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
_SERVERS: dict[tuple[str, int], Apart] = {}  # by module and process: a fork starts its own


@atexit.register
def end_servers() -> None:
    """End the servers of this process; the next file starts them anew."""
    for (_, owner), server in _SERVERS.items():
        if owner == os.getpid():
            server.end()
    _SERVERS.clear()
