"""How long one answer takes: by a new process, and by a server that runs (for bench_serve)."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from command_line import DYSSYNC, ENVIRONMENT
from dyssync.ecg import ECG
from dyssync.formats import read_ecg
from dyssync.inspection.page import PageKind
from dyssync.rendering import PageOptions
from dyssync.simulation.cohort import simulate_cohort
from markdown_rows import head, row
from serve_requests import Kind, asked, post
from served import readers_of, served

RIGHT = frozenset({200})
WARM_TIMES = 10  # warm requests for each cold run
NOT_COUNTED = 3  # the first requests of each kind
COLUMNS = ("what", "at once", "median s", "p95 s", "processor s", "at most", "holds")
# What the project has promised, s of the clock, of two cores that do nothing else.
COLD_SHORT, COLD_ALL, WARM_MEDIAN, WARM_P95, WARM_PICTURE = 1.0, 1.5, 0.08, 0.2, 2.5


@dataclass(frozen=True)
class Spent:
    """What several calls of one kind took.

    Attributes:
        seconds: of the clock, of each.
        processor: s of each, of all processes; of a server, their mean.
        failed: calls that were not answered as they should be.
    """

    seconds: Sequence[float]
    processor: Sequence[float]
    failed: int

    @property
    def median(self) -> float:
        """Of the clock, s."""
        return float(np.median(self.seconds))

    @property
    def p95(self) -> float:
        """95 % were answered as fast as this, s."""
        return float(np.percentile(self.seconds, 95))


def latencies(bundle: Path, runs: int, folder: Path) -> bool:
    """Print the table of latencies; return whether all are as they should be.

    Args:
        bundle: whose models answer.
        runs: new processes of each kind, after one that does not count.
        folder: new, for files.
    """
    if not bundle.is_dir():
        raise SystemExit(f"{bundle}: no bundle; run make demo, or give one by --bundle")
    header, ecg = _patient(folder)
    print(head(*COLUMNS), flush=True)
    right = [
        _tell("predict, cold: the one answer", 1, cold([bundle, header], runs), COLD_SHORT),
        _tell("predict --all, cold", 1, cold(["--all", bundle, header], runs), COLD_ALL),
    ]
    files = [(one.name, one.read_bytes()) for one in sorted(header.parent.glob(f"{header.stem}.*"))]
    picture = ("page.png", PageKind(dpi=100).draw(ecg, PageOptions()))
    kinds = {
        "page of a signal, with explanation": post("/", *files),
        "/predict?models=answer": post("/predict?models=answer", *files),
        "/predict, all models": post("/predict", *files),
        "page of a picture, A4 of 100 dpi": post("/", picture),
    }
    with served(bundle, folder / "log") as (pid, port):
        right += _warm_rows(pid, port, kinds, WARM_TIMES * runs)
    return all(right)


def _patient(folder: Path) -> tuple[Path, ECG]:
    """Return the header of a virtual patient's WFDB record, and the ECG in it."""
    simulate_cohort(4, 1, folder / "people", workers=1)
    header = min((folder / "people").rglob("*.hea"))
    return header, read_ecg(header)


def _warm_rows(pid: int, port: int, kinds: Mapping[str, bytes], times: int) -> list[bool]:
    page, one, every, picture = kinds
    rows: list[tuple[str, int, int, float | None, float | None]] = [
        (page, 1, times, WARM_MEDIAN, None),
        (page, 4, times, None, WARM_P95),
        (one, 1, times, None, None),
        (every, 1, times, None, None),
        (picture, 1, max(1, times // 10), WARM_PICTURE, None),
    ]
    return [
        _tell(name, at_once, warm(pid, port, kinds[name], n, at_once), middle, tail)
        for name, at_once, n, middle, tail in rows
    ]


def cold(words: Sequence[str | Path], runs: int) -> Spent:
    """Return what `dyssync predict` takes in new processes, after one that writes bytecode."""
    # as where dyssync is installed: its modules are compiled once
    kept = {k: v for k, v in ENVIRONMENT.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [*DYSSYNC, "predict", *map(str, words)]
    seconds, processor, failed = [], [], 0
    for run in range(runs + 1):
        start = time.perf_counter()
        process = subprocess.Popen(command, env=kept, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if run:
            seconds.append(time.perf_counter() - start)
            processor.append(used.ru_utime + used.ru_stime)
            failed += process.returncode != 0
    return Spent(seconds, processor, failed)


def warm(pid: int, port: int, request: bytes, times: int, at_once: int) -> Spent:
    """Return what a request takes at a server that runs.

    Args:
        pid: of the server.
        port: where it listens.
        request: whole.
        times: how often it is sent, after a few that do not count.
        at_once: by so many clients.
    """
    kind = Kind([request], RIGHT)

    def one(_: int) -> tuple[float, bool]:
        start = time.perf_counter()
        right = asked(port, kind) in RIGHT
        return time.perf_counter() - start, right

    with ThreadPoolExecutor(at_once) as clients:
        list(clients.map(one, range(NOT_COUNTED)))
        before = _processor_s(pid)
        found = list(clients.map(one, range(times)))
    spent = (_processor_s(pid) - before) / times
    return Spent([s for s, _ in found], [spent], sum(not right for _, right in found))


def _processor_s(server: int) -> float:
    """Return the processor time of a server and of the processes that read for it, s (Linux)."""
    ticks = 0
    for pid in (server, *readers_of(server)):
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime, proc_pid_stat(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def _tell(
    name: str, at_once: int, spent: Spent, middle: float | None, tail: float | None = None
) -> bool:
    """Print a row; return whether it is as it should be."""
    right = not spent.failed
    right &= middle is None or spent.median <= middle
    right &= tail is None or spent.p95 <= tail
    limits = {"median": middle, "p95": tail}
    most = [f"{which} {limit:g}" for which, limit in limits.items() if limit is not None]
    word = f"NO: {spent.failed} failed" if spent.failed else "yes" if right else "NO"
    numbers = (spent.median, spent.p95, float(np.median(spent.processor)))
    cells = (name, at_once, *(f"{number:.3f}" for number in numbers), ", ".join(most) or "-", word)
    print(row(*cells), flush=True)
    return right
