"""Ray on this machine, for one command: a process of its own starts it, and ends it with us.

What reaches all processes of a command (Ctrl-C, a closed terminal) does not reach that process,
which stands in a session of its own; it ends Ray when the pipe from the command is closed, whatever
closed it.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from dyssync.endings import deaf_children
from dyssync.errors import InputError
from dyssync.workers.threads import available_cores

STORE_BYTES = 256 * 2**20  # of Ray's object store; chosen: what is larger goes to the disk
START_S = 120.0  # that Ray may take to start; chosen: some 6 s on an idle machine
STARTS = 2  # tries: where memory is short, Ray may wait for itself for ever
END_S = 30.0  # that Ray may take to end before it is killed; chosen
# Sockets stand in the folder, and a path to one has 107 bytes at most, of which Ray takes some 70.
LONGEST_FOLDER = 30
QUIET: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # they come out where a result is asked for
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # and not where Ray sees a process end
}
# Nobody else on the network may hand work to our Ray. It reads the token once a process.
_TOKEN = secrets.token_hex(32)


@contextmanager
def settings_of_ray(*, here: bool) -> Iterator[None]:
    """Let Ray, which reads its settings when it is imported, tell nothing, to us or to others.

    Args:
        here: it is started by us, and takes calls from nobody else.
    """
    values = {name: os.environ.get(name, value) for name, value in QUIET.items()}
    if here:
        values |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _TOKEN}
        # it would end our workers where other programs fill the machine; processes of a pool here
        # are left to the system alike
        values["RAY_memory_monitor_refresh_ms"] = "0"
    with _environment(values):
        yield


@contextmanager
def ray_here(workers: int | None) -> Iterator[str]:
    """Start Ray on this machine; yield its address. It ends with the block, or with this process.

    To be called in the settings of :func:`settings_of_ray`.

    Args:
        workers: CPUs that it hands out; None for all.

    Raises:
        InputError: it did not start.
    """
    for _ in range(STARTS):
        keeper = _started(workers or available_cores())
        address = None
        try:
            address = _address_of(keeper)
            if address is not None:
                yield address
                return
        finally:
            _end(keeper, at_once=address is None)
    raise InputError("Ray did not start on this machine; try `ray start --head`, and --address")


def _started(workers: int) -> subprocess.Popen[bytes]:
    with deaf_children():
        return subprocess.Popen(
            [sys.executable, "-m", __name__, str(workers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip


def _address_of(keeper: subprocess.Popen[bytes]) -> str | None:
    """Wait for the address of a Ray that is starting; None where it does not come."""
    assert keeper.stdout is not None
    readable, _, _ = select.select([keeper.stdout], [], [], START_S)
    told = keeper.stdout.readline() if readable else b""
    return str(json.loads(told)["address"]) if told else None


def _end(keeper: subprocess.Popen[bytes], *, at_once: bool) -> None:
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    try:
        with suppress(subprocess.TimeoutExpired):
            keeper.wait(0 if at_once else END_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()
        keeper.stdout.close()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _keep(workers: int) -> None:
    """Start Ray, tell where, and end it when nobody listens any more; in a process of its own."""
    base = tempfile.gettempdir()
    folder = tempfile.mkdtemp("", "dyssync-", base if len(base) <= LONGEST_FOLDER else "/tmp")
    # from the beginning: Ray may never come to its end of starting
    watch = threading.Thread(target=_end_with_command, args=(folder,))
    watch.start()
    try:
        ray: Any = import_module("ray")
        ray.init(
            "local", num_cpus=workers, include_dashboard=False, log_to_driver=False,
            configure_logging=False, logging_level=logging.ERROR, object_store_memory=STORE_BYTES,
            _temp_dir=folder,
        )  # fmt: skip
        address = ray.get_runtime_context().gcs_address
        print(json.dumps({"address": address}), flush=True)
        watch.join()
    finally:
        _end_all(folder)


def _end_with_command(folder: str) -> None:
    sys.stdin.buffer.read()
    _end_all(folder)


def _end_all(folder: str) -> None:
    """End this process and all of Ray at once.

    By itself Ray takes seconds, and some of its helpers a minute. Its workers, which are in groups
    of their own, end when they lose it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _keep(int(sys.argv[1]))
