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
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from dyssync.endings import deaf_children
from dyssync.errors import InputError
from dyssync.workers.threads import available_cores

STORE_BYTES = 256 * 2**20  # of Ray's object store; chosen: what is larger goes to the disk
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
    call = [sys.executable, "-m", __name__, str(workers or available_cores())]
    with deaf_children():
        keeper = subprocess.Popen(
            call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    try:
        assert keeper.stdout is not None
        told = keeper.stdout.readline()
        if not told:
            raise InputError("Ray did not start on this machine; try `ray start --head`")
        yield str(json.loads(told)["address"])
    finally:
        _end(keeper)


def _end(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    try:
        with suppress(subprocess.TimeoutExpired):
            keeper.wait(END_S)
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
    import ray

    base = tempfile.gettempdir()
    folder = tempfile.mkdtemp(
        prefix="dyssync-", dir=base if len(base) <= LONGEST_FOLDER else "/tmp"
    )
    try:
        ray.init(
            "local", num_cpus=workers, include_dashboard=False, log_to_driver=False,
            configure_logging=False, logging_level=logging.ERROR, object_store_memory=STORE_BYTES,
            _temp_dir=folder,
        )  # fmt: skip
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        address = ray.get_runtime_context().gcs_address
        print(json.dumps({"address": address}), flush=True)
        sys.stdin.buffer.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # All of Ray at once: by itself it takes seconds, and some helpers a minute. The workers,
        # in groups of their own, end when they lose it.
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _keep(int(sys.argv[1]))
