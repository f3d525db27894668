"""Any ECG file in: `read_ecg(path)` returns a calibrated 12-lead ECG or says what is wrong.

Formats are told apart by content, not by suffix.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np

from dyssync.ecg import ECG, Source
from dyssync.errors import ConfigError, FormatError, UnknownFormat, Vetted, check_choice, one_line
from dyssync.formats.reading.damage import refusing_damage
from dyssync.formats.reading.known import FORMATS
from dyssync.formats.reading.recording import (
    AS_STATED,
    HEAD_BYTES,
    Format,
    InputFile,
    ReadOptions,
    Recording,
    open_file,
    unpacked,
)
from dyssync.image import Input


def read_ecg(path: Path | str, options: ReadOptions = AS_STATED) -> ECG:
    """Return the 12-lead ECG that a file holds, in mV.

    Args:
        path: the file; of a WFDB record the header, the signal file, or neither suffix.
        options: what the file does not say (rate, unit), and the format if it is to be forced.

    Raises:
        FormatError: no usable 12-lead ECG; names file, finding, need and next step.
    """
    return _signal_only(read_input(path, options))


def read_input(path: Path | str, options: ReadOptions = AS_STATED) -> Input:
    """Return what a file holds for a model: a 12-lead ECG, or a picture of one.

    Raises:
        FormatError: as in :func:`read_ecg`, but pictures will do.
    """
    return _input(_open(Path(path)), options)


def parse_ecg(
    name: str,
    data: bytes,
    options: ReadOptions = AS_STATED,
    beside: Mapping[str, bytes] | None = None,
) -> ECG:
    """Return the ECG of a file that is in memory (an upload).

    Args:
        name: its file name.
        data: its bytes.
        options: as in :func:`read_ecg`.
        beside: files uploaded with it, by name (the .dat of a .hea).

    Raises:
        FormatError: as in :func:`read_ecg`.
    """
    return _signal_only(parse_input(name, data, options, beside))


def parse_input(
    name: str,
    data: bytes,
    options: ReadOptions = AS_STATED,
    beside: Mapping[str, bytes] | None = None,
) -> Input:
    """Return the ECG or picture of a file that is in memory; arguments as in :func:`parse_ecg`.

    Raises:
        FormatError: as in :func:`read_input`.
    """
    return _input(unpacked(PurePath(name).name, data, (beside or {}).get), options)


def read_recording(path: Path | str, options: ReadOptions = AS_STATED) -> Recording:
    """Return all calibrated channels of a file, 12-lead ECG or not (Holters, two-lead records).

    Raises:
        FormatError: as in :func:`read_ecg`, but any leads will do.
    """
    file = _open(Path(path))
    with _guarded(file):
        recording = _format_of(file, options).read(file, options)
        if isinstance(recording, Recording):
            return recording
        raise FormatError(_NO_SIGNAL)


_NO_SIGNAL = "is a picture; a signal file is needed here. Models that take pictures can use it"


def _signal_only(read: Input) -> ECG:
    if isinstance(read, ECG):
        return read
    name: Vetted = read.source.name  # as the user gave it
    raise FormatError(f"{name}: {_NO_SIGNAL}")


def _input(file: InputFile, options: ReadOptions) -> Input:
    with _guarded(file):
        chosen = _format_of(file, options)
        found = chosen.read(file, options)
        source = Source(name=file.name, format=chosen.name, sha256=file.sha256)
        if isinstance(found, Recording):
            return found.ecg(source, options)
        return replace(found, source=source)


def _format_of(file: InputFile, options: ReadOptions) -> Format:
    return FORMATS[options.format] if options.format else sniffed(file)


def writable_formats() -> list[str]:
    """Return the names of the formats that :func:`write_ecg` writes."""
    return [name for name in FORMATS if FORMATS[name].write is not None]


def write_ecg(ecg: ECG, folder: Path | str, name: Vetted, format: str) -> Path:
    """Write an ECG as `name` with the suffix of `format` into `folder`; return the path.

    Samples come back within half a quantisation step (1 uV; in EDF 10 or 100 uV in a lead beyond 32
    or 320 mV); identifiers are never written.

    Raises:
        ConfigError: the format is unknown or cannot be written, or `name` holds a folder.
    """
    check_choice("format to write", format, writable_formats())
    if PurePath(name).name != name:
        raise ConfigError(f"record name {name!r}; a name without folders is needed")
    write = FORMATS[format].write
    assert write is not None  # the choice was checked
    return write(ecg, Path(folder), name)


def sniffed(file: InputFile) -> Format:
    """Return the format whose sniffer recognises the content.

    Raises:
        UnknownFormat: none does; lists the formats.
    """
    head, path = file.data[:HEAD_BYTES], Path(file.name)
    formats = [FORMATS[name] for name in FORMATS]
    for candidate in formats:
        if candidate.sniff(head, path):
            return candidate
    raise UnknownFormat(
        f"content is of no known format. Formats: {', '.join(FORMATS)}. See: dyssync list formats"
    )


def _open(path: Path) -> InputFile:
    """Open `path`; a signal file or bare name of a WFDB record leads to its header."""
    if os.path.isdir(path) and not os.access(path, os.R_OK | os.X_OK):
        folder: Vetted = path.name
        raise FormatError(f"{folder}: a folder that may not be looked into; check its rights")
    named = bool(path.name)  # "." and "/" are not
    if named and path.suffix.lower() in {".dat", ".mat", ""}:
        header = path.with_suffix(".hea")
        file = open_file(header) if header.is_file() else None
        if file is not None and (path.suffix == "" or os.fsencode(path.name) in file.data):
            return file
    return open_file(path)


@contextmanager
def _guarded(file: InputFile) -> Iterator[None]:
    """Let nothing but a FormatError of one printable line come out of reading a file."""
    # Absurd numbers overflow to infinity on their way, which ECG refuses with a clear message.
    with _naming(file.name), refusing_damage("data"), np.errstate(all="ignore"):
        yield


@contextmanager
def _naming(name: Vetted) -> Iterator[None]:
    """Put the file name in front of any FormatError, and keep it one printable line.

    The name may hold anything.
    """
    try:
        yield
    except FormatError as error:
        raise type(error)(f"{name}: {one_line(str(error))}") from error
