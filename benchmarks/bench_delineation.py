"""Measure the delineation on real ECGs with cardiologists' marks: `make bench-delineation`.

Prints, beside NeuroKit2's best method on the same beats when that is installed somewhere:

* LUDB, 12 leads: each mark in each lead; the same for wide or paced QRS; global failures.
* QTDB, 2 leads.
* QRS duration against the one printed by the recorder, on vendor files.
* Virtual hearts: against the noise-free beat, by noise level.
* Speed: time of one record, linearity and memory over many; several processes: bench_workers.py.

NeuroKit2 is no dependency: `make bench-delineation` puts it into an environment of its own and
names that one's Python in NEUROKIT_PYTHON. Its marks are kept for the next run.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # as the command line does: times are those of one core

import argparse
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from annotated_ecgs import Marks, Record, ludb_records, qtdb_records
from dyssync.ecg import ECG
from dyssync.errors import InputError
from dyssync.formats import read_ecg
from dyssync.measurements import measure
from dyssync.signals.delineation import delineate
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient
from mark_scores import NAMES, WINDOW_S, match, show_better_lead, show_set
from neurokit_peer import show_neurokit
from qrs_durations import is_wide, our_qrs_ms, show_failures
from real_data import data_option, ludb_headers

NOISE_LEVELS = (0.3, 1.0, 3.0)  # times the drawn noise


def our_marks(record: Record) -> list[Marks]:
    """Return our marks of each lead."""
    found = delineate(record.signal, record.fs)
    return [
        {name: found.lead_marks[name][lead] for name in NAMES} for lead in range(len(record.signal))
    ]


def show_beats(records: list[Record]) -> None:
    """Beats of all leads together: a cardiologist's beat is one marked in at least 4 leads."""
    found = missed = extra = 0
    for record in records:
        # QRS ends, for some QRS have no marked onset; 40 ms before them is about the fiducial point
        centres = np.sort(np.concatenate([m["qrs_off"] for m, _ in record.reference]))
        centres -= 0.04 * record.fs
        groups = np.split(centres, np.flatnonzero(np.diff(centres) > 0.12 * record.fs) + 1)
        reference = np.array([np.median(g) for g in groups if len(g) >= 4])
        beats = delineate(record.signal, record.fs).beats.astype(np.float64)
        pairs = len(match(reference, beats, WINDOW_S * record.fs))
        inside = (beats > reference.min() - 0.1 * record.fs) & (
            beats < reference.max() + 0.1 * record.fs
        )
        found, missed, extra = (
            found + pairs,
            missed + len(reference) - pairs,
            extra + max(0, int(inside.sum()) - pairs),
        )
    print(
        f"\nbeats: {found} found, {missed} missed, {extra} extra: "
        f"Se {100 * found / (found + missed):.2f} %, P+ {100 * found / (found + extra):.2f} %"
    )


def show_vendor_files(folder: Path) -> None:
    """QRS duration that the recorder printed against ours, each ECG once."""
    seen: set[tuple[float, ...]] = set()
    differences = []
    print("\nprinted by the recorder - ours, QRS duration (ms)")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            ecg = read_ecg(path)
        except InputError:
            continue
        printed = float(ecg.notes.get("machine QRSd (ms)", "nan"))
        ours = measure(ecg)["qrs_duration_ms"]
        key = (printed, ours)
        if np.isnan(printed) or np.isnan(ours) or key in seen:
            continue
        seen.add(key)
        differences.append(ours - printed)
        print(f"  {path.name:55s} {printed:4.0f} {ours:4.0f}")
    print(
        f"median absolute difference {np.median(np.abs(differences)):.1f} ms of {len(differences)}"
    )


