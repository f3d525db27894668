"""Encoders learnt by one process and by several: their loss curves, and recordings a second.

    make bench-ddp                                  1, 2 and 4 processes, 3 seeds: about an hour
    python benchmarks/bench_ddp.py --ecgs 64 --seeds 1 --processes 1,2     a look

Simulated ECGs, the same global batch whoever learns. Seeds of one process differ by order, views
and first weights: the spread that the curves of several have to stay within.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from dyssync.learning.training import Watch
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.ranks import Ranks
from dyssync.pretraining.run import Asked, Told, pretrain_corpora
from dyssync.simulation.corpus import simulate_corpus
from dyssync.workers import available_cores
from markdown_rows import head, row


def note(times: list[float], done: int, of: int) -> None:
    """Take down when a pass is over."""
    times.append(time.perf_counter())


def main() -> None:
    """Learn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ecgs", type=int, default=512)
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--size", default="128,160", help="of a picture, px")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", default="1,2,4")
    parser.add_argument("--methods", default="measurements,vicreg")
    asked = parser.parse_args()
    height, width = map(int, asked.size.split(","))
    print(head("method", "processes", "seed", "ECGs a second", "loss of each pass"))
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        simulate_corpus(asked.ecgs, 1, home / "corpus", workers=available_cores())
        for method in asked.methods.split(","):
            config = PretrainingConfig(
                method=method, height=height, width=width, passes=asked.passes,
                batch_size=asked.batch_size,
            )  # fmt: skip
            for seed in range(asked.seeds):
                for processes in map(int, asked.processes.split(",")):
                    times: list[float] = []
                    watch = Watch(partial(note, times))
                    encoder, _ = pretrain_corpora(
                        Asked([home / "corpus"], config, (), seed),
                        home / f"{method}-{seed}-{processes}",
                        cache=home / "cache",
                        told=Told(learning=watch),
                        ranks=Ranks(processes),
                    )
                    # the first pass is warming up
                    speed = asked.ecgs / float(np.median(np.diff(times)[1:]))
                    curve = " ".join(f"{loss:.3f}" for loss in encoder.record.loss)
                    print(row(method, processes, seed, f"{speed:.1f}", curve), flush=True)


if __name__ == "__main__":
    main()
