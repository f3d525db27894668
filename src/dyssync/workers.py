"""Processes to work in: how many cores there are, one kind of pool, one shape of progress.

Each worker computes with one thread. The numerical libraries would start as many threads in every
process as there are cores, and two workers would then be slower than one (`measure`: 28 ms a file
instead of 10); and with one thread no number depends on how many processes there are.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeAlias, TypeVar

from dyssync.endings import (
    deaf_children,
    end_with_parent,
    ignore_what_is_sent_to_all,
    killed_with_parent,
)
from dyssync.errors import InputError

A = TypeVar("A")
R = TypeVar("R")

OnProgress: TypeAlias = Callable[[int, int], None]  # called with how much is done, of how much

# What the libraries read when they are first imported: OpenMP (LightGBM, torch, Arrow), the BLAS
# of NumPy and SciPy, MKL, OpenCV.
THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
AHEAD = 4  # batches a worker that are handed out; bounds memory, keeps every core busy
# Items; below, starting processes takes longer than the work: two pay from 25 files on where pages
# are drawn as PDF or CSV is written, from 135 for PNG, from 230 where files are measured.
FEW = 100
ENDED = (
    "the system ended a working process, most often for want of memory; fewer processes need less"
)


class WorkerEnded(InputError):  # noqa: N818 - what happened, not a kind of fault of ours
    """The system ended a working process."""


def unwatched(done: int, of: int) -> None:
    """Take progress that nobody looks at."""


def available_cores() -> int:
    """Return how many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):  # Linux; a container may get fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_for(items: Sized, asked: int | None) -> int:
    """Return how many processes to use: those asked for, else a core each where it pays."""
    return asked or (1 if len(items) < FEW else available_cores())


def use_one_thread() -> None:
    """Let this process, and those it starts, compute with one thread, unless the user said else.

    Must be called before NumPy is imported: its libraries read the variables then.
    """
    for name in THREAD_SETTINGS:
        os.environ.setdefault(name, "1")


@contextmanager
def pool(
    workers: int, begin: Callable[..., None] | None = None, *given: object
) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes with one thread each, which end when this process does.

    A process starts when there is work for it. After an error nothing new is begun, and what is
    being done is waited for; after an interruption (KeyboardInterrupt), and where nobody wants the
    results any more, it is ended at once.

    Args:
        workers: processes at most.
        begin: called once in each of them, before its first work.
        given: its arguments.

    Raises:
        InputError: the system ended one of them.
    """
    started = _Workers()
    with deaf_children():  # the process that keeps their semaphores starts here
        executor = ProcessPoolExecutor(workers, started, _begin, (begin, given))
    thread = threading.get_ident()
    try:
        yield executor
    except BrokenProcessPool as error:
        raise WorkerEnded(ENDED) from error
    except (KeyboardInterrupt, GeneratorExit):
        _end_at_once(executor, started)
        raise
    finally:
        # a generator that is forgotten may be cleared away in any thread, the pool's own among them
        _shut_down(executor, started, wait=threading.get_ident() == thread)


def _shut_down(executor: ProcessPoolExecutor, started: _Workers, *, wait: bool) -> None:
    try:
        executor.shutdown(wait=wait, cancel_futures=True)
    except KeyboardInterrupt:
        _end_at_once(executor, started)
        executor.shutdown(wait=wait, cancel_futures=True)
        raise


def _end_at_once(executor: ProcessPoolExecutor, started: _Workers) -> None:
    """End all workers; let the thread of their pool not wait for the rest of what one said."""
    started.kill()
    results = getattr(executor, "_result_queue", None)
    if results is not None:  # it is private; without it, only a worker in mid-sentence would matter
        results._writer.close()


def each(
    function: Callable[[A], R], items: Iterable[A], *, workers: int = 1, together: int = 1
) -> Iterator[R]:
    """Yield the result of every item, in the order of the items.

    Args:
        function: picklable where there are several workers, as are items and results.
        items: any number; a generator is drawn from only as results are taken.
        workers: processes; 1 works in this one.
        together: items that a worker gets at a time; more than one where an item takes no longer
            than some milliseconds, for handing it over takes a share of one.

    Raises:
        InputError: the system ended a worker. What `function` raises comes out as it is.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    source = iter(items)
    with pool(workers) as executor:
        batches = iter(lambda: list(islice(source, together)), [])
        work = partial(_list_of, function)
        pending: deque[Future[list[R]]] = deque(
            executor.submit(work, batch) for batch in islice(batches, AHEAD * workers)
        )
        while pending:
            results = pending.popleft().result()
            pending.extend(executor.submit(work, batch) for batch in islice(batches, 1))
            yield from results


