"""ISHNE Holter files with 12 leads.

References:
    Badilini F., The ISHNE Holter standard output file format, Ann Noninvasive Electrocardiol
    1998;3:263.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEADS, Sex
from dyssync.errors import FormatError
from dyssync.formats.reading.checksum import swapped
from dyssync.formats.reading.demographics import age_between
from dyssync.formats.reading.parsing import called
from dyssync.formats.reading.recording import (
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
)

_MAGIC = b"ISHNE1.0"
_HEADER = 522  # magic 8, checksum 2, fixed block 512
_FAULT = -32768  # the electrode was off
_LEAD_NAMES: Mapping[int, str] = {
    2: "X",
    3: "Y",
    4: "Z",
    **{5 + i: lead for i, lead in enumerate(LEADS)},  # 5 I ... 16 V6
}
_SEXES: Mapping[int, Sex] = {1: "M", 2: "F"}


def parse(data: bytes) -> Recording:
    """Read all leads.

    Raises:
        FormatError: not 12 leads' header, a wrong checksum, or fewer samples than claimed.
    """
    if data[:8] != _MAGIC or len(data) < _HEADER:
        raise FormatError(
            f"{len(data)} bytes; an ISHNE file has its mark and a header of {_HEADER} bytes"
        )
    variable, claimed, _, offset = struct.unpack_from("<iiii", data, 10)
    n_leads = struct.unpack_from("<h", data, 156)[0]
    codes = struct.unpack_from("<12h", data, 158)
    steps = struct.unpack_from("<12h", data, 206)  # nV
    fs = struct.unpack_from("<h", data, 272)[0]
    if not 1 <= n_leads <= 12:
        raise FormatError(f"claims {n_leads:d} leads; 1 to 12 is needed")
    if offset < _HEADER or variable < 0 or offset > len(data):
        raise FormatError(
            f"the ECG starts at byte {offset:d}; {_HEADER} to {len(data)} is possible"
        )
    if fs <= 0:
        raise FormatError(f"sampling rate is {fs:d} Hz; a positive one is needed")
    _check_sum(data, offset)
    n_samples = _samples_a_lead(claimed, n_leads, len(data) - offset)
    raw = np.frombuffer(data, "<i2", n_samples * n_leads, offset).reshape(n_samples, n_leads)
    channels: dict[str, Floats] = {}
    mv_a_step = {}
    for column in range(n_leads):
        name = _LEAD_NAMES.get(codes[column], f"channel {column + 1}")
        if name in channels:
            raise FormatError(f"{called(name)} is there twice; one of each is needed")
        if steps[column] <= 0:
            raise FormatError(
                f"{called(name)}: resolution is {steps[column]:d} nV; its unit is unknown"
            )
        samples = raw[:, column].astype(np.float64)
        samples[raw[:, column] == _FAULT] = np.nan
        mv_a_step[name] = steps[column] * 1e-6
        channels[name] = samples * mv_a_step[name]
    return Recording(channels, float(fs), _person(data), steps=mv_a_step, unit="nV")


def _samples_a_lead(claimed: int, n_leads: int, n_bytes: int) -> int:
    """Writers disagree whether the claim counts samples of one lead or of all; the size tells."""
    check_sample_count(1, claimed)
    if 2 * claimed * n_leads <= n_bytes:
        check_sample_count(n_leads, claimed)
        return claimed
    if claimed % n_leads == 0 and 2 * claimed == n_bytes:
        return claimed // n_leads
    raise FormatError(
        f"claims {claimed} samples of {n_leads} leads, the file holds {n_bytes // (2 * n_leads)}; "
        "truncated?"
    )


def _check_sum(data: bytes, offset: int) -> None:
    """Compare the CRC-CCITT (start 0xFFFF) of the header; 0 means that none was stored."""
    stored = int.from_bytes(data[8:10], "little")
    right = binascii.crc_hqx(data[10:offset], 0xFFFF)
    if stored and stored not in (right, swapped(right)):
        raise FormatError("the checksum of the header is wrong; the file was changed or damaged")


def _person(data: bytes) -> Person:
    sex = struct.unpack_from("<h", data, 128)[0]
    birth, taken = _day(data, 132), _day(data, 138)
    clock = struct.unpack_from("<3h", data, 150)
    recorded = None
    if taken is not None:
        valid = all(0 <= part < limit for part, limit in zip(clock, (24, 60, 60), strict=True))
        recorded = datetime(taken.year, taken.month, taken.day, *(clock if valid else ()))
    return Person(
        patient_id=data[108:128].decode("latin-1").strip(" \0") or None,
        age=age_between(birth, recorded),
        sex=_SEXES.get(sex),
        recorded_at=recorded,
    )


def _day(data: bytes, at: int) -> date | None:
    day, month, year = struct.unpack_from("<3h", data, at)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` has the ISHNE mark."""
    return head[:8] == _MAGIC


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read an ISHNE file; see :func:`parse`."""
    return parse(file.data)


FORMAT = Format(
    name="ishne",
    description="ISHNE Holter, 12 leads, up to 44 minutes at 500 Hz",
    suffixes=(".ecg",),
    sniff=sniff,
    read=read,
)
