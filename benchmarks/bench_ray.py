"""Ray beside processes of one machine: the same bytes, whatever is killed; speed and memory.

    make bench-ray                                           an hour or two on two cores
    python benchmarks/bench_ray.py --ecgs 2000 --distinct 200 --only study,kills    a look

Everything goes through the command line. Prints Markdown tables:

* study: the digest of predictions.csv by processes and by Ray, with 1, 2 and 4 workers;
* kills: a worker, or the command with all that it started, killed in the middle of a study and of
  scoring an archive; the digests of what the same command leaves then;
* scoring: ECGs a second of an archive made of fewer distinct virtual patients, each copy under a
  name of its own (in its file, too); memory in the first, second and last tenth of the time;
* pictures: the same of a model that looks at drawings, of fewer ECGs;
* long: the same of the archive of twenty minutes, by Ray.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import numpy as np
import pyarrow.parquet as pq

from command_line import DYSSYNC, ENVIRONMENT, run
from markdown_rows import head, row
from resident import resident_mb

PARTS = ("study", "kills", "scoring", "pictures", "long")
MODELS = "lightgbm,qrs-area"
PICTURED = "sim-resnet18"
SMALL = (
    *("--models", f"lightgbm,ridge,qrs-area,{PICTURED}", "--repeats", "1", "--folds", "3"),
    *("--preset", "quick", "--set", "refits=2"),
)
LOCAL, RAY = ("--executor", "local"), ("--executor", "ray")
RUNS = ((LOCAL, 2), (RAY, 2), (LOCAL, 1))
MOST_GROWTH = 0.05
FEW = 1500  # ECGs of a small archive; three shards or so
EVERY_S = 1.0  # memory is looked at


def digest_of(paths: Iterator[Path] | Sequence[Path]) -> str:
    """Return the first digits of the sha256 of files and their names."""
    told = hashlib.sha256()
    for path in sorted(paths):
        told.update(path.name.encode() + path.read_bytes())
    return told.hexdigest()[:12]


@dataclass(frozen=True)
class Work:
    """A command that leaves files.

    Attributes:
        name: of the work.
        words: of the command, but --out, --workers and --executor.
        begun: says of the folder that the work is in its middle.
        left: the files whose bytes count.
    """

    name: str
    words: tuple[str | Path, ...]
    begun: Callable[[Path], bool]
    left: Callable[[Path], Iterator[Path]]

    def call(self, out: Path, executor: Sequence[str], workers: int) -> tuple[str, ...]:
        """Return the words of the command."""
        words = (*self.words, "--out", out, "--workers", workers, *executor)
        return tuple(map(str, words))

    def done(self, out: Path, executor: Sequence[str], workers: int) -> str:
        """Do the work; return the digest of what it left."""
        run(*self.call(out, executor, workers))
        return digest_of(self.left(out))


def study(table: Path) -> Work:
    """Return a small study."""
    return Work(
        "study",
        ("study", "--cohort", table, *SMALL),
        lambda out: any((out / "work").glob("*/receipt.json")),
        lambda out: out.glob("predictions.csv"),
    )


def scoring(bundle: Path, archive: Path, models: str = MODELS) -> Work:
    """Return the scoring of an archive."""
    return Work(
        "scoring",
        ("predict", bundle, archive, "--models", models),
        lambda out: any((out / "scores.parquet").glob("*.parquet")),
        lambda out: (out / "scores.parquet").glob("*.parquet"),
    )


def children_of(pid: int) -> list[int]:
    """Return the processes that a process started itself (Linux)."""
    found: list[int] = []
    for task in Path("/proc", str(pid)).glob("task/*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they started."""
    return [one for child in children_of(pid) for one in (child, *descendants(child))]


def workers_of(pid: int) -> list[int]:
    """Return the processes that work for a command: of a pool here, or of Ray at a call."""
    found = []
    for child in descendants(pid):
        with suppress(OSError):
            words = Path("/proc", str(child), "cmdline").read_bytes()
            if b"spawn_main" in words or b"ray::_work" in words:
                found.append(child)
    return found


