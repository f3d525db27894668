"""Calls as Ray tasks: what a worker does with one, and how its result comes back.

What goes to a worker and comes back passes through the pickler of local processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from importlib import import_module
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from dyssync import __version__
from dyssync.errors import InputError, one_line
from dyssync.workers.engine import ENDED, Pool, Ticket, WorkerEnded

R = TypeVar("R")

_Calls = tuple[str, str]  # folder of the command, version of dyssync


def ray_package() -> Any:
    """Return Ray, which most machines do not have.

    Raises:
        ImportError: this one, too.
    """
    return import_module("ray")


class _Call(Ticket[R]):
    def __init__(self, ref: Any) -> None:
        self.ref = ref


class RayPool(Pool):
    """Calls as Ray tasks of one CPU each.

    Args:
        start: what is called once in each process before its first call, and its arguments.
        tries: how often a call is tried whose process ended.
        gpus: that a call gets which computes on one.
    """

    def __init__(
        self,
        start: tuple[Callable[..., None] | None, tuple[object, ...]],
        tries: int,
        gpus: float,
    ) -> None:
        ray = ray_package()
        # in a list, a reference stays one: each process fetches it once
        self.start = [ray.put(_packed(start))]
        self.calls: _Calls = (os.getcwd(), __version__)
        self.gpus = gpus
        self.work = ray.remote(num_cpus=1, max_retries=tries - 1)(_work)
        self.open: set[Any] = set()

    def submit(self, function: Callable[..., R], *given: object, gpu: bool = False) -> Ticket[R]:
        """Hand out a call."""
        work = self.work.options(num_gpus=self.gpus) if gpu and self.gpus else self.work
        ref = work.remote(self.calls, self.start, _packed((function, given)))
        self.open.add(ref)
        return _Call(ref)

    def wait(self, tickets: Collection[Ticket[Any]]) -> list[Ticket[Any]]:
        """Wait until one of several calls has ended."""
        ray = ray_package()
        calls = [ticket for ticket in tickets if isinstance(ticket, _Call)]
        ended, _ = ray.wait([call.ref for call in calls], num_returns=1)
        return [call for call in calls if call.ref in ended]

    def result(self, ticket: Ticket[R]) -> R:
        """Wait for what a call returns."""
        ray = ray_package()
        assert isinstance(ticket, _Call)
        try:
            found: R = ForkingPickler.loads(ray.get(ticket.ref))
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except _ended_processes() as error:
            raise WorkerEnded(ENDED) from error
        except ray.exceptions.RayError as error:
            raise InputError(f"Ray: {one_line(str(error))}; look after the cluster") from error
        self.open.discard(ticket.ref)
        return found

    def cancel(self) -> None:
        """End what nobody wants any more."""
        ray = ray_package()
        for ref in self.open:
            with suppress(ray.exceptions.RayError):
                ray.cancel(ref, force=True)
        self.open.clear()


def _ended_processes() -> tuple[type[Exception], ...]:
    exceptions = ray_package().exceptions
    return (
        exceptions.NodeDiedError,
        exceptions.ObjectLostError,
        exceptions.OutOfMemoryError,
        exceptions.WorkerCrashedError,
    )


def _packed(value: object) -> bytes:
    return bytes(ForkingPickler.dumps(value))


_begun: Any = None  # of a worker: by what it was begun


def _work(calls: _Calls, start: list[Any], packed: bytes) -> bytes:
    """Do a call in a worker; return its result as it would come out of a process here."""
    ray = ray_package()
    global _begun
    folder, version = calls
    if version != __version__:
        raise InputError(
            f"a machine of the cluster has dyssync {__version__}, the command {version}; install "
            "the same everywhere"
        )
    if _begun != start[0]:
        try:
            os.chdir(folder)
        except OSError as error:
            raise InputError(
                f"{folder}: not seen by a machine of the cluster ({error.strerror}); folders must "
                "have the same paths everywhere"
            ) from error
        begin, given = ForkingPickler.loads(ray.get(start[0]))
        if begin is not None:
            begin(*given)
        _begun = start[0]
    function, arguments = ForkingPickler.loads(packed)
    return _packed(function(*arguments))
