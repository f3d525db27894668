"""A row of a shard: an ECG, what is known of its heart, and the digest it is known again by.

The one format of all corpora, simulated or of files; docs/corpora.md describes it for others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dyssync.arrays import Ints32, Singles
from dyssync.cohort.digests import signal_key
from dyssync.ecg import ECG, LEADS, Doubt, Signal, Source

MICROVOLT = 1000.0  # steps of a stored sample in one mV
SIMULATED = "simulated"  # format of what no file was read for
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
NO_HEART: Singles = np.full(len(HEARTS), np.nan, dtype=np.float32)
NO_HEART.flags.writeable = False
SCHEMA = pa.schema(
    [
        ("patient_id", pa.string()),
        ("age", pa.float32()),  # years
        ("sex", pa.string()),  # F or M
        ("fs", pa.float32()),  # Hz
        # lead after lead in the order of dyssync.ecg.LEADS, in uV. 32 bits, for electrodes may
        # differ by 400 mV; differences between samples are stored, so that they cost nothing
        ("signal", pa.list_(pa.int32())),
        ("digest", pa.string()),  # null: that of the samples as they stand here
        ("format", pa.string()),
        ("doubts", pa.string()),  # JSON; null for none
        *((f"heart_{name}", pa.float32()) for name in HEARTS),  # null: not known
    ],
    metadata={"leads": " ".join(LEADS), "unit": "uV", "made_by": "dyssync"},
)
NEEDED = ("patient_id", "age", "sex", "fs", "signal")  # the others are null where they lack


class Row(NamedTuple):
    """A row of a shard.

    Attributes:
        ecg: the recording; in a shard its samples are rounded to 1 uV.
        heart: (len(HEARTS),) float32, NaN where not known.
        digest: `cohort.digests.signal_key` of the recording before it was rounded, by which an
            encoder knows it again in a file; "" where what the shard holds is all there is of it.
    """

    ecg: ECG
    heart: Singles = NO_HEART
    digest: str = ""


def table_of(rows: Iterable[Row]) -> pa.Table:
    """Return rows as a table of :data:`SCHEMA`; they are taken one by one."""
    held: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for row in rows:
        for name, value in _cells(row).items():
            held[name].append(value)
    samples = held.pop("signal")
    offsets = np.cumsum([0, *map(len, samples)]).astype(np.int32)
    signals = pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(samples)))
    columns = {
        name: signals if name == "signal" else pa.array(held[name], kind, from_pandas=True)
        for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)
    }  # from_pandas: NaN becomes null
    return pa.Table.from_arrays(list(columns.values()), schema=SCHEMA)


def _cells(row: Row) -> dict[str, Any]:
    ecg = row.ecg
    samples = np.rint(ecg.signal * MICROVOLT).astype(np.int32)
    doubts = [asdict(doubt) for doubt in ecg.doubts]
    return {
        "patient_id": ecg.patient_id,
        "age": ecg.age,
        "sex": ecg.sex,
        "fs": ecg.fs,
        "signal": samples.ravel(),
        "digest": row.digest or None,
        "format": ecg.source.format,
        "doubts": json.dumps(doubts) if doubts else None,
        **{f"heart_{n}": value for n, value in zip(HEARTS, row.heart, strict=True)},
    }


def rows_of(batch: pa.RecordBatch, name: str) -> Iterator[Row]:
    """Yield the rows of a batch of a shard, of this version or an earlier one.

    Args:
        batch: with the columns :data:`NEEDED` at least.
        name: of the file, for the names of its recordings.
    """
    held = {n: batch.column(n) for n in batch.schema.names}
    hearts = _hearts(batch)
    known = {n: held[n].to_pylist() for n in ("digest", "format", "doubts") if n in held}
    blank = [None] * len(batch)
    for k in range(len(batch)):
        patient = held["patient_id"][k].as_py()
        samples = np.asarray(held["signal"][k].values).reshape(len(LEADS), -1)
        ecg = ECG(
            signal=_millivolt(samples),
            fs=float(held["fs"][k].as_py()),
            patient_id=patient,
            age=held["age"][k].as_py(),
            sex=held["sex"][k].as_py(),
            source=Source(f"{name}:{patient}", known.get("format", blank)[k] or SIMULATED),
            doubts=_doubts(known.get("doubts", blank)[k]),
        )
        yield Row(ecg, hearts[k], known.get("digest", blank)[k] or signal_key(ecg))


def _millivolt(samples: Ints32) -> Signal:
    signal: Signal = (samples / MICROVOLT).astype(np.float32)
    return signal


def _doubts(text: str | None) -> tuple[Doubt, ...]:
    found = json.loads(text) if text else []
    return tuple(Doubt(**{**doubt, "leads": tuple(doubt["leads"])}) for doubt in found)


def _hearts(batch: pa.RecordBatch) -> Singles:
    """Return what is known of the hearts of a batch, (rows, len(HEARTS)), NaN where nothing is."""
    hearts = np.full((len(batch), len(HEARTS)), np.nan, dtype=np.float32)
    for k, name in enumerate(HEARTS):
        if f"heart_{name}" in batch.schema.names:
            hearts[:, k] = batch.column(f"heart_{name}").to_numpy(zero_copy_only=False)
    return hearts
