"""Who does the work that is handed out: one choice for a whole command, made at its beginning.

An engine has pools; a pool takes calls and gives back what they returned. Whatever the engine,
results, their order and their bytes are the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from dyssync.errors import InputError

R = TypeVar("R")

TRIES = 3  # of a call whose process the system ended; chosen: memory may be short twice
ENDED = (
    "the system ended a working process, most often for want of memory; fewer processes need less"
)

Hear: TypeAlias = Callable[[Any], None]
Tell: TypeAlias = Callable[[Any], None]  # picklable for the workers of its engine


class WorkerEnded(InputError):  # noqa: N818 - what happened, not a kind of fault of ours
    """The system ended a working process, as often as a call may be tried."""


class Ticket(Generic[R]):
    """A call that was handed out."""


class Pool(ABC):
    """Workers of one kind, each begun in the same way."""

    @abstractmethod
    def submit(self, function: Callable[..., R], *given: object, gpu: bool = False) -> Ticket[R]:
        """Hand out a call.

        Args:
            function: picklable, as are its arguments and its result. It may be called again where
                the system ended a worker: what it writes is whole or absent.
            given: its arguments.
            gpu: whether it computes on a GPU where there is one.
        """

    @abstractmethod
    def wait(self, tickets: Collection[Ticket[Any]]) -> list[Ticket[Any]]:
        """Wait until one of several calls has ended; return those that have, in their order."""

    @abstractmethod
    def result(self, ticket: Ticket[R]) -> R:
        """Wait for what a call returns. What it raises comes out as it is.

        Raises:
            WorkerEnded: the system ended its process each time that it was tried.
        """


class Engine(Protocol):
    """Where pools come from."""

    @property
    def elsewhere(self) -> bool:
        """Whether even one worker is another process than this one."""

    def cores(self) -> int:
        """Return how many workers can compute at once."""

    def pool(
        self, workers: int, begin: Callable[..., None] | None, given: tuple[object, ...], tries: int
    ) -> AbstractContextManager[Pool]:
        """Open a pool; see :func:`dyssync.workers.pool`."""

    def hearing(self, hear: Hear) -> AbstractContextManager[Tell]:
        """Open a way from workers to this process; see :func:`dyssync.workers.hearing`."""
