"""Unlabelled virtual ECGs of a wide population, streamed to Parquet shards in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dyssync.ecg import ECG, LEADS, Signal, Source
from dyssync.errors import CohortError, check_range
from dyssync.simulation.cohort import VERSION, patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient
from dyssync.simulation.recording import FS, SECONDS
from dyssync.simulation.staging import run_chunks, staged_folder, write_whole

SHARD = 256  # ECGs in a file: 31 MB of samples, which is what a process holds
MAX_ECGS = 10_000_000
MICROVOLT = 1000.0  # steps of a stored sample in one mV
# Corpora and cohorts of one seed must not share patients; the second key keeps them apart.
_STREAM = 2**40

N_SAMPLES = round(FS * SECONDS)
SCHEMA = pa.schema(
    [
        ("patient_id", pa.string()),
        ("age", pa.float32()),
        ("sex", pa.string()),
        ("fs", pa.float32()),
        # lead after lead in the order of dyssync.ecg.LEADS, in uV
        ("signal", pa.list_(pa.int16(), len(LEADS) * N_SAMPLES)),
    ],
    metadata={"leads": " ".join(LEADS), "unit": "uV", "made_by": "dyssync simulate --unlabelled"},
)

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


def read_shards(folder: Path, *, every: int = 1) -> Iterator[ECG]:
    """Yield the ECGs of a corpus that `simulate_corpus` wrote, one after the other.

    Args:
        folder: the corpus.
        every: 1 yields all, 10 every tenth.

    Raises:
        CohortError: there are no shards, or a file is not one of ours.
    """
    shards = sorted(folder.glob("shard-*.parquet"))
    if not shards:
        raise CohortError(f"{folder.name}: no shard-*.parquet; a simulated corpus is needed")
    k = 0
    for path in shards:
        try:
            file = pq.ParquetFile(path)
            if file.schema_arrow.names != SCHEMA.names:
                raise CohortError(f"{path.name}: other columns than those of a simulated corpus")
            for batch in file.iter_batches(batch_size=16):
                samples = batch.column("signal").flatten().to_numpy()
                samples = samples.reshape(len(batch), len(LEADS), N_SAMPLES)
                signals = (samples / MICROVOLT).astype(np.float32)
                for row in range(len(batch)):
                    if k % every == 0:
                        yield _ecg(batch, row, signals[row], path.name)
                    k += 1
        except pa.ArrowInvalid as error:
            raise CohortError(f"{path.name}: damaged ({error}); make the corpus again") from error


def _ecg(batch: pa.RecordBatch, row: int, signal: Signal, name: str) -> ECG:
    patient = batch.column("patient_id")[row].as_py()
    return ECG(
        signal=signal,
        fs=float(batch.column("fs")[row].as_py()),
        patient_id=patient,
        age=batch.column("age")[row].as_py(),
        sex=batch.column("sex")[row].as_py(),
        source=Source(name=f"{name}:{patient}", format="simulated"),
    )


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
