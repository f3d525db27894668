"""HDF5 files with one ECG (SPH, MATLAB 7.3); needs h5py."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from dyssync.errors import FormatError
from dyssync.formats.arrays import orient
from dyssync.formats.recording import (
    Format,
    InputFile,
    ReadOptions,
    Recording,
    check_sample_count,
)
from dyssync.formats.tables import Declared, recording_from_columns

_MAGIC = b"\x89HDF\r\n\x1a\n"
_MATLAB = b"MATLAB 7.3 MAT-file"
_SIGNAL_KEYS = ("ecg", "signal", "data", "val", "tracings")
_RATE_KEYS = ("fs", "sampling_rate", "sample_rate")
_MAX_OBJECTS = 1000
_H5PY_ERRORS = (
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
)


def parse(data: bytes, options: ReadOptions) -> Recording:
    """Read the (12, n) data set at the root; attributes or scalars may state rate and unit.

    Raises:
        FormatError: h5py is missing, damaged data, no such data set, no rate or unit is stated.
    """
    try:
        import h5py
    except ImportError as error:
        raise FormatError("HDF5 files need h5py: pip install h5py") from error

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            if len(file) > _MAX_OBJECTS:
                raise FormatError(f"{len(file)} objects at the root; one ECG is needed")
            return _recording(file, h5py, options)
    except FormatError:
        raise
    except _H5PY_ERRORS as error:
        reason = " ".join(str(error).split())
        raise FormatError(f"damaged HDF5 data ({reason:.120}); copy the file again") from error


def _recording(file: Any, h5py: Any, options: ReadOptions) -> Recording:
    sets = {str(key): item for key, item in file.items() if isinstance(item, h5py.Dataset)}
    matrices = [key for key, item in sets.items() if item.ndim == 2 and min(item.shape) >= 8]
    chosen = [key for key in matrices if key.lower() in _SIGNAL_KEYS] or matrices
    if not chosen:
        raise FormatError(f"data sets {', '.join(sets) or 'none'}; a matrix (12, n) is needed")
    matrix = sets[chosen[0]]
    if matrix.dtype.kind not in "iuf":
        raise FormatError(f"data set {chosen[0]} holds {matrix.dtype}; plain numbers are needed")
    check_sample_count(*matrix.shape)
    fs = None
    for key in _RATE_KEYS:
        value = matrix.attrs.get(key, file.attrs.get(key))
        if value is None and key in sets and sets[key].size == 1:
            value = sets[key][()]
        if value is not None and fs is None:
            fs = float(np.asarray(value, dtype=np.float64).reshape(-1)[0])
    unit = matrix.attrs.get("unit", file.attrs.get("unit"))
    if fs is not None and not (np.isfinite(fs) and fs > 0):
        raise FormatError(f"sampling rate is {fs:g}; a positive number of Hz is needed")
    declared = Declared(fs=fs, unit=str(unit) if unit is not None else None)
    return recording_from_columns(None, orient(np.asarray(matrix), None), declared, options)


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