def each_for_itself(
    function: Callable[[A], R],
    items: Sequence[A],
    lost: Callable[[A], R],
    *,
    workers: int = 1,
    together: int = 1,
) -> Iterator[R]:
    """Yield as :func:`each` does; an item that ends its process costs no other its result.

    Args:
        function: as in :func:`each`.
        items: any number.
        lost: makes the result of an item whose process the system ended.
        workers: as in :func:`each`; with one nothing can be done about an item that ends this very
            process.
        together: as in :func:`each`.
    """
    done = 0
    while done < len(items):
        try:
            for result in each(function, items[done:], workers=workers, together=together):
                done += 1
                yield result
        except WorkerEnded:  # by one of those that had been handed out
            doubtful = items[done : done + AHEAD * workers * together]
            done += len(doubtful)
            yield from _one_by_one(function, doubtful, lost)


def _one_by_one(
    function: Callable[[A], R], items: Sequence[A], lost: Callable[[A], R]
) -> Iterator[R]:
    """Yield the results of one process, begun anew after every item that ends it."""
    left = deque(items)
    while left:
        try:
            with pool(1) as executor:
                while left:
                    result = executor.submit(function, left[0]).result()
                    left.popleft()
                    yield result
        except WorkerEnded:
            yield lost(left.popleft())


def _list_of(function: Callable[[A], R], items: list[A]) -> list[R]:
    return [function(item) for item in items]


class _Worker(SpawnProcess):
    """A process that computes with one thread, and ends with the process that started it."""

    # the system ends it with the *thread* that started it, and another one may end before its pool
    of_main_thread = False

    def start(self) -> None:
        self.of_main_thread = threading.current_thread() is threading.main_thread()
        with _STARTING, deaf_children():
            before = {name: os.environ.get(name) for name in THREAD_SETTINGS}
            os.environ.update(dict.fromkeys(THREAD_SETTINGS, "1"))
            try:
                super().start()
            finally:
                for name, value in before.items():
                    if value is None:
                        del os.environ[name]
                    else:
                        os.environ[name] = value

    def terminate(self) -> None:
        self.kill()  # it is deaf to anything milder


class _Workers(SpawnContext):
    """Starts workers anew instead of forking: a copy of threads that a library holds can hang."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[_Worker] = []

    # looked up by the pool as a class that it calls
    def Process(self, *args: Any, **kwargs: Any) -> _Worker:  # type: ignore[override]  # noqa: N802
        """Return a worker to be started."""
        self.started.append(_Worker(*args, **kwargs))
        return self.started[-1]

    def kill(self) -> None:
        """End all workers at once; what they leave half-made is swept later."""
        for worker in self.started:
            if worker.pid is not None:
                worker.kill()


# The variables belong to the whole process: pools of two threads must not mix them up.
_STARTING = threading.Lock()


def _begin(begin: Callable[..., None] | None, given: tuple[object, ...]) -> None:
    ignore_what_is_sent_to_all()
    worker = mp.current_process()
    if isinstance(worker, _Worker) and worker.of_main_thread:
        killed_with_parent()
    end_with_parent()  # where the system does not, or the parent was dead before it was asked to
    if begin is not None:
        begin(*given)
