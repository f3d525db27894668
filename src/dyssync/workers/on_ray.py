"""The engine of many machines: Ray hands out the calls, tries them again, and knows the machines.

A worker is begun as one of a local pool is: nothing but the engine differs. All machines must see
the same files under the same paths (run folder, inputs, bundle, `~/.cache/dyssync`); every call is
made in the folder of the command.

Only this module and those beside it know Ray, and they are imported only where Ray was asked for.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import Any

from dyssync.endings import SENT_TO_ALL
from dyssync.errors import ConfigError, one_line
from dyssync.workers.engine import Hear, Pool, Tell
from dyssync.workers.ray_here import ray_here, settings_of_ray
from dyssync.workers.ray_pool import RayPool, ray_package
from dyssync.workers.threads import THREAD_SETTINGS

INSTALL = "--executor ray: Ray is not installed; pip install 'dyssync[ray]'"
# What Ray sets for workers: one thread, and no GPU for a call that asked for none.
SETTINGS = dict.fromkeys((*THREAD_SETTINGS, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"), "1")
ANSWER_S = 5.0  # until a cluster must have answered; chosen


class OnRay:
    """A Ray cluster, of one machine or many.

    Args:
        gpu_share: of a GPU that a call gets which computes on one; 1 is a whole one, and 0.5 lets
            two calls share one. Where the cluster has no GPU, nothing is asked for.
    """

    elsewhere = True

    def __init__(self, gpu_share: float = 1.0) -> None:
        ray = ray_package()
        self.gpus = gpu_share if ray.cluster_resources().get("GPU", 0) > 0 else 0.0

    def cores(self) -> int:
        """Return how many CPUs the cluster has now."""
        ray = ray_package()
        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    @contextmanager
    def pool(
        self, workers: int, begin: Callable[..., None] | None, given: tuple[object, ...], tries: int
    ) -> Iterator[Pool]:
        """Open a pool; how many of its calls run at once is left to the cluster."""
        del workers
        held = RayPool((begin, given), tries, self.gpus)
        try:
            yield held
        finally:
            held.cancel()

    @contextmanager
    def hearing(self, hear: Hear) -> Iterator[Tell]:
        """Open a way by an actor beside this process; a thread listens."""
        ray = ray_package()
        affinity = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        here = affinity(ray.get_runtime_context().get_node_id(), soft=False)
        post = ray.remote(_Post).options(num_cpus=0, scheduling_strategy=here).remote()
        with ThreadPoolExecutor(1) as listener:
            heard = listener.submit(_listen, post, hear)
            try:
                yield _ByPost(post)
            finally:
                with suppress(ray.exceptions.RayError):
                    ray.get(post.say.remote(None))
            heard.result()
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
        ray = ray_package()
        with suppress(ray.exceptions.RayError):  # no work is lost for want of a progress bar
            ray.get(self.post.say.remote((said,)))


def _listen(post: Any, hear: Hear) -> None:
    ray = ray_package()
    with suppress(ray.exceptions.RayError):
        while True:
            for message in ray.get(post.hear.remote()):
                if message is None:
                    return
                hear(*message)


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
            ray = ray_package()
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
