"""Any ECG file in: `read_ecg(path)` returns a calibrated 12-lead ECG or says what is wrong.

Formats are told apart by content, not by suffix. A new one is a module with a `FORMAT` and a line
in :data:`FORMATS`; other packages add theirs through the entry point group ``dyssync.formats``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dyssync.ecg import ECG, Source
from dyssync.errors import FormatError
from dyssync.formats.physionet import write_wfdb
from dyssync.formats.recording import (
    AS_STATED,
    HEAD_BYTES,
    Format,
    InputFile,
    ReadOptions,
    Recording,
    open_file,
    unpacked,
)
from dyssync.registry import Registry

__all__ = [
    "FORMATS",
    "Format",
    "ReadOptions",
    "Recording",
    "parse_ecg",
    "read_ecg",
    "read_recording",
    "write_wfdb",
]

# In order of sniffing: formats with an unmistakable start first, text last.
FORMATS: Registry[Format] = Registry(
    "format",
    {
        "wfdb": "dyssync.formats.physionet:FORMAT",
        "dicom": "dyssync.formats.dicom:FORMAT",
        "muse-xml": "dyssync.formats.muse:FORMAT",
        "sierra-xml": "dyssync.formats.sierra:FORMAT",
        "hl7-aecg": "dyssync.formats.aecg:FORMAT",
        "schiller-xml": "dyssync.formats.schiller:FORMAT",
        "scp-ecg": "dyssync.formats.scp:FORMAT",
        "edf": "dyssync.formats.edf:FORMAT",
        "ishne": "dyssync.formats.ishne:FORMAT",
        "parquet": "dyssync.formats.parquet:FORMAT",
        "hdf5": "dyssync.formats.hdf5:FORMAT",
        "matlab": "dyssync.formats.matlab:FORMAT",
        "numpy": "dyssync.formats.arrays:FORMAT",
        "csv": "dyssync.formats.text:FORMAT",
    },
)


def read_ecg(path: Path | str, options: ReadOptions = AS_STATED) -> ECG:
    """Return the 12-lead ECG that a file holds, in mV.

    Args:
        path: the file; of a WFDB record the header, the signal file, or neither suffix.
        options: what the file does not say (rate, unit), and the format if it is to be forced.

    Raises:
        FormatError: no usable 12-lead ECG; names file, finding, need and next step.
    """
    file = _open(Path(path))
    with _naming(file.name):
        recording, source = _read(file, options)
        return recording.ecg(source, options)


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
    file = unpacked(Path(name).name, data, (beside or {}).get)
    with _naming(file.name):
        recording, source = _read(file, options)
        return recording.ecg(source, options)


def read_recording(path: Path | str, options: ReadOptions = AS_STATED) -> Recording:
    """Return all calibrated channels of a file, 12-lead ECG or not (Holters, two-lead records).

    Raises:
        FormatError: as in :func:`read_ecg`, but any leads will do.
    """
    file = _open(Path(path))
    with _naming(file.name):
        return _read(file, options)[0]


def _read(file: InputFile, options: ReadOptions) -> tuple[Recording, Source]:
    chosen = FORMATS[options.format] if options.format else sniffed(file)
    recording = chosen.read(file, options)
    return recording, Source(name=file.name, format=chosen.name, sha256=file.sha256)


def sniffed(file: InputFile) -> Format:
    """Return the format whose sniffer recognises the content.

    Raises:
        FormatError: none does; lists the formats.
    """
    head, path = file.data[:HEAD_BYTES], Path(file.name)
    formats = [FORMATS[name] for name in FORMATS]
    for candidate in formats:
        if candidate.sniff(head, path):
            return candidate
    raise FormatError(
        f"content is of no known format (it starts with {head[:8]!r}). "
        f"Formats: {', '.join(FORMATS)}. See: dyssync list formats"
    )


def _open(path: Path) -> InputFile:
    """Open `path`; a signal file or bare name of a WFDB record leads to its header."""
    header = path.with_suffix(".hea")
    if path.suffix.lower() in {".dat", ".mat", ""} and header != path and header.is_file():
        path = header
    return open_file(path)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Put the file name in front of any FormatError."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from error
