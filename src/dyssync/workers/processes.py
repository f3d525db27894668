"""The engine of one machine: processes with one thread each, which end when this one does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from dyssync.endings import deaf_children
from dyssync.workers.engine import ENDED, Hear, Pool, Tell, Ticket, WorkerEnded
from dyssync.workers.spawned import InMemory, Workers, begin_worker
from dyssync.workers.threads import available_cores

R = TypeVar("R")


class Processes:
    """Processes of this machine."""

    elsewhere = False

    def cores(self) -> int:
        """Return how many cores this process may use."""
        return available_cores()

    @contextmanager
    def pool(
        self, workers: int, begin: Callable[..., None] | None, given: tuple[object, ...], tries: int
    ) -> Iterator[Pool]:
        """Open a pool; a process starts when there is work for it."""
        held = _ProcessPool(workers, (begin, given), tries)
        thread, interrupted = threading.get_ident(), False
        try:
            yield held
        except (KeyboardInterrupt, GeneratorExit):
            interrupted = True
            held.end_at_once()
            raise
        finally:
            # a generator that is forgotten may be cleared away in any thread, the pool's own too
            held.shut_down(wait=threading.get_ident() == thread, interrupted=interrupted)

    @contextmanager
    def hearing(self, hear: Hear) -> Iterator[Tell]:
        """Open a pipe; a thread listens.

        It has no lock: a killed worker could take the lock of a queue with it. What is sent at a
        time must be shorter than what a pipe takes whole (4 kB).
        """
        told, tell = Pipe(duplex=False)
        with told, tell, ThreadPoolExecutor(1) as listener:
            heard = listener.submit(_listen, told, hear)
            try:
                yield _ByPipe(tell)
            finally:
                tell.send(None)
            heard.result()


class _ByPipe:
    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def __call__(self, said: Any) -> None:
        self.pipe.send((said,))


def _listen(told: Connection, hear: Hear) -> None:
    message = told.recv()
    try:
        while message is not None:
            hear(*message)
            message = told.recv()
    finally:
        while message is not None:  # workers would wait for ever before a pipe that nobody empties
            message = told.recv()


class _Call(Ticket[R]):
    """A call, and how often its process was ended."""

    def __init__(self, function: Callable[..., R], given: tuple[object, ...]) -> None:
        self.function = function
        self.given = given
        self.future: Future[R] = Future()
        self.ended = 0

    def is_broken(self) -> bool:
        """Whether its process was ended; who of several did it cannot be told."""
        future = self.future
        return (
            future.done()
            and not future.cancelled()
            and isinstance(future.exception(), BrokenProcessPool)
        )


class _ProcessPool(Pool):
    """A pool of the standard library, begun anew where the system ended one of its processes."""

    def __init__(
        self, workers: int, start: tuple[Callable[..., None] | None, tuple[object, ...]], tries: int
    ) -> None:
        self.workers = workers
        self.start = start
        self.tries = tries
        self.open: dict[_Call[Any], None] = {}  # in the order of their handing out
        self._begin()

    def _begin(self) -> None:
        self.started = Workers()
        with deaf_children():  # the process that keeps their semaphores starts here
            begin, given = self.start
            handed: Any = InMemory(given)  # which the worker finds as what was given
            self.executor = ProcessPoolExecutor(
                self.workers, self.started, begin_worker, (begin, handed)
            )

    def submit(self, function: Callable[..., R], *given: object, gpu: bool = False) -> Ticket[R]:
        """Hand out a call; `gpu` says nothing here: all processes share this machine's."""
        call = _Call(function, given)
        self.open[call] = None
        self._hand_out(call)
        return call

    def _hand_out(self, call: _Call[Any]) -> None:
        try:
            call.future = self.executor.submit(call.function, *call.given)
        except BrokenProcessPool as error:  # the next who asks for a result begins it anew
            call.future = Future()
            call.future.set_exception(error)

    def wait(self, tickets: Collection[Ticket[Any]]) -> list[Ticket[Any]]:
        """Wait until one of several calls has ended."""
        calls = [ticket for ticket in tickets if isinstance(ticket, _Call)]
        while True:
            wait([call.future for call in calls], return_when=FIRST_COMPLETED)
            if not any(call.is_broken() and call.ended < self.tries for call in calls):
                return [call for call in calls if call.future.done()]
            self._begin_anew()

    def result(self, ticket: Ticket[R]) -> R:
        """Wait for what a call returns."""
        assert isinstance(ticket, _Call)
        call: _Call[R] = ticket
        while True:
            try:
                found = call.future.result()
            except BrokenProcessPool as error:
                if call.ended >= self.tries:
                    del self.open[call]
                    raise WorkerEnded(ENDED) from error
                self._begin_anew()
            except BaseException:
                self.open.pop(call, None)
                raise
            else:
                del self.open[call]
                return found

    def _begin_anew(self) -> None:
        """Replace a pool that lost a process, and hand out again what it was at."""
        self.executor.shutdown(wait=True)
        broken = [call for call in self.open if call.is_broken() and call.ended < self.tries]
        self._begin()
        for call in broken:
            call.ended += 1
            if call.ended < self.tries:
                self._hand_out(call)

    def shut_down(self, *, wait: bool, interrupted: bool = False) -> None:
        """Begin nothing new; what is being done is waited for."""
        try:
            self.executor.shutdown(wait=wait, cancel_futures=True)
        except KeyboardInterrupt:
            self.end_at_once()
            self.executor.shutdown(wait=wait, cancel_futures=True)
            raise
        except RuntimeError:
            # The interruption came while the executor's own thread was starting, which cannot be
            # waited for then.
            if not interrupted:
                raise

    def end_at_once(self) -> None:
        """End all workers; let the thread of their pool not wait for the rest of what one said."""
        self.started.kill()
        results = getattr(self.executor, "_result_queue", None)
        if results is not None:  # private; without it, only a worker in mid-sentence would matter
            results._writer.close()
