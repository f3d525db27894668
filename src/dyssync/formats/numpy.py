"""NumPy files: NPY (one array) and NPZ (named arrays)."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats
from dyssync.ecg import LEADS, lead_name
from dyssync.errors import FormatError, TooLarge, Words
from dyssync.formats.reading.damage import ZIP_ERRORS, refusing_damage
from dyssync.formats.reading.demographics import parse_age
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
from dyssync.formats.reading.which_array import the_ecg

_MAGIC = b"\x93NUMPY"
_SIGNAL_KEYS = ("signal", "ecg", "data", "val", "x", "arr_0")


# What numpy.save writes for numbers and text; other names that numpy knows are objects or outdated.
_PLAIN = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|U[1-9]\d{0,7})")


def parse_array(data: bytes, what: Words = "the array") -> npt.NDArray[np.generic]:
    """Read one NPY array, checking its header before numpy allocates for it.

    Raises:
        FormatError: no NPY data, an object array (which would need pickle), or truncated.
    """
    if data[:6] != _MAGIC or len(data) < 12:
        raise FormatError(f"{what} is no NPY data; save it with numpy.save")
    wide = data[6] >= 2  # version 2 and 3 have a 4-byte header length
    start = 12 if wide else 10
    size = int.from_bytes(data[8:start], "little")
    if size > 65536 or start + size > len(data):
        raise FormatError(f"{what} has a broken NPY header; save it again")
    try:
        fields = ast.literal_eval(data[start : start + size].decode("utf-8").strip())
        descr = str(fields["descr"])
        shape, fortran = tuple(fields["shape"]), bool(fields["fortran_order"])
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise FormatError(f"{what} has a broken NPY header; save it again") from error
    if not _PLAIN.fullmatch(descr) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise FormatError(f"{what} holds something else; plain numbers are needed")
    dtype = np.dtype(descr)
    count = 1
    for n in shape:
        count *= n
    if count and count * dtype.itemsize > len(data) - start - size:
        raise FormatError(f"{what} claims {count:d} numbers, the file is shorter; truncated?")
    flat = np.frombuffer(data, dtype, count, start + size)
    return flat.reshape(shape, order="F" if fortran else "C")


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read an NPY or NPZ file.

    An NPZ file may hold `fs`, `unit`, `leads`, `age`, `sex` beside the signal, or an array a lead.

    Raises:
        FormatError: no numbers of a usable shape, or no rate or unit is stated.
    """
    if file.data[:6] == _MAGIC:
        return _recording(parse_array(file.data), {}, options)
    return parse_archive(file.data, options)


def parse_archive(data: bytes, options: ReadOptions) -> Recording:
    """Read an NPZ archive.

    Raises:
        FormatError: as :func:`read`.
    """
    arrays = _unzip(data)
    leads = [name for name in arrays if lead_name(name) is not None]
    if len(leads) > 1:
        lengths = {arrays[name].shape for name in leads}
        if len(lengths) > 1 or len(next(iter(lengths))) != 1:
            raise FormatError(
                f"arrays of the leads have {len(lengths)} shapes; equal, flat ones are needed"
            )
        signal = np.stack([arrays[name] for name in leads])
        return _recording(signal, {**arrays, "leads": np.array(leads)}, options)
    chosen = the_ecg(arrays, _SIGNAL_KEYS, "arrays")
    if chosen is None:  # one of another shape, of which the reason is told
        chosen = next((key for key in _SIGNAL_KEYS if key in arrays), None)
    if chosen is None:
        raise FormatError(f"{len(arrays)} arrays, none of leads; one named 'signal' is needed")
    return _recording(arrays[chosen], arrays, options)


def orient(array: npt.NDArray[np.generic], n_names: int | None) -> Floats:
    """Return (n, leads) float64 from either orientation; the longer axis is time.

    Raises:
        FormatError: not two axes, no numbers, or the wrong number of leads.
    """
    if array.dtype.kind not in "iuf" or array.ndim != 2:
        raise FormatError(f"array of {array.ndim:d} axes; (12, n) numbers are needed")
    check_sample_count(*array.shape)
    samples = array.T if array.shape[0] <= array.shape[1] else array
    if n_names is not None and samples.shape[1] != n_names:
        raise FormatError(f"{samples.shape[1]:d} leads in the array, {n_names} names; one each")
    return samples.astype(np.float64)


def _recording(
    array: npt.NDArray[np.generic],
    fields: Mapping[str, npt.NDArray[np.generic]],
    options: ReadOptions,
) -> Recording:
    names = [str(name) for name in fields["leads"].ravel()] if "leads" in fields else None
    declared = Declared(
        fs=_scalar(fields, "fs"),
        unit=str(fields["unit"].ravel()[0]) if fields.get("unit", np.array([])).size else None,
        person=Person(age=parse_age(_text(fields, "age")), sex=parse_sex(_text(fields, "sex"))),
    )
    return recording_from_columns(
        names, orient(array, len(names) if names else None), declared, options
    )


def _text(fields: Mapping[str, npt.NDArray[np.generic]], key: str) -> str | None:
    return str(fields[key].ravel()[0]) if key in fields and fields[key].size == 1 else None


def _scalar(fields: Mapping[str, npt.NDArray[np.generic]], key: Words) -> float | None:
    if key not in fields:
        return None
    value = fields[key]
    if value.size != 1 or value.dtype.kind not in "iuf" or not float(value.ravel()[0]) > 0:
        raise FormatError(f"array '{key}' is not one positive number, which is needed")
    return float(value.ravel()[0])


def _unzip(data: bytes) -> dict[str, npt.NDArray[np.generic]]:
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    with (
        refusing_damage("NPZ archive", *ZIP_ERRORS),
        zipfile.ZipFile(io.BytesIO(data)) as archive,
    ):
        members = archive.infolist()
        if sum(member.file_size for member in members) > MAX_FILE_BYTES:
            raise TooLarge(f"unpacks to more than {MAX_FILE_BYTES / 1e6:.0f} MB; too large")
        for member in members:
            with archive.open(member) as stream:
                plain = stream.read(member.file_size)
            arrays[member.filename.removesuffix(".npy")] = parse_array(
                plain, f"array {len(arrays) + 1}"
            )
    return arrays


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` is NPY, or a ZIP archive whose first member is an array."""
    return head[:6] == _MAGIC or (head[:4] == b"PK\x03\x04" and b".npy" in head[:300])


FORMAT = Format(
    name="numpy",
    description=f"NPY (12, n) or NPZ with signal, fs, unit; leads in the order {LEADS[0]} to V6",
    suffixes=(".npy", ".npz"),
    sniff=sniff,
    read=read,
)
