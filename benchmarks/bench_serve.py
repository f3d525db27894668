"""The server under mixed load: is each request answered as it should be, and does memory stay?

    make bench-serve                                       10,000 requests, 8 at once
    python benchmarks/bench_serve.py --requests 500        a look

Whole, broken, hostile, slow and cut-off requests in one random order; now and then one of the
processes that read uploads is killed. Prints Markdown tables: statuses by kind, memory of the
server and its readers, times of `/predict`. Exit code 1: an answer was not as it should be.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dyssync.ecg import ECG
from dyssync.web.warming import some_heart
from markdown_rows import head, row
from resident import proportional_mb
from serve_requests import CLOSED, NO_ANSWER, PAUSE_S, Kind, kinds_of
from served import faults_in, readers_of, served
from small_bundle import make_bundle

AT_ONCE = 8
EVERY = 200  # requests, in the middle of which a reading process is killed
WARM = 500  # requests, after which memory should stay
MOST_GROWTH = 0.05
REST_S = 5.0  # before memory is looked at: what was asked by clients that left is done by then
WAIT_S = 90.0  # for an answer
WORDS = {CLOSED: "closed", NO_ANSWER: "no answer"}
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Seen:
    """What was answered.

    Attributes:
        statuses: how often each, by kind.
        seconds: of every answer, by kind.
        memory: MB at rest, after the first :data:`WARM` requests and after all.
        killed: reading processes.
    """

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: list[float] = field(default_factory=list)
    killed: int = 0


def recordings() -> list[ECG]:
    """Return recordings for a bundle of quick models: one heart, its QRS wide in every second."""
    heart = some_heart()
    rng = np.random.default_rng(1)
    return [
        ECG((heart.signal * (1 + k % 2 + 0.1 * rng.normal())).astype(np.float32), heart.fs)
        for k in range(24)
    ]


def asked(port: int, kind: Kind) -> int:
    """Send one request; return the status of its answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as line:
            for k, part in enumerate(kind.parts):
                if k:
                    time.sleep(PAUSE_S)
                line.sendall(part)
            if kind.cut:
                return CLOSED
            answer = b"".join(iter(lambda: line.recv(65536), b""))
    except (BrokenPipeError, ConnectionResetError):
        return CLOSED
    except TimeoutError:
        return NO_ANSWER
    found = STATUS.match(answer)
    return int(found[1]) if found else CLOSED


def load(pid: int, port: int, kinds: Mapping[str, Kind], requests: int) -> Seen:
    """Send requests in a random order, and look at the memory twice, with nothing under way."""
    rng = np.random.default_rng(2)
    names = [name for name, kind in kinds.items() for _ in range(kind.share)]
    order = [names[int(k)] for k in rng.integers(len(names), size=requests)]
    seen, lock = Seen(), threading.Lock()

    def one(numbered: tuple[int, str]) -> None:
        number, name = numbered
        start = time.perf_counter()
        status = asked(port, kinds[name])
        with lock:
            seen.statuses[name][status] += 1
            seen.seconds[name].append(time.perf_counter() - start)
            if number % EVERY == EVERY // 2 and (readers := readers_of(pid)):
                os.kill(readers[number // EVERY % len(readers)], signal.SIGKILL)
                seen.killed += 1

    todo = list(enumerate(order))
    for part in (todo[:WARM], todo[WARM:]):
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(one, part))
        time.sleep(REST_S)
        seen.memory.append(proportional_mb(pid))
    return seen


def report(seen: Seen, kinds: Mapping[str, Kind]) -> bool:
    """Print the tables; return whether all is as it should be."""
    right = True
    print(head("request", "answers", "statuses", "as it should be", "median s"))
    for name, kind in kinds.items():
        found = seen.statuses[name]
        good = set(found) <= kind.expected
        right &= good
        told = ", ".join(f"{WORDS.get(status, status)} x{n}" for status, n in sorted(found.items()))
        middle = float(np.median(seen.seconds[name])) if seen.seconds[name] else float("nan")
        print(row(name, found.total(), told, "yes" if good else "NO", f"{middle:.2f}"))
    every = sum(seen.statuses.values(), Counter())
    print(
        f"\n{every.total()} requests, {sum(n for s, n in every.items() if s >= 500)} answered 5xx;"
    )
    print(f"{seen.killed} reading processes were killed and replaced.\n")
    first, last = seen.memory
    grown = last / first - 1
    right &= grown <= MOST_GROWTH
    print(f"Memory at rest: {first:.0f} MB after {WARM}, {last:.0f} MB at the end ({grown:+.1%}).")
    return right


def main() -> int:
    """Run the load; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--bundle", type=Path, help="instead of one of quick models")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        ecgs = recordings()
        bundle = given.bundle or make_bundle(ecgs, np.arange(len(ecgs)) % 2, folder)
        files = folder / "ecg"
        files.mkdir()
        kinds = kinds_of(some_heart(), files)
        with served(bundle, folder / "log") as (pid, port):
            seen = load(pid, port, kinds, given.requests)
        faults = faults_in(folder / "log")
    right = report(seen, kinds)
    print("\n".join(["", "The server noted:", *faults] if faults else ["", "It noted no fault."]))
    return 0 if right and not faults else 1


if __name__ == "__main__":
    raise SystemExit(main())
