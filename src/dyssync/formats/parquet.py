"""Parquet tables, a column a lead; rate and unit in the metadata of the schema.

A page of a column claims its unpacked size itself: Arrow runs apart, see :mod:`isolation`.
"""

from __future__ import annotations

import io
import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError
from dyssync.formats.reading.apart import Limits, serve
from dyssync.formats.reading.damage import refusing_damage
from dyssync.formats.reading.demographics import parse_age, parse_datetime
from dyssync.formats.reading.isolation import convert_apart
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
LIMITS = Limits()  # of the process that reads
MAX_COLUMNS = 1000  # an ECG has 12 leads, and a time
_TOLD = ("fs", "unit", "age", "sex", "recorded_at")  # metadata that are understood
_HEAD = struct.Struct("<I")  # length of the JSON before the numbers


def parse(data: bytes, options: ReadOptions) -> Recording:
    """Read a table of numbers; metadata `fs`, `unit`, `age`, `sex`, `recorded_at` are understood.

    Raises:
        FormatError: damaged, absurdly large, not numbers, or no rate or unit is stated.
    """
    names, values, samples = _unpacked(convert_apart(__name__, data))
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
    return recording_from_columns(names, samples, declared, options)


def _unpacked(made: bytes) -> tuple[list[str], dict[str, str], Floats]:
    """Return names, metadata and samples, (n, columns), of what :func:`convert` made."""
    (size,) = _HEAD.unpack_from(made)
    told = json.loads(made[_HEAD.size : _HEAD.size + size])
    flat = np.frombuffer(made, np.float64, offset=_HEAD.size + size)
    return told["names"], told["values"], flat.reshape(len(told["names"]), -1).T


def convert(data: bytes) -> list[bytes | memoryview]:
    """Return names, metadata and numbers of a table; runs in the process of its own.

    Raises:
        FormatError: damaged, absurdly large, or no flat table of numbers.
    """
    import pyarrow.parquet

    with refusing_damage("Parquet data", pyarrow.ArrowException):
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data), pre_buffer=False)
        _check_size(file)
        table = file.read(use_threads=False)
        names = table.column_names
        columns = [np.asarray(column.to_numpy(), dtype=np.float64) for column in table.columns]
    held = table.schema.metadata or {}
    values = {k: held[k.encode()].decode("utf-8", "replace") for k in _TOLD if k.encode() in held}
    told = json.dumps({"names": names, "values": values}).encode()
    # padded, so that the numbers start where numbers may
    told = told.ljust(-(-(len(told) + _HEAD.size) // 8) * 8 - _HEAD.size)
    return [_HEAD.pack(len(told)), told, *(np.ascontiguousarray(c).data for c in columns)]


def _check_size(file: Any) -> None:
    """Refuse what no ECG needs, by what the file says of itself."""
    metadata, schema = file.metadata, file.schema
    check_sample_count(metadata.num_columns, metadata.num_rows)
    if metadata.num_columns > MAX_COLUMNS:
        raise FormatError(f"{metadata.num_columns:d} columns; at most {MAX_COLUMNS} are read")
    if any(schema.column(k).max_repetition_level for k in range(metadata.num_columns)):
        raise FormatError("holds lists in its cells; a column of numbers a lead is needed")
    size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if size > 4 * MAX_FILE_BYTES:
        raise FormatError(f"unpacks to {size / 1e6:.0f} MB; an ECG is smaller")


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


if __name__ == "__main__":
    sys.exit(serve(convert, ("pyarrow.parquet",), LIMITS))
