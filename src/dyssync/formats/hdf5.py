"""HDF5 files with one ECG (SPH, MATLAB 7.3); needs h5py; runs apart, see :mod:`isolation`."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dyssync.errors import FormatError
from dyssync.formats.numpy import parse_archive
from dyssync.formats.reading.apart import Limits, serve
from dyssync.formats.reading.damage import refusing_damage
from dyssync.formats.reading.isolation import convert_apart
from dyssync.formats.reading.recording import (
    Format,
    InputFile,
    ReadOptions,
    Recording,
    check_sample_count,
)
from dyssync.formats.reading.which_array import holds_leads, the_ecg

_MAGIC = b"\x89HDF\r\n\x1a\n"
_MATLAB = b"MATLAB 7.3 MAT-file"
_SIGNAL_KEYS = ("ecg", "signal", "data", "val", "tracings")
_RATE_KEYS = ("fs", "sampling_rate", "sample_rate")
_MAX_OBJECTS = 1000
LIMITS = Limits()  # of the process that reads


def parse(data: bytes, options: ReadOptions) -> Recording:
    """Read the (12, n) data set at the root; attributes or scalars may state rate and unit.

    Raises:
        FormatError: h5py is missing, damaged data, no such data set, no rate or unit is stated.
    """
    if importlib.util.find_spec("h5py") is None:
        raise FormatError("HDF5 files need h5py: pip install h5py")
    return parse_archive(convert_apart(__name__, data), options)


def convert(data: bytes) -> bytes:
    """Return the ECG of an HDF5 file as NPZ; runs in the process of its own.

    Raises:
        FormatError: damaged data, or no such data set.
    """
    import h5py

    stream = io.BytesIO()
    with refusing_damage("HDF5 data"), h5py.File(io.BytesIO(data), "r") as file:
        if len(file) > _MAX_OBJECTS:
            raise FormatError(f"{len(file)} objects at the root; one ECG is needed")
        np.savez(stream, **_arrays(file, h5py))
    return stream.getvalue()


def _arrays(file: Any, h5py: Any) -> dict[str, Any]:
    sets = _own_sets(file, h5py)
    for item in sets.values():
        if holds_leads(item):
            check_sample_count(*item.shape)
    chosen = the_ecg(sets, _SIGNAL_KEYS, "data sets")
    if chosen is None:
        raise FormatError(f"{len(sets)} data sets, none of leads; a matrix (12, n) is needed")
    matrix = sets[chosen]
    arrays: dict[str, Any] = {"signal": np.asarray(matrix)}
    for key in _RATE_KEYS:
        value = matrix.attrs.get(key, file.attrs.get(key))
        if value is None and key in sets and sets[key].size == 1:
            value = sets[key][()]
        if value is not None:
            arrays.setdefault("fs", np.asarray(value, dtype=np.float64).reshape(-1)[:1])
    unit = matrix.attrs.get("unit", file.attrs.get("unit"))
    if unit is not None:
        arrays["unit"] = np.asarray(unit.decode() if isinstance(unit, bytes) else str(unit))
    return arrays


def _own_sets(file: Any, h5py: Any) -> dict[str, Any]:
    """Return the data sets at the root whose numbers stand in this file.

    HDF5 can name other files to read from: by links, as storage, and as parts of virtual data sets.
    Whoever sends a file to a server could read the server's own files by it.

    Raises:
        FormatError: one of them does.
    """
    sets: dict[str, Any] = {}
    for key in file:
        if not isinstance(file.get(key, getlink=True), h5py.HardLink):
            raise FormatError("holds links; a file that holds its numbers itself is needed")
        item = file[key]
        if not isinstance(item, h5py.Dataset):
            continue
        if item.external is not None or item.is_virtual:
            raise FormatError("names other files; a file that holds its numbers itself is needed")
        sets[str(key)] = item
    return sets


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` has the mark of HDF5, or of MATLAB 7.3 (HDF5 after 512 bytes)."""
    return head.startswith(_MAGIC) or (head.startswith(_MATLAB) and _MAGIC in head[:1024])


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read an HDF5 file; see :func:`parse`."""
    return parse(file.data, options)


FORMAT = Format(
    name="hdf5",
    description="HDF5 with one (12, n) data set, MATLAB 7.3 files (needs h5py)",
    suffixes=(".h5", ".hdf5"),
    sniff=sniff,
    read=read,
)


if __name__ == "__main__":
    sys.exit(serve(convert, ("h5py",), LIMITS))
