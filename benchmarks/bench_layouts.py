"""Train ResNet-18 on one layout, on many, on tiles, on worn paper; test each on all of it.

    make bench-layouts                                     hours; goes on where it was stopped
    python benchmarks/bench_layouts.py --cohort ludb=TABLE.csv ... [--preset paper] [--workers 2]

A preset gives size of pictures and length of training (quick: 160 x 128 px, 15 epochs; paper:
224 x 224 px, 40 epochs), a condition what the training pictures look like.

Splits, training and calibration are the study's (60/20/20 by patient, seeds 1 to 10; a seed's
network is trained once and tested on every layout, at every severity of wear, and on whole pages).
Each network adds its rows, with the commit that made them, to docs/measured/layouts.csv, which is
kept in the repository: it takes hours, and no machine stays for long. A cohort of another simulator
is another cohort and needs another name. Tables and curves of it: benchmarks/layout_tables.py.
"""

from __future__ import annotations

import argparse
import copy
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.cohort.cohort import Cohort, read_cohort
from dyssync.cohort.splits import split_patients
from dyssync.ecg import ECG
from dyssync.evaluation.metrics import auroc
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.learning.network_input import drawn_signal
from dyssync.measurements.waveforms import FS
from dyssync.models.resnet import ResNet18
from dyssync.rendering import STYLES, PageOptions, View, apply_view, render_page
from dyssync.rendering.wear import apply_wear, draw_wear
from dyssync.study.config import PRESETS
from dyssync.whole import whole_file
from dyssync.workers import pool

ONE = {"training_layouts": "same", "papers": "plain", "wear": 0.0}
CONDITIONS = {
    "one layout": {"layout": "3x4+II", **ONE},
    "mixed layouts": {"layout": "3x4+II", **ONE, "training_layouts": "mixed"},
    "tiles": {"layout": "tiles", **ONE},
    "worn": {"layout": "3x4+II", "training_layouts": "same", "papers": "mixed", "wear": 3.0},
    "mixed and worn": {
        "layout": "3x4+II",
        "training_layouts": "mixed",
        "papers": "mixed",
        "wear": 2.0,
    },
}
PAGES = ("3x4+II", "3x4", "3x4-cabrera", "4x3", "6x2", "12x1")
SEVERITIES = (0, 1, 2, 3, 4, 5)
PAGE_SEVERITIES = (0, 2)
HEADER = ("Patient 0042   70 years   80 kg", "12-lead ECG   resting", "HR 64   QRSd 152", "Ward 3")
SCAN = (512, 640)  # px of the pictures that are worn; the network gets them as a user's own


def printed_page(ecg: ECG, model: ResNet18, severity: int, rng: np.random.Generator) -> ECGImage:
    """A whole page with header and margins in the model's own layout and gain, worn."""
    layout = LAYOUTS[model.layout]
    gain = model.gain * layout.gain_mm_mv
    options = PageOptions(
        limb_gain_mm_mv=gain,
        chest_gain_mm_mv=gain,
        header=HEADER[: int(rng.integers(0, len(HEADER) + 1))],
    )
    style = str(rng.choice(list(STYLES)))
    signal = drawn_signal(ecg, model.layout)
    page = render_page(signal, FS, layout, dpi=100, style=style, options=options)
    return ECGImage(apply_wear(page, draw_wear(rng, severity)).image)


@dataclass(frozen=True)
class Job:
    """One network to train and test."""

    cohort: str
    preset: str
    condition: str
    seed: int


def worn_picture(ecg: ECG, model: ResNet18, severity: int, rng: np.random.Generator) -> ECGImage:
    """A page with grid and names in the model's own layout and gain, worn."""
    gain = model.gain
    view = View(layout=model.layout, limb_gain=gain, chest_gain=gain, grid=0.2, text=True)
    page = apply_view(drawn_signal(ecg, model.layout), FS, view, SCAN)
    image = apply_wear(page, draw_wear(rng, severity)).image
    return ECGImage(np.repeat(image[:, :, None], 3, axis=2))