def killed(work: Work, out: Path, executor: Sequence[str], whom: str) -> str:
    """Do work of which a worker, or all, is killed; return the digest of what was left at the end.

    Raises:
        SystemExit: there was nobody to kill, or it failed.
    """
    words = [*DYSSYNC, *work.call(out, executor, 2)]
    with subprocess.Popen(
        words, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as command:
        while not (work.begun(out) and (found := workers_of(command.pid))):
            if command.poll() is not None:
                raise SystemExit(f"{work.name}: ended before a worker could be killed")
            time.sleep(0.05)
        os.kill(command.pid if whom == "command" else found[0], signal.SIGKILL)
        code = command.wait()
    if whom == "command":
        return work.done(out, executor, 2)
    if code:
        raise SystemExit(f"{work.name}: ended with {code} after a worker was killed")
    return digest_of(work.left(out))


def make_archive(records: Path, n: int, distinct: int, folder: Path) -> Path:
    """Make `n` records of the first `distinct` ones, each with a name of its own in its header."""
    folder.mkdir()
    headers = sorted(records.glob("*.hea"))[:distinct]
    for k in range(n):
        header = headers[k % len(headers)]
        name = f"r{k:07d}"
        text = header.read_text(encoding="utf-8").replace(header.stem, name)
        (folder / f"{name}.hea").write_text(text, encoding="utf-8")
        os.link(header.with_suffix(".dat"), folder / f"{name}.dat")
    return folder


def show_study(table: Path, scratch: Path) -> Path:
    """Print the digests of one study by every engine; return its bundle."""
    work = study(table)
    print(head("study by", "workers", "predictions.csv"))
    for executor, workers in ((LOCAL, 1), (LOCAL, 2), (RAY, 1), (RAY, 2), (RAY, 4)):
        out = scratch / f"study-{executor[1]}-{workers}"
        print(row(executor[1], workers, work.done(out, executor, workers)), flush=True)
    return scratch / "study-local-1" / "bundle"


def show_kills(works: Sequence[Work], scratch: Path) -> None:
    """Print the digests of what is left after kills."""
    print()
    print(head("work", "by", "killed", "left", "without a kill"))
    for work in works:
        whole = work.done(scratch / f"whole-{work.name}", LOCAL, 2)
        for executor in (LOCAL, RAY):
            for whom in ("worker", "command"):
                out = scratch / f"killed-{work.name}-{executor[1]}-{whom}"
                left = killed(work, out, executor, whom)
                print(row(work.name, executor[1], whom, left, whole), flush=True)


@dataclass(frozen=True)
class Watched:
    """What was seen of a command while it worked.

    Attributes:
        held: MB of the command, of its largest worker, and of all that the command started (with
            Ray its own processes, too) together, every :data:`EVERY_S`.
        cpu_s: processor time of the command and of all its workers, s.
    """

    held: list[tuple[float, float, float]]
    cpu_s: float


def watched(words: Sequence[str], out: Path) -> Watched:
    """Run a command that scores into a folder, and look at its processes while it does.

    Raises:
        SystemExit: it failed.
    """
    held: list[tuple[float, float, float]] = []
    spent: dict[int, float] = {}
    call = [*DYSSYNC, *words]
    with subprocess.Popen(call, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as command:
        while command.poll() is None:
            found = workers_of(command.pid)
            for pid in (command.pid, *found):
                spent[pid] = max(spent.get(pid, 0.0), cpu_s(pid))
            if found or (out / "scores.parquet").is_dir():
                largest = max(map(own_mb, found), default=0.0)
                held.append((own_mb(command.pid), largest, resident_mb(command.pid)))
            time.sleep(EVERY_S)
    if command.returncode:
        raise SystemExit(f"{' '.join(words)}: ended with {command.returncode}")
    return Watched(held, sum(spent.values()))


def own_mb(pid: int) -> float:
    """Return what one process holds in memory, MB; 0 when it ended."""
    return resident_mb(pid) - sum(map(resident_mb, children_of(pid)))


def cpu_s(pid: int) -> float:
    """Return the processor time of one process, s; 0 when it ended."""
    with suppress(OSError):
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # user, system
    return 0.0


def steady_rate(out: Path) -> float:
    """Return how many ECGs a second were scored from the first written shard to the last."""
    shards = (out / "scores.parquet").glob("*.parquet")
    written = sorted((p.stat().st_mtime, int(pq.read_metadata(p).num_rows)) for p in shards)
    return sum(rows for _, rows in written[1:]) / (written[-1][0] - written[0][0])


def show_scoring(
    work: Work, n: int, scratch: Path, runs: Sequence[tuple[tuple[str, str], int]] = RUNS
) -> None:
    """Print ECGs a second, and memory."""
    print()
    print(f"{n} ECGs by {work.words[-1]}\n")
    tenths = "MB in the first tenth: command, largest worker, all", "second", "last"
    growths = "growth from first to last", "from second to last"
    rate = "ECGs a second", "a processor second"
    print(head("scored by", "workers", *rate, *tenths, *growths))
    for executor, workers in runs:
        out = scratch / f"scores-{executor[1]}-{workers}"
        seen = watched(work.call(out, executor, workers), out)
        rates = f"{steady_rate(out):.1f}", f"{n / seen.cpu_s:.1f}"
        tenth = max(1, len(seen.held) // 10)
        parts = seen.held[:tenth], seen.held[tenth : 2 * tenth], seen.held[-tenth:]
        first, second, last = (np.median(part, axis=0) for part in parts)
        sizes = [", ".join(f"{mb:.0f}" for mb in part) for part in (first, second, last)]
        grown = [float((last / np.maximum(part, 1.0) - 1).max()) for part in (first, second)]
        growth = [f"{share:+.1%} (at most {MOST_GROWTH:.0%})" for share in grown]
        print(row(executor[1], workers, *rates, *sizes, *growth), flush=True)
        rmtree(out)


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ecgs", type=int, default=10_000, help="of the archive")
    parser.add_argument("--distinct", type=int, default=2000, help="of them")
    parser.add_argument("--pictured", type=int, default=2000, help="of them for pictures")
    parser.add_argument("--most", type=int, default=30_000, help="of them in twenty minutes")
    parser.add_argument("--patients", type=int, default=60, help="of the study")
    parser.add_argument("--virtual", type=Path, help="folder of dyssync simulate to take them from")
    parser.add_argument("--only", default=",".join(PARTS), help="names with commas between")
    given = parser.parse_args()
    asked = given.only.split(",")
    if min(given.ecgs, given.pictured, given.most) <= FEW:
        parser.error(f"more than {FEW} ECGs are needed")
    if unknown := set(asked) - set(PARTS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="dyssync-bench-") as folder:
        scratch = Path(folder)
        os.environ["XDG_CACHE_HOME"] = ENVIRONMENT["XDG_CACHE_HOME"] = str(scratch / "cache")
        run("simulate", "--patients", str(given.patients), "--seed", "5", "--out", scratch / "few")
        table = scratch / "few" / "cohort.csv"
        bundle = scratch / "bundle-of" / "bundle"
        run("study", "--cohort", table, *SMALL, "--out", scratch / "bundle-of")
        if "study" in asked:
            show_study(table, scratch)
        records = scratch / "virtual" / "records"
        if given.virtual is None:
            run("simulate", "--patients", str(given.distinct), "--seed", "77",
                "--out", scratch / "virtual")  # fmt: skip
        else:
            records = given.virtual / "records"
        small = make_archive(records, FEW, given.distinct, records.parent / "bench-small")
        if "kills" in asked:
            show_kills([study(table), scoring(bundle, small)], scratch)
        for part, n, models, runs in (
            ("scoring", given.ecgs, MODELS, RUNS),
            ("pictures", given.pictured, PICTURED, RUNS),
            ("long", given.most, MODELS, RUNS[1:2]),
        ):
            if part in asked:
                large = make_archive(records, n, given.distinct, records.parent / f"bench-{part}")
                show_scoring(scoring(bundle, large, models), n, scratch, runs)
                rmtree(large)
        rmtree(small)


if __name__ == "__main__":
    main()
