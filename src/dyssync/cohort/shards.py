"""A simulated corpus as Parquet shards: the schema, writer and reader, a few ECGs in memory.

A row is an ECG and what only the simulator knows of the heart behind it (:data:`HEARTS`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dyssync.arrays import Singles
from dyssync.ecg import ECG, LEADS, Signal, Source
from dyssync.errors import FAULTS, CohortError, InputError
from dyssync.whole import whole_file

SHARDS = "shard-*.parquet"  # the files of a corpus
MICROVOLT = 1000.0  # steps of a stored sample in one mV
FS, SECONDS = 500.0, 10.0  # Hz, s; of every recording of a corpus
N_SAMPLES = round(FS * SECONDS)
# Of the heart without pacing, in the order of a vector: delay between opposite LV walls and SD of
# activation over living muscle, ms; scar as a share of the LV, 0-1; living LV muscle, mL; LV cavity
# radius and wall, mm; mean activation of septum, lateral wall and RV and the last of the LV, ms;
# duration (ms) and Kors areas (uVs) of a beat without noise; speed along the wall, mm/ms. Nothing
# of pacing, of the response or of the chart stands here.
HEARTS = (
    "wall_delay_ms",
    "dispersion_ms",
    "scar_share",
    "living_muscle_ml",
    "lv_radius_mm",
    "lv_wall_mm",
    "septum_ms",
    "lateral_ms",
    "right_ms",
    "lv_last_ms",
    "qrs_ms",
    "qrs_area_uvs",
    "t_area_uvs",
    "speed_mm_per_ms",
)
SCHEMA = pa.schema(
    [
        ("patient_id", pa.string()),
        ("age", pa.float32()),
        ("sex", pa.string()),
        ("fs", pa.float32()),
        # lead after lead in the order of dyssync.ecg.LEADS, in uV
        ("signal", pa.list_(pa.int16(), len(LEADS) * N_SAMPLES)),
        *((f"heart_{name}", pa.float32()) for name in HEARTS),  # null: not known
    ],
    metadata={"leads": " ".join(LEADS), "unit": "uV", "made_by": "dyssync simulate --unlabelled"},
)
_ECG_COLUMNS = ("patient_id", "age", "sex", "fs", "signal")


def write_shard(path: Path, rows: Iterable[tuple[ECG, Singles]]) -> None:
    """Write ECGs and their hearts to one shard; the file appears whole or not at all.

    Args:
        path: `shard-*.parquet`.
        rows: taken one by one: an ECG of :data:`SECONDS` at :data:`FS`, whose samples are rounded
            to 1 uV, and its heart, (len(HEARTS),), NaN where something is not known.

    Raises:
        InputError: it cannot be written.
    """
    ids, ages, sexes, rates, samples, hearts = [], [], [], [], [], []
    for ecg, heart in rows:
        ids.append(ecg.patient_id)
        ages.append(ecg.age)
        sexes.append(ecg.sex)
        rates.append(ecg.fs)
        samples.append(np.rint(ecg.signal * MICROVOLT).astype(np.int16).ravel())
        hearts.append(heart)
    columns = np.stack(hearts, axis=1).astype(np.float32)
    table = pa.Table.from_arrays(
        [
            pa.array(ids, pa.string()),
            pa.array(ages, pa.float32()),
            pa.array(sexes, pa.string()),
            pa.array(rates, pa.float32()),
            pa.FixedSizeListArray.from_arrays(
                pa.array(np.concatenate(samples)), len(LEADS) * N_SAMPLES
            ),
            *(pa.array(column, from_pandas=True) for column in columns),  # NaN becomes null
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


def read_shard(path: Path) -> Iterator[tuple[ECG, Singles]]:
    """Yield the rows of one shard: an ECG, and its heart as (len(HEARTS),) float32.

    A heart is NaN where something is not known; all of it in files that were written before hearts
    were.

    Raises:
        CohortError: the file is damaged, or not one of ours.
    """
    with _naming_damage(path):
        file = pq.ParquetFile(path)
        if not set(_ECG_COLUMNS) <= set(file.schema_arrow.names):
            raise CohortError(f"{path.name}: other columns than those of a simulated corpus")
        for batch in file.iter_batches(batch_size=16):
            samples = batch.column("signal").flatten().to_numpy()
            samples = samples.reshape(len(batch), len(LEADS), N_SAMPLES)
            signals = (samples / MICROVOLT).astype(np.float32)
            hearts = _hearts(batch)
            for row in range(len(batch)):
                yield _ecg(batch, row, signals[row], path.name), hearts[row]


def read_shards(folder: Path, *, every: int = 1) -> Iterator[ECG]:
    """Yield the ECGs of all shards of a folder, one after the other.

    Args:
        folder: the corpus.
        every: 1 yields all, 10 every tenth.

    Raises:
        CohortError: there are no shards, or a file is not one of ours.
    """
    rows = (row for path in shards_of(folder) for row in read_shard(path))
    for ecg, _ in islice(rows, None, None, every):
        yield ecg


def shards_of(folder: Path) -> list[Path]:
    """Return the shards of a folder in their order.

    Raises:
        CohortError: there are none.
    """
    shards = sorted(folder.glob(SHARDS))
    if not shards:
        raise CohortError(f"{folder.name}: no {SHARDS}; a simulated corpus is needed")
    return shards


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    raised: tuple[type[Exception], ...] = (*FAULTS, pa.ArrowException)
    try:
        yield
    except InputError:
        raise
    except raised as error:
        kind = type(error).__name__
        raise CohortError(f"{path.name}: damaged ({kind}); make the corpus again") from error


def _hearts(batch: pa.RecordBatch) -> Singles:
    """Return what is known of the hearts of a batch, (rows, len(HEARTS)), NaN where nothing is."""
    hearts = np.full((len(batch), len(HEARTS)), np.nan, dtype=np.float32)
    for k, name in enumerate(HEARTS):
        if f"heart_{name}" in batch.schema.names:
            hearts[:, k] = batch.column(f"heart_{name}").to_numpy(zero_copy_only=False)
    return hearts


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
