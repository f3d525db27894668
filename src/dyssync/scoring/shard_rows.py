"""ECGs out of Parquet shards: a row an ECG, its samples lead after lead in one cell."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.arrays import Singles
from dyssync.cohort.clinical import AGE_NOTE, FACTS, with_clinical
from dyssync.cohort.plain import plain_facts
from dyssync.ecg import ECG, LEADS, Source
from dyssync.errors import CohortError, FormatError
from dyssync.formats import ReadOptions
from dyssync.formats.reading.recording import Recording, factor_to_millivolt
from dyssync.scoring.archive import Entry

BATCH = 16  # rows in memory

Cells = Mapping[str, Any]


def cells_of(entry: Entry, id_column: str | None) -> Iterator[Cells]:
    """Yield the cells of the rows of an entry, in their order.

    Args:
        entry: with a row group.
        id_column: read beside the columns of an ECG; None for none.

    Raises:
        FormatError: the shard has no such column.
        pyarrow.ArrowException: the file is damaged.
    """
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(entry.path) as file:
        there = set(file.schema_arrow.names)
        ids = [] if id_column is None else [id_column]
        if not there.issuperset(ids):
            raise FormatError(f"no column {id_column}; it has {', '.join(sorted(there))}")
        told = {k.decode(): v.decode() for k, v in (file.schema_arrow.metadata or {}).items()}
        wanted = [name for name in dict.fromkeys(("signal", "fs", *FACTS, *ids)) if name in there]
        held = os.stat(entry.path)
        sexes = _sexes(entry.path, held.st_size, held.st_mtime_ns) if "sex" in there else ()
        at = 0
        batches = file.iter_batches(
            BATCH, row_groups=[entry.group], columns=wanted, use_threads=False
        )
        for batch in batches:
            end = min(len(batch), entry.first + entry.rows - at)
            facts = _facts_of(batch, sexes)
            for k in range(max(0, entry.first - at), end):
                cells = {name: batch.column(name)[k] for name in wanted}
                signal = cells.pop("signal").values
                yield {
                    **{name: cell.as_py() for name, cell in cells.items()},
                    **facts[k],
                    "signal": None if signal is None else np.asarray(signal),
                    "unit": told.get("unit"),
                    "leads": told.get("leads"),
                }
            at += len(batch)
            if at >= entry.first + entry.rows:
                return


@lru_cache(maxsize=1)
def _sexes(path: Path, size: int, time: int) -> tuple[object, ...]:
    """Return what the column sex of a shard holds, each once; read again where it has changed."""
    import pyarrow.parquet

    del size, time
    column = pyarrow.parquet.read_table(path, columns=["sex"], use_threads=False)["sex"]
    return tuple(cell for cell in column.unique().to_pylist() if cell is not None)


def _facts_of(batch: Any, sexes: tuple[object, ...]) -> list[dict[str, object]]:
    """Return the facts of each row as plain values, with `problem` and `caution` of them, or ""."""
    there = [name for name in FACTS if name in batch.schema.names]
    if not there:
        return [{"problem": "", "caution": ""}] * len(batch)
    columns = {name: batch.column(name).to_pylist() for name in there}
    table = pd.DataFrame(columns, index=range(len(batch)), dtype=object)
    read = plain_facts(table, sexes)
    problems = {problem.row: problem.text for problem in read.problems}
    cautions = {problem.row: problem.text for problem in read.cautions}
    return [
        {
            **{str(name): cell for name, cell in row.items()},
            "problem": problems.get(at, ""),
            "caution": cautions.get(at, ""),
        }
        for at, row in enumerate(read.table.to_dict("records"), 2)
    ]


def samples_of(cells: Cells, options: ReadOptions) -> Singles:
    """Return the samples of a row in mV, (12, n) float32.

    Args:
        cells: of :func:`cells_of`.
        options: say the unit where the shard does not.

    Raises:
        FormatError: there are none, or other leads, or no unit is stated.
    """
    if cells["leads"] not in (None, " ".join(LEADS)):
        raise FormatError(f"its leads are not in the order {' '.join(LEADS)}")
    unit = cells["unit"] or options.unit
    if unit is None:
        raise FormatError("the shard states no unit (metadata unit); give --unit")
    samples = cells["signal"]
    if samples is None or not len(samples) or len(samples) % len(LEADS):
        n = 0 if samples is None else len(samples)
        raise FormatError(f"{n} samples in column signal; 12 leads of one length are needed")
    millivolt = np.asarray(samples, np.float64) * factor_to_millivolt(unit, "metadata unit")
    return millivolt.reshape(len(LEADS), -1).astype(np.float32)


def digest_of_samples(samples: Singles) -> str:
    """Return the sha256 of the samples, by which an ECG is known again in any shard."""
    return hashlib.sha256(np.ascontiguousarray(samples).tobytes()).hexdigest()


def ecg_of(cells: Cells, samples: Singles, name: str, options: ReadOptions) -> ECG:
    """Return the ECG of a row, past the same gate as that of a file.

    Args:
        cells: of :func:`cells_of`.
        samples: of :func:`samples_of`.
        name: for messages.
        options: say the rate where the shard does not.

    Raises:
        FormatError: no usable ECG.
        CohortError: what is said of the patient cannot be.
    """
    rate = options.fs if cells["fs"] is None else float(cells["fs"])
    if rate is None:
        raise FormatError("column fs is empty; the sampling rate in Hz is needed, or --fs")
    source = Source(name, "parquet", digest_of_samples(samples))
    held = Recording(dict(zip(LEADS, samples, strict=True)), rate)
    ecg = held.ecg(source, replace(options, unit=None))
    if cells["problem"]:
        raise CohortError(cells["problem"])
    known = with_clinical(ecg, {fact: cells[fact] for fact in FACTS if fact in cells})
    if cells["caution"]:
        known = replace(known, notes={**known.notes, AGE_NOTE: cells["caution"]})
    return known
