"""Processes that a pool starts: one thread each, deaf to what is sent to all, gone with us."""

from __future__ import annotations

import mmap
import multiprocessing as mp
import os
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.reduction import DupFd, ForkingPickler
from typing import IO, Any

from dyssync.endings import (
    deaf_children,
    end_with_parent,
    ignore_what_is_sent_to_all,
    killed_with_parent,
)
from dyssync.workers.threads import THREAD_SETTINGS


class Worker(SpawnProcess):
    """A process that computes with one thread, and ends with the process that started it."""

    # the system ends it with the *thread* that started it, and another one may end before its pool
    of_main_thread = False

    def start(self) -> None:
        """Start it, deaf and with one thread."""
        self.of_main_thread = threading.current_thread() is threading.main_thread()
        with _STARTING, deaf_children():
            before = {name: os.environ.get(name) for name in THREAD_SETTINGS}
            os.environ.update(dict.fromkeys(THREAD_SETTINGS, "1"))
            try:
                super().start()
            finally:
                while _HANDED:
                    _HANDED.pop().close()
                for name, value in before.items():
                    if value is None:
                        del os.environ[name]
                    else:
                        os.environ[name] = value

    def terminate(self) -> None:
        """End it."""
        self.kill()  # it is deaf to anything milder


class Workers(SpawnContext):
    """Starts workers anew instead of forking: a copy of threads that a library holds can hang."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Worker] = []

    # looked up by the pool as a class that it calls
    def Process(self, *args: Any, **kwargs: Any) -> Worker:  # type: ignore[override]  # noqa: N802
        """Return a worker to be started."""
        self.started.append(Worker(*args, **kwargs))
        return self.started[-1]

    def kill(self) -> None:
        """End all workers at once; what they leave half-made is swept later."""
        for worker in self.started:
            if worker.pid is not None:
                worker.kill()


# The variables belong to the whole process: pools of two threads must not mix them up.
_STARTING = threading.Lock()
READ = mmap.PROT_READ
_HANDED: list[IO[bytes]] = []  # to the worker that is being started


class InMemory:
    """What a worker is given, handed over in memory that both see and not through its pipe.

    The standard library writes to that pipe until the worker has read all, and holds its other end
    open meanwhile: a worker that was ended before it could read would be waited for without end.

    Args:
        given: anything that can be handed to a process that is being started.
    """

    def __init__(self, given: tuple[object, ...]) -> None:
        self.given = given

    def __reduce__(self) -> tuple[Callable[[Any], tuple[object, ...]], tuple[Any]]:
        file = os.fdopen(_without_name(), "wb")
        _HANDED.append(file)
        ForkingPickler(file).dump(self.given)
        file.flush()
        return _taken, (DupFd(file.fileno()),)


def _without_name() -> int:
    """Return the number of a file that only who holds it can open, in memory where that can be."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("given")
    number, path = tempfile.mkstemp()
    os.unlink(path)
    return number


def _taken(handed: Any) -> tuple[object, ...]:
    with os.fdopen(handed.detach(), "rb") as file, mmap.mmap(file.fileno(), 0, prot=READ) as held:
        found: tuple[object, ...] = ForkingPickler.loads(held)
    return found


def begin_worker(begin: Callable[..., None] | None, given: tuple[object, ...]) -> None:
    """Begin a worker: deaf to what is sent to all, and gone with its parent.

    Args:
        begin: what is called then; None for nothing.
        given: its arguments.
    """
    ignore_what_is_sent_to_all()
    worker = mp.current_process()
    if isinstance(worker, Worker) and worker.of_main_thread:
        killed_with_parent()
    end_with_parent()  # where the system does not, or the parent was dead before it was asked to
    if begin is not None:
        begin(*given)
