"""Unlabelled virtual ECGs of a wide population, streamed to Parquet shards in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dyssync.cohort.shards import MICROVOLT, N_SAMPLES, SCHEMA
from dyssync.ecg import LEADS
from dyssync.errors import check_range
from dyssync.simulation.cohort import VERSION, patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient
from dyssync.simulation.recording import FS
from dyssync.simulation.staging import run_chunks, staged_folder, write_whole

SHARD = 256  # ECGs in a file: 31 MB of samples, which is what a process holds
MAX_ECGS = 10_000_000
# Corpora and cohorts of one seed must not share patients; the second key keeps them apart.
_STREAM = 2**40


README = """# Simulated ECGs

The {n} recordings in these Parquet files belong to nobody; `dyssync simulate --unlabelled` computed
them (seed {seed}, simulator version {version}). A row is one ECG: `signal` holds 12 leads
({leads}) of {samples} samples each, one after the other, in uV at 500 Hz.
"""


def simulate_corpus(
    n_ecgs: int,
    seed: int,
    out: Path,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    force: bool = False,
) -> None:
    """Write `n_ecgs` virtual ECGs of a wide population to Parquet shards in the new folder `out`.

    Arguments, resumption and errors are those of `dyssync.simulation.cohort.simulate_cohort`.
    """
    check_range("ecgs", n_ecgs, 1, MAX_ECGS)
    check_range("seed", seed, 0, 2**63 - 1)
    check_range("workers", workers, 1, 1024)
    settings = {"kind": "corpus", "ecgs": n_ecgs, "seed": seed, "version": VERSION}
    with staged_folder(out, settings, force=force) as folder:
        firsts = range(0, n_ecgs, SHARD)
        to_do = [first for first in firsts if not _shard(folder, first).is_file()]
        done = n_ecgs - sum(min(SHARD, n_ecgs - first) for first in to_do)

        def count(finished: int) -> None:
            nonlocal done
            done += finished
            if progress is not None:
                progress(done)

        count(0)
        make = partial(_make_shard, n_ecgs=n_ecgs, seed=seed, folder=folder)
        run_chunks(make, to_do, workers=workers, on_done=count)
        text = README.format(
            n=n_ecgs, seed=seed, version=VERSION, leads=" ".join(LEADS), samples=N_SAMPLES
        )
        write_whole(folder / "README.md", text.encode())


def _shard(folder: Path, first: int) -> Path:
    return folder / f"shard-{first // SHARD:06d}.parquet"


def _make_shard(first: int, *, n_ecgs: int, seed: int, folder: Path) -> int:
    last = min(first + SHARD, n_ecgs)
    signals = np.empty((last - first, len(LEADS) * N_SAMPLES), dtype=np.int16)
    ages, sexes = [], []
    for row, k in enumerate(range(first, last)):
        rng = patient_rng(seed, _STREAM + k)
        parameters = draw_patient(rng, "archive")
        patient = simulate_patient(parameters, rng, with_response=False)
        signals[row] = np.rint(patient.signal * MICROVOLT).astype(np.int16).ravel()
        ages.append(parameters.clinical.age)
        sexes.append(parameters.clinical.sex)
    table = pa.Table.from_arrays(
        [
            pa.array([f"VE{k + 1:08d}" for k in range(first, last)]),
            pa.array(ages, pa.float32()),
            pa.array(sexes),
            pa.array([FS] * (last - first), pa.float32()),
            pa.FixedSizeListArray.from_arrays(pa.array(signals.ravel()), signals.shape[1]),
        ],
        schema=SCHEMA,
    )
    path = _shard(folder, first)
    beside = path.with_name(path.name + ".part")
    # Differences between samples are small: this halves the files of zstd alone.
    pq.write_table(
        table,
        beside,
        compression="zstd",
        use_dictionary=False,
        column_encoding={"signal.list.element": "DELTA_BINARY_PACKED"},
        row_group_size=64,
    )
    beside.replace(path)
    return last - first
