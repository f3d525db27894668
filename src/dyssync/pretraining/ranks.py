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
from dyssync.errors import InputError, check_range
from dyssync.learning.seats import Seat, join_others, seat_given, seat_here
from dyssync.workers import ENDED, WorkerEnded
from dyssync.workers.spawned import Workers, begin_worker

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")

WAIT_DAYS = 30  # chosen
MOST = 4096  # processes; chosen
TOLD_S = 2.0  # within which an error has reached the process that it is told to; chosen
NOTICE_S = 20.0  # within which the end of a process is known once it is felt; chosen
LOST = "another process of this pretraining ended, or cannot be reached; start again to go on"


@dataclass(frozen=True)
class Ranks:
    """How many processes learn together.

    Attributes:
        devices: on each machine: GPUs, or processes on its cores.
        nodes: machines.

    Raises:
        ConfigError: on construction, when there is none or more than :data:`MOST`.
    """

    devices: int = 1
    nodes: int = 1

    def __post_init__(self) -> None:
        check_range("devices", self.devices, 1, MOST)
        check_range("nodes", self.nodes, 1, MOST)


ALONE = Ranks()
Follow: TypeAlias = "Callable[[Fabric], object]"


def leads(ranks: Ranks, env: Mapping[str, str] = os.environ) -> bool:
    """Say whether this process is the one that writes and tells: alone, or the first of several.

    Raises:
        ConfigError: the environment does not fit.
    """
    seat = seat_given(ranks.devices, ranks.nodes, env)
    if seat is None and ranks != ALONE:
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
    if given is None and ranks == ALONE:
        yield None
        return
    seat = given or seat_here(ranks.devices, ranks.nodes, os.environ)
    others = range(1, seat.devices) if given is None else range(0)
    if not others:
        with _connected(seat, precision) as fabric:
            yield fabric
        return
    crew = Workers()
    with deaf_children():
        executor = ProcessPoolExecutor(len(others), crew, begin_worker, (None, ()))
    try:
        work = partial(_follow, precision=precision, follow=follow)
        started = [executor.submit(work, seat.beside(rank)) for rank in others]
        try:
            with _connected(seat, precision) as fabric:
                yield fabric
        except _LostError:
            _raise_of(started)
            raise
        else:
            _raise_of(started)
    finally:
        # one that waits for this process would do so for ever: what lets go of a network, and
        # with it of the connection, may be kept by an error
        crew.kill()
        executor.shutdown(wait=True, cancel_futures=True)


class _LostError(InputError):
    """The others cannot be reached."""


@contextmanager
def _connected(seat: Seat, precision: str) -> Iterator[Fabric]:
    """Yield the device of a process; let the others notice when the block ends."""
    import torch.distributed as dist

    before = {name: os.environ.get(name) for name in ("MASTER_ADDR", "MASTER_PORT")}
    try:
        yield join_others(seat, precision)
    except RuntimeError as error:
        # gloo's errors are of no kind of their own
        if isinstance(error, dist.DistError) or "gloo" in str(error).lower():
            raise _LostError(LOST) from error
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


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


def _follow(seat: Seat, precision: str, follow: Follow) -> None:
    """Do what a process does that another one started; after an error, end soon."""
    try:
        with _connected(seat, precision) as fabric:
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
        if error is not None and not isinstance(error, _LostError):
            raise error
