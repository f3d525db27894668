"""A virtual CRT cohort as files: recordings, the cohort table, and the truth apart from it."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.ecg import ECG
from dyssync.errors import check_choice, check_range
from dyssync.formats.wfdb import write_wfdb
from dyssync.simulation.chunks import KIND, MARKER, PARTS, chunks_of, make_chunks, receipt_of
from dyssync.simulation.patient import PatientParameters, VirtualPatient, simulate_patient
from dyssync.simulation.population import Population, draw_patient
from dyssync.simulation.recording import FS
from dyssync.simulation.rows import cohort_row, truth_row
from dyssync.whole import is_whole, resumable_folder, synced_later, write_receipt, write_text
from dyssync.workers import OnProgress, unwatched

CHUNK = 16  # patients that are finished together; what an interruption can cost
MAX_PATIENTS = 1_000_000
VERSION = 4  # of the simulator: other numbers for the same seed need another version
# What the name of a patient begins with, and what keeps random streams of populations apart.
COHORTS: dict[Population, tuple[str, int]] = {"crt": ("VP", 0), "foreign": ("VF", 2**41)}

README = """# A simulated cohort

These {n} patients do not exist. Heart, ECG and response were computed by `dyssync simulate`
(seed {seed}, simulator version {version}). Use them to try, test and compare; never as evidence
about patients.

- `cohort.csv`: what a user's table holds. The response follows from the two volumes (LVESV falls by
  at least 15 %).
- `records/`: 12-lead ECGs of 10 s at 500 Hz in WFDB format, mV.
- `truth.csv`: what is known only because it was simulated: the kind of conduction, activation
  times, scar, the effect of pacing, and `p_response`, the probability of response before the
  variation was drawn that neither ECG nor chart shows. No model may read it. The AUROC of
  `p_response` against the response is the best that any model can expect to reach here.
"""

FOREIGN_README = """
The population is "foreign": hearts, conduction, sources, noise and response follow other choices
than those of the simulator that encoders are trained on. It measures what carries over.
"""


def simulate_cohort(
    n_patients: int,
    seed: int,
    out: Path,
    *,
    population: Population = "crt",
    workers: int = 1,
    on_progress: OnProgress = unwatched,
    force: bool = False,
) -> None:
    """Write a cohort of virtual CRT candidates to the new folder `out`.

    Patient k of a seed is the same in a cohort of any size, made by any number of processes. An
    interrupted call leaves `.<out>.partial` beside `out`; the same call goes on from there.

    Args:
        n_patients: 1 to a million.
        seed: 0 or more.
        out: folder to make.
        population: "crt", or "foreign" for candidates of another simulator, whose geometry,
            conduction, sources, noise and response follow other choices.
        workers: processes.
        on_progress: called with how many patients are finished, of how many.
        force: replace `out` if it is a simulated folder.

    Raises:
        ConfigError: a number is out of range, or the population is not of candidates.
        InputError: `out` exists or cannot be written.
    """
    check_range("patients", n_patients, 1, MAX_PATIENTS)
    check_range("seed", seed, 0, 2**63 - 1)
    check_range("workers", workers, 1, 1024)
    check_choice("population", population, tuple(COHORTS))
    settings = {"kind": "cohort", "patients": n_patients, "seed": seed, "version": VERSION}
    if population != "crt":  # a cohort of version 4 keeps its bytes
        settings["population"] = population
    with resumable_folder(out, KIND, MARKER, settings, force=force) as folder:
        (folder / "records").mkdir(exist_ok=True)
        (folder / PARTS).mkdir(exist_ok=True)
        chunks = chunks_of(n_patients, CHUNK)
        make_chunks(
            partial(_make_chunk, seed=seed, folder=folder, population=population),
            chunks,
            lambda chunk: is_whole(folder, at=receipt_of(folder, chunk)),
            workers=workers,
            on_progress=on_progress,
        )
        rows = [
            row for chunk in chunks for row in json.loads(_rows_file(folder, chunk).read_bytes())
        ]
        for name in ("cohort", "truth"):
            table = pd.DataFrame([row[name] for row in rows])
            write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
        readme = README.format(n=n_patients, seed=seed, version=VERSION)
        if population == "foreign":
            readme += FOREIGN_README
        write_text(folder / "README.md", readme)
        shutil.rmtree(folder / PARTS)


def patient_rng(seed: int, k: int) -> np.random.Generator:
    """Return the generator of patient `k` of `seed`, whatever the size of the cohort."""
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(k,)))


def make_patient(
    seed: int, k: int, population: Population = "crt"
) -> tuple[str, PatientParameters, VirtualPatient]:
    """Return name, parameters and simulation of patient `k` of a cohort of `seed`."""
    prefix, stream = COHORTS[population]
    rng = patient_rng(seed, stream + k)
    parameters = draw_patient(rng, population)
    return f"{prefix}{k + 1:07d}", parameters, simulate_patient(parameters, rng)


def _rows_file(folder: Path, chunk: range) -> Path:
    return folder / PARTS / f"{chunk.start:07d}.json"


def _make_chunk(chunk: range, *, seed: int, folder: Path, population: Population) -> None:
    """Write the recordings of one chunk and its rows, then the receipt that vouches for them."""
    with synced_later():
        files = _write_chunk(chunk, seed, folder, population)
        write_receipt(folder, files=files, at=receipt_of(folder, chunk))


def _write_chunk(chunk: range, seed: int, folder: Path, population: Population) -> list[Path]:
    """Write recordings and rows; return all files."""
    rows, files = [], [_rows_file(folder, chunk)]
    for k in chunk:
        name, parameters, patient = make_patient(seed, k, population)
        ecg = ECG(
            signal=patient.signal,
            fs=FS,
            age=parameters.clinical.age,
            sex=parameters.clinical.sex,
        )
        header = write_wfdb(ecg, folder / "records", name)
        files += [header, header.with_suffix(".dat")]
        rows.append(
            {
                "cohort": cohort_row(name, parameters, patient),
                "truth": truth_row(name, parameters, patient),
            }
        )
    write_text(files[0], json.dumps(rows))
    return files
