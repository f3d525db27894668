"""A server that runs as a user starts it: its port, its reading processes, its log."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from command_line import DYSSYNC, ENVIRONMENT


@contextmanager
def served(bundle: Path, log: Path) -> Iterator[tuple[int, int]]:
    """Run a server that writes its log into a file; yield its process and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [*DYSSYNC, "serve", str(bundle), "--port", str(port)]
    with (
        log.open("wb") as told,
        subprocess.Popen(command, env=ENVIRONMENT, stderr=told) as server,
    ):
        try:
            _wait_for(port)
            yield server.pid, port
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _wait_for(port: int) -> None:
    for _ in range(3000):  # ten minutes: the machine may be busy with something else
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server did not start")


def readers_of(server: int) -> list[int]:
    """Return the processes of a server that read uploads."""
    tasks = Path("/proc", str(server), "task").glob("*/children")
    return [int(one) for task in tasks for one in task.read_text().split()]


def faults_in(log: Path) -> list[str]:
    """Return what a server wrote beside its audit, a line of JSON a request, and what is usual."""
    lines = log.read_text(encoding="utf-8").splitlines()
    usual = ("{", "loading the models", "http://", "WARNING: Invalid HTTP request received.")
    return [line for line in lines if not line.startswith(usual)]
