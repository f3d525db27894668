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
from typing import TypeAlias, TypeVar

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

    A process starts when there is work for it. After an error or an interruption nothing new is
    begun, and what is being done is waited for.

    Args:
        workers: processes at most.
        begin: called once in each of them, before its first work.
        given: its arguments.

    Raises:
        InputError: the system ended one of them.
    """
    executor = ProcessPoolExecutor(workers, _Workers(), _begin, (begin, given))
    try:
        yield executor
    except BrokenProcessPool as error:
        raise WorkerEnded(ENDED) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


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
    """A process that computes with one thread."""

    def start(self) -> None:
        with _STARTING:
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


class _Workers(SpawnContext):
    """Starts workers anew instead of forking: a copy of threads that a library holds can hang."""

    Process = _Worker


# The variables belong to the whole process: pools of two threads must not mix them up.
_STARTING = threading.Lock()


def _begin(begin: Callable[..., None] | None, given: tuple[object, ...]) -> None:
    end_with_parent()
    if begin is not None:
        begin(*given)


def end_with_parent() -> None:
    """Let this worker end when the process that started it does.

    A killed run must not leave processes behind that go on writing.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = mp.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
