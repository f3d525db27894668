"""Processes that pretrain together: started here or found, ended together.

Those that this process starts end with it. Where one of them ends, the others notice at the next
step, and this one says which.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from dyssync.endings import deaf_children
from dyssync.errors import check_range
from dyssync.learning.seats import Seat, seat_given, seat_here
from dyssync.pretraining.contact import LostError, connected
from dyssync.workers import ENDED, WorkerEnded
from dyssync.workers.spawned import Workers, begin_worker

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")

WAIT_DAYS = 30  # chosen
MEET_WITHIN_S = 120.0  # chosen: a process starts within seconds, or it has ended
MOST = 4096  # processes; chosen
TOLD_S = 2.0  # within which an error has reached the process that it is told to; chosen
NOTICE_S = 20.0  # within which the end of a process is known once it is felt; chosen


@dataclass(frozen=True)
class Ranks:
    """How many processes learn together.

    Attributes:
        devices: on each machine: GPUs, or processes on its cores.
        nodes: machines.
        meet_within: s, by when all must be in contact.

    Raises:
        ConfigError: on construction, when there is none or more than :data:`MOST`, or they have
            less than 1 s or more than a day to meet.
    """

    devices: int = 1
    nodes: int = 1
    meet_within: float = MEET_WITHIN_S

    def __post_init__(self) -> None:
        check_range("devices", self.devices, 1, MOST)
        check_range("nodes", self.nodes, 1, MOST)
        check_range("meet within", self.meet_within, 1.0, 86_400.0, "s")

    @property
    def is_one(self) -> bool:
        """Whether one process learns alone, unless something else started it with others."""
        return self.devices == self.nodes == 1


ALONE = Ranks()
Follow: TypeAlias = "Callable[[Fabric], object]"


def leads(ranks: Ranks, env: Mapping[str, str] = os.environ) -> bool:
    """Say whether this process is the one that writes and tells: alone, or the first of several.

    Raises:
        ConfigError: the environment does not fit.
    """
    seat = seat_given(ranks.devices, ranks.nodes, env)
    if seat is None and not ranks.is_one:
        seat = seat_here(ranks.devices, ranks.nodes, env)
    return seat is None or seat.rank == 0


@contextmanager
def together(ranks: Ranks, precision: str, follow: Follow) -> Iterator[Fabric | None]:
    """Yield the device of this process, in contact with the others; None where it is alone.

    Args:
        ranks: how many processes.
        precision: as in `learning.training.make_fabric`.
        follow: what each process does that this one starts; picklable.

    Raises:
        ConfigError: the environment does not fit.
        InputError: another process ended; or what it raised.
    """
    given = seat_given(ranks.devices, ranks.nodes, os.environ)
    if given is None and ranks.is_one:
        yield None
        return
    seat = given or seat_here(ranks.devices, ranks.nodes, os.environ)
    others = range(1, seat.devices) if given is None else range(0)
    if not others:
        with connected(seat, precision, ranks.meet_within) as fabric:
            yield fabric
        return
    crew = Workers()
    with deaf_children():
        executor = ProcessPoolExecutor(len(others), crew, begin_worker, (None, ()))
    try:
        work = partial(_follow, precision=precision, meet_within=ranks.meet_within, follow=follow)
        started = [executor.submit(work, seat.beside(rank)) for rank in others]
        try:
            with connected(seat, precision, ranks.meet_within) as fabric:
                yield fabric
        except LostError:
            _raise_of(started)
            raise
        else:
            _raise_of(started)
    finally:
        # one that waits for this process would do so for ever: what lets go of a network, and
        # with it of the connection, may be kept by an error
        crew.kill()
        executor.shutdown(wait=True, cancel_futures=True)


def in_turn(fabric: Fabric, work: Callable[[], T]) -> T:
    """Do something in the first process, then in the first of each other machine, then elsewhere.

    The others wait as long as it takes: preparing a corpus may take a day.

    Args:
        fabric: of this process.
        work: what is to be done.
    """
    import torch.distributed as dist

    patient = dist.new_group(backend="gloo", timeout=timedelta(days=WAIT_DAYS))
    turn = min(fabric.global_rank, 1) + min(fabric.local_rank, 1)
    for _ in range(turn):
        dist.barrier(patient)
    done = work()
    for _ in range(turn, 3):
        dist.barrier(patient)
    return done


def _follow(seat: Seat, precision: str, meet_within: float, follow: Follow) -> None:
    """Do what a process does that another one started; after an error, end soon."""
    try:
        with connected(seat, precision, meet_within) as fabric:
            follow(fabric)
    except BaseException:
        # the others notice by the end of the connection; until then the error is told to the first
        ending = threading.Timer(TOLD_S, os._exit, (1,))
        ending.daemon = True
        ending.start()
        raise


def _raise_of(started: list[Future[None]]) -> None:
    """Raise what ended one of the others, if anything did; that it lost contact says nothing.

    Raises:
        InputError: the system ended it, or its own.
    """
    wait(started, NOTICE_S)
    errors = [future.exception() for future in started if future.done()]
    for error in errors:
        if isinstance(error, BrokenProcessPool):
            raise WorkerEnded(ENDED) from error
        if error is not None and not isinstance(error, LostError):
            raise error
