"""What goes to a reading process and comes back: JSON and plain arrays, nothing that runs.

A reading process may have been taken over by the file it reads, so nothing of it is unpickled.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np

from dyssync.arrays import Bytes, Singles
from dyssync.cohort.clinical import read_clinical
from dyssync.ecg import ECG, LEADS, Doubt, RepresentativeBeat, Source
from dyssync.image import ECGImage, Input
from dyssync.records import Record

_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Asked(Record):
    """What is to be read.

    Attributes:
        names: of the files, without folders.
        sizes: of each, bytes.
        fs, unit, page: as in :class:`dyssync.formats.ReadOptions`.
        hook: whether the one file is a call of CDS Hooks, which holds the files.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    fs: float | None
    unit: str | None
    page: int
    hook: bool = False


@dataclass(frozen=True)
class Read(Record):
    """What was read, or why not.

    Attributes:
        status: of HTTP; 200 where it was read.
        text: why not, in one line.
        shape: of the signal (12, n), float32, or of the picture (height, width, 3), uint8.
        fs, age, sex, clinical, recorded_at, notes, doubts: of :class:`dyssync.ecg.ECG`; fs is
            None of a picture.
        beat: samples of the recorder's beat, 0 for none; beat_fs its rate.
        format: name of the format.
        sha256: digest of what was read.
    """

    status: int
    text: str = ""
    shape: tuple[int, ...] = ()
    fs: float | None = None
    age: float | None = None
    sex: Literal["F", "M"] | None = None
    recorded_at: str | None = None
    notes: Mapping[str, str] | None = None
    clinical: Mapping[str, float] | None = None
    doubts: tuple[Doubt, ...] = ()
    beat: int = 0
    beat_fs: float = 0.0
    format: str = ""
    sha256: str = ""


def packed(head: Record, parts: Sequence[bytes] = ()) -> bytes:
    """Return a head and what follows it as bytes."""
    text = head.to_json().encode()
    return b"".join([_LENGTH.pack(len(text)), text, *parts])


def unpack_asked(data: bytes) -> tuple[Asked, dict[str, bytes]]:
    """Return what is asked, and the files by name."""
    head, at = _head(data)
    asked = Asked.from_json(head, "asked")
    files = {}
    for name, size in zip(asked.names, asked.sizes, strict=True):
        files[name] = data[at : at + size]
        at += size
    return asked, files


def pack_input(x: Input) -> list[bytes | memoryview]:
    """Return a recording or picture as bytes, in pieces: a page has a hundred megabytes."""
    if isinstance(x, ECGImage):
        head = Read(200, shape=x.pixels.shape)
        return [packed(_from(x, head)), _bytes_of(x.pixels)]
    beat = x.beat
    head = Read(
        200,
        shape=x.signal.shape,
        fs=x.fs,
        recorded_at=None if x.recorded_at is None else x.recorded_at.isoformat(),
        doubts=x.doubts,
        beat=0 if beat is None else beat.signal.shape[1],
        beat_fs=0.0 if beat is None else beat.fs,
    )
    beats = [] if beat is None else [_bytes_of(beat.signal)]
    return [packed(_from(x, head)), _bytes_of(x.signal), *beats]


def _bytes_of(values: Singles | Bytes) -> memoryview:
    return np.ascontiguousarray(values).data.cast("B")


def _from(x: Input, head: Read) -> Read:
    return replace(
        head,
        age=x.age,
        sex=x.sex,
        clinical=dict(x.clinical),
        notes=dict(x.notes),
        format=x.source.format,
        sha256=x.source.sha256,
    )


def unpack_read(data: bytes, name: str) -> tuple[Read, Input | None]:
    """Return what a reading process says, and the recording or picture where there is one.

    Raises:
        CohortError: a clinical fact cannot be.
        FormatError: it is no whole ECG.
        ModelError, ValueError: it is none of what :func:`pack_input` writes.
    """
    head, at = _head(data)
    read = Read.from_json(head, "read")
    if read.status != 200:
        return read, None
    source = Source(name, read.format, read.sha256)
    notes, clinical = read.notes or {}, read_clinical(read.clinical or {})
    if read.fs is None:
        pixels = np.frombuffer(data, np.uint8, offset=at).reshape(read.shape)
        return read, ECGImage(
            pixels, source=source, notes=notes, age=read.age, sex=read.sex, clinical=clinical
        )
    n = read.shape[1]
    samples = np.frombuffer(data, np.float32, offset=at)
    signal, rest = np.split(samples, [len(LEADS) * n])
    beat = None
    if read.beat:
        beat = RepresentativeBeat(rest.reshape(len(LEADS), read.beat), read.beat_fs)
    when = None if read.recorded_at is None else datetime.fromisoformat(read.recorded_at)
    return read, ECG(
        signal.reshape(len(LEADS), n), read.fs, age=read.age, sex=read.sex, recorded_at=when,
        source=source, notes=notes, beat=beat, clinical=clinical, doubts=read.doubts,
    )  # fmt: skip


def _head(data: bytes) -> tuple[bytes, int]:
    (length,) = _LENGTH.unpack_from(data)
    at = _LENGTH.size + length
    return data[_LENGTH.size : at], at
