"""Corpora: ECGs a second written and streamed, bytes an ECG, memory, two workers against one.

    make bench-corpus                                            100,000 ECGs; 7 GB, an hour
    python benchmarks/bench_corpus.py --ecgs 2000 --batch 1000 --alone 1000   a look

Simulated ECGs are repeated, a sample changed in each so that none is a duplicate, and written as
WFDB; `dyssync corpus add` takes them in calls of `--batch` files, as an archive grows. Then the
corpus is streamed, all rows read and thrown away, and prepared for pretraining as far as
`--prepared` goes. Two workers do all of it, one alone the first `--alone` ECGs.
Processor time is told beside the clock, for the clock depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from command_line import DYSSYNC, ENVIRONMENT
from dyssync.cohort.pieces import Piece, pieces_of, read_piece
from dyssync.ecg import ECG, LEADS
from dyssync.formats.wfdb import write_wfdb
from dyssync.pretraining.preparing import prepare_material
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient
from dyssync.workers import each
from markdown_rows import head, row
from resident import resident_mb

DISTINCT = 64
CHANGE = 50  # uV, the step of our WFDB records
LOOK_S = 0.2


@dataclass(frozen=True)
class Cost:
    """What a call took: seconds by the clock, of processors; MB of all its processes by time."""

    wall: float
    cpu: float
    memory: Sequence[float]

    @property
    def growth(self) -> float:
        """Memory in the last tenth of the time against the fifth one, when all has started."""
        held = np.array(self.memory)
        tenth = max(1, len(held) // 10)
        return float(np.median(held[-2 * tenth : -tenth]) / np.median(held[4 * tenth : 5 * tenth]))


def cost_of(words: Sequence[str | Path]) -> Cost:
    """Run a command and return what it took."""
    began = time.perf_counter()
    process = subprocess.Popen(list(map(str, words)), env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    memory = []
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        memory.append(resident_mb(process.pid))
        time.sleep(LOOK_S)
    process.returncode = status
    if status:
        raise SystemExit(f"{words[1]}: status {status}")
    return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime, memory)


def simulated(count: int) -> list[ECG]:
    """Return a few virtual ECGs."""
    rng = np.random.default_rng(1)
    drawn = [draw_patient(rng, "wide") for _ in range(count)]
    return [ECG(simulate_patient(p, rng, with_response=False).signal, 500.0) for p in drawn]


def write_distinct(ecgs: Sequence[ECG], folder: Path) -> list[Path]:
    """Write the ECGs that are copied; return their headers."""
    folder.mkdir()
    for k, ecg in enumerate(ecgs):
        write_wfdb(ecg, folder, f"d{k:02d}")
    return sorted(folder.glob("*.hea"))


def write_files(headers: Sequence[Path], first: int, count: int, folder: Path) -> None:
    """Write copies number `first` and on, each with two samples of a lead changed by 50 uV.

    One goes up and the next goes down, so that the checksum of the lead stays what it was.
    """
    folder.mkdir()
    texts = [header.read_text(encoding="utf-8") for header in headers]
    held = [np.fromfile(header.with_suffix(".dat"), "<i2") for header in headers]
    for k in range(first, first + count):
        which, turn = k % len(headers), k // len(headers)
        name = f"r{k:07d}"
        text = texts[which].replace(headers[which].stem, name)
        (folder / f"{name}.hea").write_text(text, encoding="utf-8")
        samples = held[which].copy()
        at = len(LEADS) + turn % (len(samples) - 2 * len(LEADS))
        samples[at] += CHANGE
        samples[at + len(LEADS)] -= CHANGE
        samples.tofile(folder / f"{name}.dat")


def counted(piece: Piece) -> int:
    """Read a piece, and say how many rows it has."""
    return len(read_piece(piece)[0])


def stream(corpus: Path, workers: int, prepared: int) -> None:
    """Read all rows, or prepare as many for pretraining; what this file does for itself."""
    if prepared:
        with tempfile.TemporaryDirectory() as cache:
            part = corpus.with_name("part")
            part.mkdir()
            for shard in sorted(corpus.glob("*.parquet"))[: max(1, prepared // 256)]:
                (part / shard.name).symlink_to(shard)
            material, _ = prepare_material([part], Path(cache), workers=workers)
            print(len(material), file=sys.stderr)
            shutil.rmtree(part)
        return
    print(sum(each(counted, pieces_of(corpus), workers=workers)), file=sys.stderr)


def added(ecgs: int, batch: int, workers: int, home: Path) -> Iterator[Cost]:
    """Add copies to a corpus, a batch a call."""
    few = home / "distinct"
    headers = sorted(few.glob("*.hea")) or write_distinct(simulated(DISTINCT), few)
    for first in range(0, ecgs, batch):
        folder = home / f"files-{first}"
        write_files(headers, first, min(batch, ecgs - first), folder)
        yield cost_of(
            [*DYSSYNC, "corpus", "add", folder, "--out", home / "corpus", "--workers", str(workers)]
        )
        shutil.rmtree(folder)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ecgs", type=int, default=100_000)
    parser.add_argument("--alone", type=int, default=20_000, help="of them by one worker")
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--prepared", type=int, default=1_024)
    parser.add_argument("--folder", type=Path, help="where there is room; default: temporary")
    parser.add_argument("--stream", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stream:
        stream(asked.stream, asked.workers, asked.prepared)
        return
    print(head("", "ECGs", "workers", "a second", "processor ms an ECG", "MB", "grows to"))
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        home = Path(name)
        for workers, ecgs in ((1, asked.alone), (2, asked.ecgs)):
            shutil.rmtree(home / "corpus", ignore_errors=True)
            show("added", asked.batch, workers, list(added(ecgs, asked.batch, workers, home)))
        size = sum(path.stat().st_size for path in (home / "corpus").iterdir())
        own = (sys.executable, __file__, "--stream", str(home / "corpus"), "--workers")
        for workers in (1, 2):
            calls = [cost_of([*own, str(workers), "--prepared", "0"])]
            show("streamed", asked.ecgs, workers, calls)
        for workers in (1, 2):
            part = min(asked.prepared, asked.ecgs)
            calls = [cost_of([*own, str(workers), "--prepared", str(part)])]
            show("prepared", part, workers, calls)
    print(f"\n{size / asked.ecgs / 1000:.1f} kB an ECG, manifests included")


def show(what: str, ecgs: int, workers: int, costs: Sequence[Cost]) -> None:
    """Print the row of some calls of as many ECGs each: medians, memory of the last."""
    wall = float(np.median([cost.wall for cost in costs]))
    cpu = float(np.median([cost.cpu for cost in costs]))
    memory = [max(cost.memory) for cost in costs]
    grows = costs[0].growth if len(costs) == 1 else memory[-1] / memory[0]
    cells = (f"{ecgs / wall:.0f}", f"{1000 * cpu / ecgs:.1f}", f"{memory[-1]:.0f}", f"{grows:.0%}")
    print(row(what, len(costs) * ecgs, workers, *cells), flush=True)


if __name__ == "__main__":
    main()
