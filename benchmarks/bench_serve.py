"""How long one answer takes, cold and warm; and the server under mixed load: does it all hold?

    make bench-serve                                            both; half an hour
    python benchmarks/bench_serve.py --only latencies           a quiet machine is needed
    python benchmarks/bench_serve.py --only load --requests 500 a look

Latencies: `dyssync predict` of one ECG, the short answer and all models, each in a new process;
then the page and the API of a server that runs, one request at a time and four at once
(serve_latencies). The bundle is that of `make demo`, or --bundle.

Load: whole, broken, hostile, slow and cut-off requests in one random order, on a bundle of quick
models; now and then one of the processes that read uploads is killed. Prints Markdown tables:
statuses by kind, memory of the server and its readers.

Exit code 1: a latency, an answer or the memory was not as it should be.
"""

from __future__ import annotations

import argparse
import os
import signal
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
from resident import resident_mb
from serve_latencies import latencies
from serve_requests import CLOSED, NO_ANSWER, Kind, asked, kinds_of
from served import faults_in, readers_of, served
from small_bundle import make_bundle

DEMO = Path("demo") / "bundle"
AT_ONCE = 8
EVERY = 200  # requests, in the middle of which a reading process is killed
WARM = 500  # requests, after which memory should stay
MOST_GROWTH = 0.05
# Before memory is looked at. What was asked by clients that left is done by then, and no reading
# process stands beside one forked off it, which would count what both hold twice.
REST_S = 5.0
WORDS = {CLOSED: "closed", NO_ANSWER: "no answer"}


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
        seen.memory.append(resident_mb(pid))
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
    few = min(WARM, every.total())
    print(f"Memory at rest: {first:.0f} MB after {few}, {last:.0f} MB at the end ({grown:+.1%}).")
    return right


def loaded(requests: int, given: Path | None, folder: Path) -> bool:
    """Run the load and print what came of it; return whether all is as it should be.

    Args:
        requests: how many.
        given: bundle; None makes one of quick models.
        folder: new, for files.
    """
    ecgs = recordings()
    bundle = given or make_bundle(ecgs, np.arange(len(ecgs)) % 2, folder)
    files = folder / "ecg"
    files.mkdir()
    kinds = kinds_of(some_heart(), files)
    with served(bundle, folder / "log") as (pid, port):
        seen = load(pid, port, kinds, requests)
    faults = faults_in(folder / "log")
    right = report(seen, kinds)
    print("\n".join(["", "The server noted:", *faults] if faults else ["", "It noted no fault."]))
    return right and not faults


def main() -> int:
    """Run what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=("latencies", "load"), help="one of the two parts")
    parser.add_argument("--requests", type=int, default=10_000, help="of the load")
    parser.add_argument("--runs", type=int, default=10, help="cold, of each kind; warm ten times")
    parser.add_argument("--bundle", type=Path, help="of latencies instead of demo/bundle, of load")
    given = parser.parse_args()
    right = True
    for part in ("latencies", "load"):
        if given.only in (None, part):
            with tempfile.TemporaryDirectory() as made:
                if part == "latencies":
                    right &= latencies(given.bundle or DEMO, given.runs, Path(made))
                else:
                    right &= loaded(given.requests, given.bundle, Path(made))
            print(flush=True)
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