def show_virtual_hearts(n_patients: int) -> None:
    """QRS duration and area against the noise-free beat of the same virtual heart."""
    print("\nvirtual hearts: ours - truth without noise, by noise level")
    for level in NOISE_LEVELS:
        pairs = []
        for k in range(n_patients):
            rng = np.random.default_rng([7, k])
            patient = draw_patient(rng)
            noise = patient.setting.noise
            louder = replace(
                noise,
                muscle_mv=level * noise.muscle_mv,
                wander_mv=level * noise.wander_mv,
                mains_mv=level * noise.mains_mv,
            )
            patient = replace(patient, setting=replace(patient.setting, noise=louder))
            heart = simulate_patient(patient, rng, with_response=False)
            found, truth = measure(ECG(heart.signal, 500.0)), heart.beat_truth
            pairs.append(
                (found["qrs_duration_ms"], truth.qrs_ms, found["qrs_area_uvs"], truth.qrs_area)
            )
        table = np.array(pairs)
        table = table[np.isfinite(table).all(axis=1)]
        words = []
        for name, unit, ours, true in (("QRSd", "ms", 0, 1), ("area", "uVs", 2, 3)):
            error = table[:, ours] - table[:, true]
            r = np.corrcoef(table[:, ours], table[:, true])[0, 1]
            words.append(f"{name} r {r:.3f}, bias {error.mean():.1f}, SD {error.std():.1f} {unit}")
        print(f"  noise x {level:<4g} {len(table)} of {n_patients}: {'; '.join(words)}")


def show_speed(records: list[Record], paths: list[Path], neurokit: dict[str, float]) -> None:
    """Time of one record; then files read and measured, by their number."""
    ecgs = [ECG(record.signal, record.fs) for record in records]
    measure(ecgs[0])
    wholes, marks = [], []
    for record, ecg in zip(records, ecgs, strict=True):
        start = time.process_time()
        measure(ecg)
        middle = time.process_time()
        delineate(record.signal, record.fs)
        wholes.append(middle - start)
        marks.append(time.process_time() - middle)
    whole, mark = float(np.mean(wholes)), float(np.mean(marks))
    print(
        f"\nCPU time a 10-s 12-lead record: dictionary {1e3 * whole:.1f} ms (median "
        f"{1e3 * np.median(wholes):.1f}), marks alone {1e3 * mark:.1f} ms"
    )
    for method, theirs in neurokit.items():
        print(
            f"NeuroKit2 cleaning and delineation, {method}: {1e3 * theirs:.0f} ms, "
            f"{theirs / whole:.0f} x the dictionary, {theirs / mark:.0f} x the marks"
        )
    for times in (1, 2, 4, 8):
        start = time.perf_counter()
        n = sum(1 for path in paths * times if measure(read_ecg(path)))
        wall = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{n} files read and measured, one process: {wall:.1f} s, {1e3 * wall / n:.1f} ms "
            f"each, peak memory {peak:.0f} MB"
        )


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data_option(parser)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "dyssync-bench")
    parser.add_argument("--records", type=int, help="only so many LUDB records")
    parser.add_argument("--hearts", type=int, default=60, help="virtual hearts a noise level")
    options = parser.parse_args()
    python = os.environ.get("NEUROKIT_PYTHON")
    ludb = list(ludb_records(options.data))[: options.records]
    qtdb = list(qtdb_records(options.data))
    wide = [k for k, record in enumerate(ludb) if is_wide(record)]

    marks, durations = [our_marks(r) for r in ludb], [our_qrs_ms(r) for r in ludb]
    show_beats(ludb)
    show_set("LUDB, dyssync", ludb, marks).against_targets()
    show_failures(ludb, durations)
    show_set("LUDB, wide or paced, dyssync", [ludb[k] for k in wide], [marks[k] for k in wide])
    show_failures([ludb[k] for k in wide], [durations[k] for k in wide])
    show_better_lead("QTDB, dyssync", qtdb, [our_marks(r) for r in qtdb])
    seconds: dict[str, float] = {}
    if python:
        seconds = show_neurokit(ludb, qtdb, python, options.keep)
    else:
        print("\nNeuroKit2 is left out: NEUROKIT_PYTHON is not set (see the top of this script)")
    show_vendor_files(options.data / "formats")
    show_virtual_hearts(options.hearts)
    show_speed(ludb, ludb_headers(options.data)[: options.records], seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
