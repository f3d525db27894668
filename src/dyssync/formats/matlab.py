"""MATLAB files, version 4 and 5: a matrix, or a struct with the matrix and what belongs to it.

A .mat file of the PhysioNet challenges has a .hea header beside it and is read through that; alone
it states neither rate nor unit. scipy runs apart, see :mod:`isolation`.
"""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dyssync.errors import FormatError, TooLarge
from dyssync.formats.numpy import parse_archive
from dyssync.formats.reading.apart import Limits, serve
from dyssync.formats.reading.damage import refusing_damage
from dyssync.formats.reading.isolation import convert_apart
from dyssync.formats.reading.recording import (
    MAX_FILE_BYTES,
    Format,
    InputFile,
    ReadOptions,
    Recording,
)
from dyssync.formats.reading.which_array import the_ecg

_VERSION_5 = b"MATLAB 5.0 MAT-file"
_SIGNAL_KEYS = ("data", "val", "signal", "ecg", "feats", "ecg12lead", "x")
_RATE_KEYS = ("fs", "curr_sample_rate", "sampling_rate", "sample_rate", "samplerate", "freq")
_UNIT_KEYS = ("unit", "units")
_MI_COMPRESSED = 15
LIMITS = Limits()  # of the process that reads


def parse(data: bytes, options: ReadOptions) -> Recording:
    """Read the matrix of 12 leads; other variables may state rate, unit, age and sex.

    Raises:
        FormatError: no such matrix, damaged data, or no rate or unit is stated.
    """
    if data.startswith(_VERSION_5):
        _check_inflated_size(data)
    else:
        _check_version_4(data)
    return parse_archive(convert_apart(__name__, data), options)


def convert(data: bytes) -> bytes:
    """Return the ECG of a MATLAB file as NPZ; runs in the process of its own.

    Raises:
        FormatError: no matrix of leads, or damaged data.
    """
    fields = _variables(data)
    chosen = the_ecg(fields, _SIGNAL_KEYS, "variables")
    if chosen is None:
        raise FormatError(f"{len(fields)} variables, none of leads; a matrix (12, n) is needed")
    arrays: dict[str, Any] = {"signal": fields[chosen]}
    arrays["leads"] = _texts(fields.get("leads"))
    arrays["fs"] = next((rate for key in _RATE_KEYS if (rate := _rate(fields.get(key)))), None)
    arrays["unit"] = next((text for key in _UNIT_KEYS if (text := _text(fields.get(key)))), None)
    arrays["age"], arrays["sex"] = _text(fields.get("age")), _text(fields.get("sex"))
    stream = io.BytesIO()
    np.savez(stream, **{key: value for key, value in arrays.items() if value is not None})
    return stream.getvalue()


def _variables(data: bytes) -> Mapping[str, npt.NDArray[Any]]:
    """Return variables by lower-case name; the fields of a single struct stand for themselves."""
    from scipy.io import loadmat

    with refusing_damage("MATLAB data"):
        # scipy takes any stream; its type stubs know only paths
        loaded = loadmat(cast(str, io.BytesIO(data)), struct_as_record=True)
    fields: dict[str, npt.NDArray[Any]] = {}
    for name, value in loaded.items():
        if name.startswith("__") or not isinstance(value, np.ndarray):
            continue
        if value.dtype.names and value.size == 1:
            record = value.reshape(-1)[0]
            inner = {key.lower(): np.asarray(record[key]) for key in value.dtype.names}
            fields = {**inner, **fields}
        else:
            fields[name.lower()] = value
    return fields


def _check_inflated_size(data: bytes) -> None:
    """Inflate the compressed elements of version 5, bounded, before scipy does it unbounded."""
    order = "big" if data[126:128] == b"MI" else "little"
    offset, total = 128, 0
    while offset + 8 <= len(data):
        kind = int.from_bytes(data[offset : offset + 4], order)  # type: ignore[arg-type]
        size = int.from_bytes(data[offset + 4 : offset + 8], order)  # type: ignore[arg-type]
        if offset + 8 + size > len(data):
            raise FormatError("a variable ends after the file does; truncated?")
        if kind == _MI_COMPRESSED:
            inflater = zlib.decompressobj()
            left = MAX_FILE_BYTES - total
            try:
                total += len(inflater.decompress(data[offset + 8 : offset + 8 + size], left + 1))
            except zlib.error as error:
                raise FormatError("damaged MATLAB data; copy it again") from error
            if total > MAX_FILE_BYTES:
                raise TooLarge(f"unpacks to more than {MAX_FILE_BYTES / 1e6:.0f} MB; too large")
        offset += 8 + size


def _check_version_4(data: bytes) -> None:
    """Check the sizes that version 4 claims: five int32, then name and numbers."""
    header = np.frombuffer(data[:20].ljust(20, b"\0"), "<i4")
    kind, rows, columns, _, name_length = (int(value) for value in header)
    if not 0 <= kind <= 52 or rows < 0 or columns < 0 or not 0 < name_length < 256:
        raise FormatError("is no MATLAB file of version 4 or 5")
    width = {0: 8, 1: 4, 2: 4, 3: 2, 4: 2, 5: 1}.get(kind // 10 % 10, 8)
    if rows * columns * width > len(data):
        raise FormatError(f"claims {rows:d} x {columns:d} numbers, the file is shorter; truncated?")


def _text(value: npt.NDArray[Any] | None) -> str | None:
    if value is None or value.size == 0:
        return None
    return str(value.reshape(-1)[0])[:100]


def _texts(value: npt.NDArray[Any] | None) -> list[str] | None:
    """Return the names in a char matrix or a cell array."""
    if value is None or value.size == 0:
        return None
    return [
        str(np.asarray(item).reshape(-1)[0]).strip() for item in value.reshape(-1) if np.size(item)
    ]


def _rate(value: npt.NDArray[Any] | None) -> float | None:
    if value is None or value.size != 1 or value.dtype.kind not in "iuf":
        return None
    rate = float(value.reshape(-1)[0])
    return rate if np.isfinite(rate) and rate > 0 else None


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` is MATLAB 5, or a version 4 matrix named like a signal."""
    if head.startswith(_VERSION_5):
        return True
    return len(head) > 24 and head[1:4] == b"\0\0\0" and head[20:24] in (b"val\0", b"ecg\0")


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a MATLAB file; see :func:`parse`."""
    return parse(file.data, options)


FORMAT = Format(
    name="matlab",
    description="MATLAB 4 and 5 files: a matrix of leads, alone or in a struct",
    suffixes=(".mat",),
    sniff=sniff,
    read=read,
)


if __name__ == "__main__":
    sys.exit(serve(convert, ("scipy.io.matlab",), LIMITS))
