"""Headers of WFDB records (.hea): what each signal is, where its samples are, whose they are.

Parsed here and not by the wfdb package: that refuses headers which the challenges published
(`12-May-2020`), fills in 200 adu/mV where no gain is stated, and does not compare checksums.

References:
    WFDB Applications Guide, header(5), physionet.org/physiotools/wag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyssync.errors import FormatError, Words
from dyssync.formats.reading.demographics import parse_age, parse_datetime
from dyssync.formats.reading.recording import Person
from dyssync.formats.reading.sexes import parse_sex

_RECORD_LINE = re.compile(
    r"^(?P<name>[^\s/]+)(?:/(?P<segments>\d+))?\s+(?P<n_signals>\d+)"
    r"(?:\s+(?P<fs>[0-9.eE+]+)(?:/\S*)?(?:\s+(?P<n_samples>\d+)(?:\s+(?P<rest>.*))?)?)?\s*$"
)
_SIGNAL_LINE = re.compile(
    r"^(?P<file>\S+)\s+(?P<format>\d+)(?:x(?P<per_frame>\d+))?(?::(?P<skew>\d+))?"
    r"(?:\+(?P<offset>\d+))?(?:\s+(?P<gain>-?[0-9.][0-9.eE+-]*)(?:\((?P<baseline>-?\d+)\))?"
    r"(?:/(?P<unit>\S+))?(?:\s+(?P<rest>\S.*))?)?\s*$"
)
_COMMENT = re.compile(r"^#\s*<?(?P<key>[A-Za-z][^:>]*?)>?\s*:\s*(?P<value>.*)$")
_STATEMENT_KEYS = {"dx": "diagnosis codes", "diagnoses": "diagnoses"}
_UNKNOWN_TEXT = {"", "unknown", "nan", "n/a"}


@dataclass(frozen=True)
class Channel:
    """One signal line of a header.

    Attributes:
        file: name of the signal file.
        format: code of how its samples are stored.
        per_frame: samples of this signal in a frame.
        skew: samples by which this signal starts late in the file.
        offset: bytes before the first sample.
        gain: steps in one `unit`; None where the header states none.
        baseline: step that means 0.
        unit: of the calibrated samples.
        checksum: 16-bit sum of the samples; None where the header states none.
        name: description, mostly the lead.
    """

    file: str
    format: str
    per_frame: int
    skew: int
    offset: int
    gain: float | None
    baseline: int
    unit: str
    checksum: int | None
    name: str


@dataclass(frozen=True)
class Header:
    """A WFDB header; `fs` and `n_frames` are None where it does not state them."""

    fs: float | None
    n_frames: int | None
    channels: tuple[Channel, ...]
    person: Person
    notes: dict[str, str]


def parse_header(text: str) -> Header:
    """Parse a single-segment header.

    Raises:
        FormatError: a line does not follow header(5); says which.
    """
    lines = [line.rstrip() for line in text.splitlines()]
    body = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not body:
        raise FormatError("holds no record line; 'name leads rate samples' is needed first")
    record = _RECORD_LINE.match(body[0].strip())
    if record is None:
        raise FormatError("no record line; 'name leads rate samples' is needed first")
    if record["segments"]:
        raise FormatError("several segments; one is needed. Join them first (wfdb: xform)")
    n_signals = int(record["n_signals"])
    if not 1 <= n_signals <= 256:
        raise FormatError(f"claims {n_signals} signals; 1 to 256 is needed")
    if len(body) - 1 < n_signals:
        raise FormatError(f"claims {n_signals} signals but describes {len(body) - 1}; truncated?")
    channels = tuple(
        _parse_channel(line, f"the line of signal {k + 1}")
        for k, line in enumerate(body[1 : n_signals + 1])
    )
    person, notes = _parse_comments(lines, record["rest"] or "")
    return Header(
        fs=_number(record["fs"], "rate") if record["fs"] else None,
        n_frames=int(record["n_samples"] or 0) or None,
        channels=channels,
        person=person,
        notes=notes,
    )


def _parse_channel(line: str, which: Words) -> Channel:
    match = _SIGNAL_LINE.match(line.strip())
    if match is None:
        raise FormatError(f"{which} is none; 'file format gain ...' is needed")
    rest = (match["rest"] or "").split(None, 5)
    # rest: ADC resolution, ADC zero, initial value, checksum, block size, description
    numbers = [_integer(text, which) for text in rest[:5]]
    zero = numbers[1] if len(numbers) > 1 else 0
    gain = _number(match["gain"], "gain") if match["gain"] else 0.0
    per_frame = int(match["per_frame"] or 1)
    if not 1 <= per_frame <= 1000:
        raise FormatError(f"{which}: {per_frame} samples a frame; 1 is usual")
    return Channel(
        file=match["file"],
        format=match["format"],
        per_frame=per_frame,
        skew=int(match["skew"] or 0),
        offset=int(match["offset"] or 0),
        gain=gain or None,
        baseline=int(match["baseline"]) if match["baseline"] else zero,
        unit=match["unit"] or "mV",  # header(5): "if the field is missing, mV"
        checksum=numbers[3] if len(numbers) > 3 else None,
        name=rest[5].strip() if len(rest) > 5 else "",
    )


def _number(text: str, what: Words) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise FormatError(f"the {what} is no number; one is needed") from error
    if not np.isfinite(value):
        raise FormatError(f"the {what} is {value:g}; a finite number is needed")
    return value


def _integer(text: str, which: Words) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise FormatError(f"{which} holds something else than whole numbers") from error


def _parse_comments(lines: Sequence[str], clock: str) -> tuple[Person, dict[str, str]]:
    found = {
        match["key"].strip().lower(): match["value"].strip()
        for match in (_COMMENT.match(line.strip()) for line in lines)
        if match
    }
    time, _, day = clock.partition(" ")
    person = Person(
        patient_id=found.get("patient id") or found.get("subject_id"),
        age=parse_age(found.get("age")),
        sex=parse_sex(found.get("sex") or found.get("gender")),
        recorded_at=parse_datetime(day, time),
    )
    notes = {
        label: found[key]
        for key, label in _STATEMENT_KEYS.items()
        if found.get(key, "").lower() not in _UNKNOWN_TEXT
    }
    return person, notes


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` starts like a WFDB header: a record line, then one that names a file."""
    if b"\0" in head:
        return False
    lines = [line.strip() for line in head.decode("latin-1").splitlines()]
    body = [line for line in lines if line and not line.startswith("#")]
    if not body or (record := _RECORD_LINE.match(body[0])) is None:
        return False
    if record["segments"] or len(body) == 1:
        return record["segments"] is not None
    # Rows of numbers look like signal lines too; a file name has a letter ("~" means no file).
    signal = _SIGNAL_LINE.match(body[1])
    return signal is not None and re.search(r"[A-Za-z~]", signal["file"]) is not None
