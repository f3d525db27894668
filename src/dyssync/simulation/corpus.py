"""Unlabelled virtual ECGs of a wide population, streamed to Parquet shards in bounded memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from dyssync.cohort.shard_rows import SIMULATED
from dyssync.cohort.shards import N_SAMPLES, SHARD, Row, name_of_shard, write_shard
from dyssync.ecg import ECG, LEADS, Source
from dyssync.errors import check_choice, check_range
from dyssync.simulation.chunks import KIND, MARKER, PARTS, chunks_of, make_chunks, receipt_of
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import Population, draw_patient
from dyssync.simulation.recording import FS
from dyssync.simulation.rows import heart_of
from dyssync.whole import is_whole, resumable_folder, synced_later, write_receipt, write_text
from dyssync.workers import OnProgress, unwatched

MAX_ECGS = 10_000_000
# Never "foreign", on which transfer between simulators is measured.
POPULATIONS: tuple[Population, ...] = ("wide", "archive")
CORPUS_VERSION = 6  # other files for the same seed need another version
# Corpora and cohorts of one seed must not share patients; the second key keeps them apart.
_STREAM = 2**40


README = """# Simulated ECGs

The {n} recordings in these Parquet files belong to nobody; `dyssync simulate --unlabelled` computed
them (seed {seed}, simulator version {version}, population "{population}"). A row is one ECG:
`signal` holds 12 leads ({leads})
of {samples} samples each, one after the other, in uV at 500 Hz; the columns `heart_...` hold what
only the simulator knows of the heart.
"""


def simulate_corpus(
    n_ecgs: int,
    seed: int,
    out: Path,
    *,
    population: Population = "wide",
    workers: int = 1,
    on_progress: OnProgress = unwatched,
    force: bool = False,
) -> None:
    """Write `n_ecgs` virtual ECGs to Parquet shards in the new folder `out`.

    Arguments, resumption and errors are those of `dyssync.simulation.cohort.simulate_cohort`, but
    `population` is "wide" (domain randomisation: half CRT candidates, a quarter of an archive, a
    quarter of anything between, all spread further) or "archive".
    """
    check_range("ecgs", n_ecgs, 1, MAX_ECGS)
    check_range("seed", seed, 0, 2**63 - 1)
    check_range("workers", workers, 1, 1024)
    check_choice("population", population, POPULATIONS)
    settings = {
        "kind": "corpus",
        "ecgs": n_ecgs,
        "seed": seed,
        "version": CORPUS_VERSION,
        "population": population,
    }
    with resumable_folder(out, KIND, MARKER, settings, force=force) as folder:
        (folder / PARTS).mkdir(exist_ok=True)
        make_chunks(
            partial(_make_shard, seed=seed, folder=folder, population=population),
            chunks_of(n_ecgs, SHARD),
            lambda chunk: is_whole(folder, at=receipt_of(folder, chunk)),
            workers=workers,
            on_progress=on_progress,
        )
        text = README.format(
            n=n_ecgs,
            seed=seed,
            version=CORPUS_VERSION,
            population=population,
            leads=" ".join(LEADS),
            samples=N_SAMPLES,
        )
        write_text(folder / "README.md", text)
        shutil.rmtree(folder / PARTS)


def _shard(folder: Path, chunk: range) -> Path:
    return folder / name_of_shard(chunk.start // SHARD)


def _make_shard(chunk: range, *, seed: int, folder: Path, population: Population) -> None:
    shard = _shard(folder, chunk)
    with synced_later():
        write_shard(shard, _rows(chunk, seed, population))
        write_receipt(folder, files=[shard], at=receipt_of(folder, chunk))


def _rows(chunk: range, seed: int, population: Population) -> Iterator[Row]:
    for k in chunk:
        rng = patient_rng(seed, _STREAM + k)
        parameters = draw_patient(rng, population)
        patient = simulate_patient(parameters, rng, with_response=False)
        ecg = ECG(
            signal=patient.signal,
            fs=FS,
            patient_id=f"VE{k + 1:08d}",
            age=parameters.clinical.age,
            sex=parameters.clinical.sex,
            source=Source("simulated", SIMULATED),
        )
        yield Row(ecg, heart_of(parameters, patient))
