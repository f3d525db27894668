"""A simulated corpus as Parquet shards: the schema, writer and reader, a few ECGs in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dyssync.ecg import ECG, LEADS, Signal, Source
from dyssync.errors import CohortError
from dyssync.whole import whole_file

SHARDS = "shard-*.parquet"  # the files of a corpus
MICROVOLT = 1000.0  # steps of a stored sample in one mV
FS, SECONDS = 500.0, 10.0  # Hz, s; of every recording of a corpus
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


def write_shard(path: Path, ecgs: Iterable[ECG]) -> None:
    """Write ECGs to one shard; the file appears whole or not at all.

    Args:
        path: `shard-*.parquet`.
        ecgs: of :data:`SECONDS` at :data:`FS`, taken one by one; samples are rounded to 1 uV.

    Raises:
        InputError: it cannot be written.
    """
    ids, ages, sexes, rates, samples = [], [], [], [], []
    for ecg in ecgs:
        ids.append(ecg.patient_id)
        ages.append(ecg.age)
        sexes.append(ecg.sex)
        rates.append(ecg.fs)
        samples.append(np.rint(ecg.signal * MICROVOLT).astype(np.int16).ravel())
    table = pa.Table.from_arrays(
        [
            pa.array(ids, pa.string()),
            pa.array(ages, pa.float32()),
            pa.array(sexes, pa.string()),
            pa.array(rates, pa.float32()),
            pa.FixedSizeListArray.from_arrays(
                pa.array(np.concatenate(samples)), len(LEADS) * N_SAMPLES
            ),
        ],
        schema=SCHEMA,
    )
    with whole_file(path) as part:
        # Differences between samples are small: this halves the files of zstd alone.
        pq.write_table(
            table,
            part,
            compression="zstd",
            use_dictionary=False,
            column_encoding={"signal.list.element": "DELTA_BINARY_PACKED"},
            row_group_size=64,
        )


def read_shards(folder: Path, *, every: int = 1) -> Iterator[ECG]:
    """Yield the ECGs of all shards of a folder, one after the other.

    Args:
        folder: the corpus.
        every: 1 yields all, 10 every tenth.

    Raises:
        CohortError: there are no shards, or a file is not one of ours.
    """
    k = 0
    for path in _shards_of(folder):
        with _naming_damage(path):
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


def count_in_shards(folder: Path) -> int:
    """Return how many ECGs the shards of a folder hold.

    Raises:
        CohortError: as :func:`read_shards`.
    """
    n = 0
    for path in _shards_of(folder):
        with _naming_damage(path):
            n += int(pq.read_metadata(path).num_rows)
    return n


def _shards_of(folder: Path) -> list[Path]:
    shards = sorted(folder.glob(SHARDS))
    if not shards:
        raise CohortError(f"{folder.name}: no {SHARDS}; a simulated corpus is needed")
    return shards


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    try:
        yield
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
