"""What a second process gains, starting times, memory: as a user gets them.

    make bench-workers                                          about half an hour on two cores
    python benchmarks/bench_workers.py --files 64 --patients 64 --scored 100 --rounds 1   a look
    python benchmarks/bench_workers.py --only measure,simulate  some of the verbs

Everything goes through the command line, with no variable about threads. Prints Markdown tables:

* seconds of each verb on one worker and on two. A run on few inputs is taken off, which is nearly
  all start-up; the runs are in turn, and the medians are shown;
* starting times, with nothing to do;
* memory of `predict` while it scores many files.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from statistics import median

from command_line import DYSSYNC, ENVIRONMENT, copy_records, run
from markdown_rows import head, row
from real_data import data_option, ludb_headers
from resident import resident_mb
from timing import in_turn

FEW = 32  # files or patients: both workers have some (patients are handed out by 16)
LEAST_GAIN = 1.7
LEAST_PATIENTS = 30  # a second, on two workers
STARTS: Mapping[tuple[str, ...], float] = {("--help",): 0.25, ("list", "formats"): 0.5}  # s at most
START_RUNS = 7
MOST_GROWTH = 0.05
MODELS = "lightgbm,qrs-area"
Words = tuple[str | Path, ...]


@dataclass(frozen=True)
class Batch:
    """Work for one run: `n` recordings in `folder`/records with a cohort table, or patients."""

    n: int
    folder: Path


VERBS: Mapping[str, Callable[[Batch, Path], Words]] = {
    "measure": lambda batch, out: ("measure", batch.folder / "records", "-o", out / "table.csv"),
    "convert wfdb": lambda batch, out: (
        *("convert", batch.folder / "records", "--to", "wfdb", "--out", out / "ecgs"),
    ),
    "convert csv": lambda batch, out: (
        *("convert", batch.folder / "records", "--to", "csv", "--out", out / "ecgs"),
    ),
    "render png": lambda batch, out: (
        *("render", batch.folder / "records", "--format", "png", "--out", out / "pages"),
    ),
    "render svg": lambda batch, out: (
        *("render", batch.folder / "records", "--format", "svg", "--out", out / "pages"),
    ),
    "check": lambda batch, out: ("check", batch.folder / "cohort.csv"),
    "simulate": lambda batch, out: (
        *("simulate", "--patients", str(batch.n), "--out", out / "virtual"),
    ),
}
PARTS = (*VERBS, "start", "predict")


def make_batch(headers: Sequence[Path], n: int, folder: Path) -> Batch:
    """Copy `n` recordings and write their table, every other patient a responder."""
    names = copy_records(headers, n, folder / "records")
    rows = [f"{name},records/{name}.hea,{k % 2}" for k, name in enumerate(names)]
    (folder / "cohort.csv").write_text("\n".join(["patient_id,ecg,responder", *rows]) + "\n")
    return Batch(n, folder)


def simulated_batch(n: int, folder: Path) -> Batch:
    """Simulate a cohort: a table is refused in which patients share a recording."""
    run("simulate", "--patients", str(n), "--seed", "5", "--out", folder)
    return Batch(n, folder)


def run_once(verb: str, batch: Batch, workers: int, scratch: Path) -> None:
    """Run a verb once; what it writes goes."""
    out = scratch / "out"
    out.mkdir()
    run(*VERBS[verb](batch, out), "--workers", str(workers))
    rmtree(out)


def show_gain(verb: str, few: Batch, many: Batch, rounds: int, scratch: Path) -> None:
    """Print the row of one verb."""
    calls = [
        partial(run_once, verb, batch, workers, scratch)
        for batch in (few, many)
        for workers in (1, 2)
    ]
    few_one, few_two, one, two = map(median, in_turn(calls, rounds))
    n = many.n - few.n
    alone, both = one - few_one, two - few_two
    needed = f"x {LEAST_GAIN}"
    if verb == "simulate":
        needed += f", {LEAST_PATIENTS} a second"
    times = (f"{few_one:.1f}", f"{few_two:.1f}", f"{alone:.1f}", f"{both:.1f}")
    rates = (f"{n / alone:.1f}", f"{n / both:.1f}", f"{alone / both:.2f}")
    print(row(verb, n, *times, *rates, needed), flush=True)


def show_starts() -> None:
    """Print how long the command line takes to say something."""
    print()
    print(head("start", f"median of {START_RUNS}, s", "needed, s"))
    for words, limit in STARTS.items():
        seconds = median(run(*words) for _ in range(START_RUNS))
        print(row(f"dyssync {' '.join(words)}", f"{seconds:.2f}", f"at most {limit}"), flush=True)


def make_bundle(scratch: Path) -> Path:
    """Run a tiny study on virtual patients; return its bundle."""
    run("simulate", "--patients", "60", "--seed", "5", "--out", scratch / "virtual")
    table = scratch / "virtual" / "cohort.csv"
    words = ("--models", MODELS, "--seeds", "2", "--preset", "quick")
    run("study", "--cohort", table, "--out", scratch / "run", *words)
    return scratch / "run" / "bundle"


def show_memory(headers: Sequence[Path], n: int, scratch: Path) -> None:
    """Print what `predict` holds after a tenth of the files and after nearly all of them.

    Raises:
        SystemExit: it failed, or did not write each row as it was made.
    """
    bundle = make_bundle(scratch)
    names = iter(copy_records(headers, n, scratch / "scored"))
    words = (*DYSSYNC, "predict", bundle, scratch / "scored", "--models", MODELS)
    held: dict[int, tuple[float, float]] = {}
    start = time.perf_counter()
    with subprocess.Popen(
        list(map(str, words)), env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        expected, done = next(names), 0
        for line in process.stdout:
            if line.startswith(expected):
                done += 1
                expected = next(names, "no further file")
                if done in (n // 10, n - 1):
                    held[done] = (time.perf_counter() - start, resident_mb(process.pid))
    seconds = time.perf_counter() - start
    if process.returncode or done < n:
        raise SystemExit(f"predict scored {done} of {n}, exit code {process.returncode}")
    early, _ = held.values()
    if early[0] > seconds / 2:
        raise SystemExit("predict writes no row before the end; memory cannot be told by files")
    print()
    print(head(f"predict, {MODELS}: files scored", "after, s", "resident, MB", "growth", "needed"))
    for done, (after, mb) in held.items():
        growth = f"{mb / early[1] - 1:+.1%}"
        print(row(done, f"{after:.0f}", f"{mb:.0f}", growth, f"within {MOST_GROWTH:.0%}"))


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data_option(parser)
    parser.add_argument("--files", type=int, default=800, help="copies of LUDB's records")
    parser.add_argument("--patients", type=int, default=600, help="virtual ones")
    parser.add_argument("--scored", type=int, default=5000, help="files for predict")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    parser.add_argument("--only", default=",".join(PARTS), help="names with commas between")
    given = parser.parse_args()
    asked = given.only.split(",")
    if unknown := set(asked) - set(PARTS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    headers = ludb_headers(given.data)
    if not headers:
        parser.error(f"no LUDB below {given.data}; see --data")
    with tempfile.TemporaryDirectory(prefix="dyssync-bench-") as folder:
        scratch = Path(folder)
        few = make_batch(headers, FEW, scratch / "few")
        many = make_batch(headers, given.files, scratch / "many")
        start = ("start-up on 1, s", "on 2, s")
        work = ("work on 1, s", "on 2, s", "a second on 1", "on 2", "gain", "needed")
        print(head("verb", "files", *start, *work))
        for verb in VERBS:
            if verb in asked:
                small, large = few, many
                if verb == "simulate":
                    large = Batch(given.patients, scratch)
                elif verb == "check":
                    small = simulated_batch(FEW, scratch / "few-virtual")
                    large = simulated_batch(given.patients, scratch / "many-virtual")
                show_gain(verb, small, large, given.rounds, scratch)
        if "start" in asked:
            show_starts()
        if "predict" in asked:
            show_memory(headers, given.scored, scratch)


if __name__ == "__main__":
    main()
