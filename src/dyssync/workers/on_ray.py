"""The engine of many machines: Ray hands out the calls, tries them again, and knows the machines.

A worker is begun as one of a local pool is, and what goes to it and comes back passes through the
same pickler: nothing but the engine differs. All machines must see the same files under the same
paths (run folder, inputs, bundle, `~/.cache/dyssync`); every call is made in the folder of the
command.

Only this module knows Ray, and it is imported only where Ray was asked for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from dyssync import __version__
from dyssync.endings import SENT_TO_ALL
from dyssync.errors import ConfigError, InputError, one_line
from dyssync.workers.engine import ENDED, Hear, Pool, Tell, Ticket, WorkerEnded
from dyssync.workers.ray_here import ray_here, settings_of_ray
from dyssync.workers.threads import THREAD_SETTINGS

R = TypeVar("R")

INSTALL = "--executor ray: Ray is not installed; pip install 'dyssync[ray]'"
# What Ray sets for workers: one thread, and no GPU for a call that asked for none.
SETTINGS = dict.fromkeys((*THREAD_SETTINGS, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"), "1")
ANSWER_S = 5.0  # until a cluster must have answered; chosen

_Calls = tuple[str, str]  # folder of the command, version of dyssync


def _ray() -> Any:
    """Return the package, which most machines do not have."""
    return import_module("ray")


class OnRay:
    """A Ray cluster, of one machine or many.

    Args:
        gpu_share: of a GPU that a call gets which computes on one; 1 is a whole one, and 0.5 lets
            two calls share one. Where the cluster has no GPU, nothing is asked for.
    """

    elsewhere = True

    def __init__(self, gpu_share: float = 1.0) -> None:
        ray = _ray()
        self.gpus = gpu_share if ray.cluster_resources().get("GPU", 0) > 0 else 0.0

    def cores(self) -> int:
        """Return how many CPUs the cluster has now."""
        ray = _ray()
        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    @contextmanager
    def pool(
        self, workers: int, begin: Callable[..., None] | None, given: tuple[object, ...], tries: int
    ) -> Iterator[Pool]:
        """Open a pool; how many of its calls run at once is left to the cluster."""
        del workers
        held = _RayPool(_packed((begin, given)), tries, self.gpus)
        try:
            yield held
        finally:
            held.cancel()

    @contextmanager
    def hearing(self, hear: Hear) -> Iterator[Tell]:
        """Open a way by an actor beside this process; a thread listens."""
        ray = _ray()
        affinity = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        here = affinity(ray.get_runtime_context().get_node_id(), soft=False)
        post = ray.remote(_Post).options(num_cpus=0, scheduling_strategy=here).remote()
        listener = threading.Thread(target=_listen, args=(post, hear), daemon=True)
        listener.start()
        try:
            yield _ByPost(post)
        finally:
            with suppress(ray.exceptions.RayError):
                ray.get(post.say.remote(None))
            listener.join()
            ray.kill(post)


class _Post:
    """What workers have said and the listener has not heard yet."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[tuple[Any] | None] = asyncio.Queue()

    async def say(self, message: tuple[Any] | None) -> None:
        await self.said.put(message)

    async def hear(self) -> list[tuple[Any] | None]:
        found = [await self.said.get()]
        while not self.said.empty():
            found.append(self.said.get_nowait())
        return found


class _ByPost:
    def __init__(self, post: Any) -> None:
        self.post = post

    def __call__(self, said: Any) -> None:
        ray = _ray()
        with suppress(ray.exceptions.RayError):  # no work is lost for want of a progress bar
            ray.get(self.post.say.remote((said,)))


def _listen(post: Any, hear: Hear) -> None:
    ray = _ray()
    with suppress(ray.exceptions.RayError):
        while True:
            for message in ray.get(post.hear.remote()):
                if message is None:
                    return
                hear(*message)


class _Call(Ticket[R]):
    def __init__(self, ref: Any) -> None:
        self.ref = ref


class _RayPool(Pool):
    """Calls as Ray tasks of one CPU each."""

    def __init__(self, start: bytes, tries: int, gpus: float) -> None:
        ray = _ray()
        # in a list, a reference stays one: each process fetches it once
        self.start = [ray.put(start)]
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
        ray = _ray()
        calls = [ticket for ticket in tickets if isinstance(ticket, _Call)]
        ended, _ = ray.wait([call.ref for call in calls], num_returns=1)
        return [call for call in calls if call.ref in ended]

    def result(self, ticket: Ticket[R]) -> R:
        """Wait for what a call returns."""
        ray = _ray()
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
        ray = _ray()
        for ref in self.open:
            with suppress(ray.exceptions.RayError):
                ray.cancel(ref, force=True)
        self.open.clear()


def _ended_processes() -> tuple[type[Exception], ...]:
    exceptions = _ray().exceptions
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
    ray = _ray()
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


@contextmanager
def on_ray(address: str | None, workers: int | None, gpu_share: float = 1.0) -> Iterator[OnRay]:
    """Connect to a cluster, or start Ray on this machine, which ends with this process.

    Args:
        address: of the cluster, host:port or "auto"; None starts Ray here.
        workers: CPUs of a Ray that is started here; None for all.
        gpu_share: see :class:`OnRay`.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers.
    """
    with ExitStack() as stack:
        stack.enter_context(settings_of_ray(here=address is None))
        try:
            ray = _ray()
        except ImportError as error:
            raise ConfigError(INSTALL) from error
        _read_settings()
        if address is None:
            address = stack.enter_context(ray_here(workers))
        else:
            _check_answers(address)
        stack.callback(ray.shutdown)
        with _keeping_handlers():
            try:
                ray.init(
                    address, log_to_driver=False, configure_logging=False,
                    logging_level=logging.ERROR,
                    runtime_env={"env_vars": SETTINGS},
                )  # fmt: skip
            except (OSError, RuntimeError, ValueError) as error:
                raise _no_cluster(address, error) from error
        yield OnRay(gpu_share)


def _read_settings() -> None:
    """Let Ray read its settings again, where it was imported before they were made."""
    with suppress(ImportError, AttributeError):  # private: other versions may not have it
        import_module("ray._raylet").Config.initialize("")


def _check_answers(address: str) -> None:
    """Refuse at once an address where nothing listens: Ray itself would wait for a minute."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or "/" in host:  # "auto", or a way of Ray's own
        return
    try:
        socket.create_connection((host, int(port)), ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: BaseException) -> ConfigError:
    return ConfigError(
        f"--address {address}: no Ray cluster answers ({one_line(str(error), 200)}); start one "
        "with `ray start --head`, or leave --address out to start Ray on this machine"
    )


@contextmanager
def _keeping_handlers() -> Iterator[None]:
    """Let what ends this process mean what it did: Ray puts a handler of its own in its place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = {number: signal.getsignal(number) for number in SENT_TO_ALL}
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