def measure(job: Job, cohort: Cohort) -> pd.DataFrame:
    """Train one network; return its AUROC on each layout and severity."""
    split = split_patients(cohort.responses, job.seed)
    y = cohort.table["responder"].to_numpy(np.int64)
    rows = {part: cohort.rows_of(split.part(part)) for part in ("train", "validation", "test")}
    held = {part: ([cohort.signals[i] for i in r], y[r]) for part, r in rows.items()}
    preset = ResNet18.PRESETS.get(job.preset, {})
    model = ResNet18(**{**preset, **CONDITIONS[job.condition]})
    began = time.perf_counter()
    model.fit(*held["train"], seed=job.seed, validation=held["validation"])
    fitted_s = time.perf_counter() - began
    ecgs, truth = held["test"]
    found = []
    for layout in PAGES if model.layout in PAGES else (model.layout,):
        asked = copy.copy(model)
        asked.layout = layout
        found.append(("layout", layout, auroc(truth, asked.response_probability(ecgs))))
    # a network on median beats looks at no page itself
    for severity in SEVERITIES if model.takes_pictures() else ():
        rng = np.random.default_rng(np.random.SeedSequence([job.seed, severity]))
        pictures = [worn_picture(ecg, model, severity, rng) for ecg in ecgs]
        found.append(("wear", str(severity), auroc(truth, model.response_probability(pictures))))
    for severity in PAGE_SEVERITIES if model.takes_pictures() else ():
        rng = np.random.default_rng(np.random.SeedSequence([job.seed, severity, 1]))
        pictures = [printed_page(ecg, model, severity, rng) for ecg in ecgs]
        found.append(("page", str(severity), auroc(truth, model.response_probability(pictures))))
    table = pd.DataFrame(found, columns=["kind", "tested_on", "auroc"])
    for k, (name, value) in enumerate(asdict(job).items()):
        table.insert(k, name, value)
    n_others = sum(len(rows[part]) for part in ("train", "validation"))
    return table.assign(test_share=len(rows["test"]) / n_others, fit_s=round(fitted_s, 1))


KEYS = [field.name for field in fields(Job)]

_cohorts: dict[str, Cohort] = {}


def work(job: Job, tables: dict[str, Path]) -> pd.DataFrame:
    """Do one job in a process that keeps the cohorts it has read."""
    import torch

    torch.use_deterministic_algorithms(True)
    if job.cohort not in _cohorts:
        _cohorts[job.cohort] = read_cohort(tables[job.cohort])
    return measure(job, _cohorts[job.cohort])


def read_results(path: Path) -> pd.DataFrame:
    """Return the rows of the networks that are done; none where there is no file yet."""
    if not path.is_file():
        return pd.DataFrame(columns=[*KEYS, "kind"])
    return pd.read_csv(path, dtype={"tested_on": str})


def add_results(path: Path, found: pd.DataFrame) -> None:
    """Add the rows of one network to the file; whole or not at all."""
    rows = pd.concat([read_results(path), found]).sort_values(KEYS, kind="stable")
    with whole_file(path) as part:
        rows.to_csv(part, index=False)


def current_commit() -> str:
    """Return what git calls the files as they are."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def plan(cohorts: Sequence[str], preset: str, conditions: Sequence[str], seeds: int) -> list[Job]:
    """Return all jobs, seed by seed: a run that is stopped has as many seeds of each condition."""
    jobs = product(range(1, seeds + 1), cohorts, conditions)
    return [Job(cohort, preset, condition, seed) for seed, cohort, condition in jobs]


def main() -> None:
    """Train and test every network that the file of results lacks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", action="append", default=[], metavar="NAME=TABLE")
    parser.add_argument("--results", type=Path, default=Path("docs/measured/layouts.csv"))
    parser.add_argument("--conditions", default=",".join(CONDITIONS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--preset", choices=list(PRESETS), default="quick")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    results: Path = arguments.results
    results.parent.mkdir(parents=True, exist_ok=True)
    tables = {name: Path(path) for name, path in (c.split("=", 1) for c in arguments.cohort)}
    known = read_results(results)
    done = set(known[KEYS].itertuples(index=False, name=None))
    jobs = plan(list(tables), arguments.preset, arguments.conditions.split(","), arguments.seeds)
    jobs = [job for job in jobs if astuple(job) not in done]
    if jobs:
        commit = current_commit()
        with pool(arguments.workers) as held:
            running = {held.submit(work, job, tables): job for job in jobs}
            while running:
                for ticket in held.wait(list(running)):
                    add_results(results, held.result(ticket).assign(commit=commit))
                    job = running.pop(ticket)
                    told = f"{job} {len(jobs) - len(running)}/{len(jobs)}"
                    print(f"{time.strftime('%H:%M')} {told}", flush=True)


if __name__ == "__main__":
    main()
