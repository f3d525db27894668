"""Parquet tables, a column a lead; rate and unit in the metadata of the schema."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError
from dyssync.formats.reading.demographics import parse_age, parse_datetime
from dyssync.formats.reading.parsing import number
from dyssync.formats.reading.recording import (
    MAX_FILE_BYTES,
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
)
from dyssync.formats.reading.sexes import parse_sex
from dyssync.formats.reading.tables import Declared, recording_from_columns
from dyssync.whole import whole_file

_MAGIC = b"PAR1"
_ARROW_ERRORS = (
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
)


def parse(data: bytes, options: ReadOptions) -> Recording:
    """Read a table of numbers; metadata `fs`, `unit`, `age`, `sex`, `recorded_at` are understood.

    Raises:
        FormatError: damaged, absurdly large, not numbers, or no rate or unit is stated.
    """
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
        metadata = file.metadata
        check_sample_count(metadata.num_columns, metadata.num_rows)
        size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        if size > 4 * MAX_FILE_BYTES:
            raise FormatError(f"unpacks to {size / 1e6:.0f} MB; an ECG is smaller")
        table = file.read(use_threads=False)
        columns = [np.asarray(column.to_numpy(), dtype=np.float64) for column in table.columns]
    except FormatError:
        raise
    except _ARROW_ERRORS as error:
        reason = " ".join(str(error).split())
        raise FormatError(f"damaged Parquet data ({reason:.120}); write it again") from error
    values = {
        key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for key, value in (table.schema.metadata or {}).items()
    }
    fs = values.get("fs")
    declared = Declared(
        fs=number(fs, "metadata fs") if fs is not None else None,
        unit=values.get("unit"),
        person=Person(
            age=parse_age(values.get("age")),
            sex=parse_sex(values.get("sex")),
            recorded_at=parse_datetime(*(values.get("recorded_at") or " ").split(" ")[:2]),
        ),
    )
    return recording_from_columns(table.column_names, np.stack(columns, axis=1), declared, options)


def write_parquet(ecg: ECG, folder: Path | str, name: str) -> Path:
    """Write `name`.parquet, float32 mV, exactly; return its path."""
    import pyarrow
    import pyarrow.parquet

    metadata = {"fs": repr(ecg.fs), "unit": "mV"}
    metadata |= {"age": f"{ecg.age:g}"} if ecg.age is not None else {}
    metadata |= {"sex": ecg.sex} if ecg.sex is not None else {}
    if ecg.recorded_at is not None:
        metadata["recorded_at"] = f"{ecg.recorded_at:%Y-%m-%d %H:%M:%S}"
    table = pyarrow.table(dict(zip(LEADS, ecg.signal, strict=True)), metadata=metadata)
    path = Path(folder) / f"{name}.parquet"
    with whole_file(path) as part:
        pyarrow.parquet.write_table(table, part)
    return path


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` has the Parquet mark."""
    return head[:4] == _MAGIC


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a Parquet table; see :func:`parse`."""
    return parse(file.data, options)


FORMAT = Format(
    name="parquet",
    description="Parquet table, a column a lead, fs and unit in its metadata",
    suffixes=(".parquet",),
    sniff=sniff,
    read=read,
    write=write_parquet,
)
