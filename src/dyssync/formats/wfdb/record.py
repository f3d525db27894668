"""WFDB records (.hea with .dat or .mat): reader and writer.

The header is parsed here and not by the wfdb package: that refuses headers which the challenges
published (`12-May-2020`), fills in 200 adu/mV where no gain is stated, and does not compare
checksums. The sample decoders are checked against it in the tests.

References:
    WFDB Applications Guide, header(5) and signal(5), physionet.org/physiotools/wag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyssync.arrays import AnyFloats, Ints32
from dyssync.ecg import ECG, LEADS, lead_name
from dyssync.errors import FormatError, InputError
from dyssync.formats.reading.demographics import parse_age, parse_datetime, parse_sex
from dyssync.formats.reading.recording import (
    MILLIVOLT,
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    factor_to_millivolt,
)
from dyssync.formats.wfdb.samples import SAMPLE_FORMATS, n_samples_in

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
_FLAC = {"508", "516", "524"}
_UNKNOWN_TEXT = {"", "unknown", "nan", "n/a"}


@dataclass(frozen=True)
class Channel:
    """One signal line of a header."""

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
        raise FormatError(f"record line {body[0][:60]!r}; 'name leads rate samples' is needed")
    if record["segments"]:
        raise FormatError("several segments; one is needed. Join them first (wfdb: xform)")
    n_signals = int(record["n_signals"])
    if not 1 <= n_signals <= 256:
        raise FormatError(f"claims {n_signals} signals; 1 to 256 is needed")
    if len(body) - 1 < n_signals:
        raise FormatError(f"claims {n_signals} signals but describes {len(body) - 1}; truncated?")
    channels = tuple(_parse_channel(line) for line in body[1 : n_signals + 1])
    person, notes = _parse_comments(lines, record["rest"] or "")
    return Header(
        fs=_number(record["fs"], "rate") if record["fs"] else None,
        n_frames=int(record["n_samples"] or 0) or None,
        channels=channels,
        person=person,
        notes=notes,
    )


def _parse_channel(line: str) -> Channel:
    match = _SIGNAL_LINE.match(line.strip())
    if match is None:
        raise FormatError(f"signal line {line[:60]!r}; 'file format gain ...' is needed")
    rest = (match["rest"] or "").split(None, 5)
    # rest: ADC resolution, ADC zero, initial value, checksum, block size, description
    numbers = [_integer(text, line) for text in rest[:5]]
    zero = numbers[1] if len(numbers) > 1 else 0
    gain = _number(match["gain"], "gain") if match["gain"] else 0.0
    per_frame = int(match["per_frame"] or 1)
    if not 1 <= per_frame <= 1000:
        raise FormatError(f"signal line {line[:60]!r}: {per_frame} samples a frame; 1 is usual")
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


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise FormatError(f"{what} {text!r}; a number is needed") from error
    if not np.isfinite(value):
        raise FormatError(f"{what} {text!r}; a finite number is needed")
    return value


def _integer(text: str, line: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise FormatError(f"signal line {line[:60]!r}: {text[:20]!r} is no whole number") from error


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


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a header and the signal files it names, which must lie beside it.

    Raises:
        FormatError: the header is broken, a signal file is missing or too short, a gain, rate or
            unit is not stated, a checksum does not fit.
    """
    header = parse_header(_header_text(file.data))
    fs = header.fs or options.fs
    if not fs:
        raise FormatError("states no sampling rate. Declare it: fs=500 (--fs 500)")
    frames: dict[str, Ints32] = {}
    groups: dict[str, list[Channel]] = {}
    for channel in header.channels:
        groups.setdefault(channel.file, []).append(channel)
    for name, group in groups.items():
        frames[name] = _read_frames(file, name, group, header.n_frames)
    channels: dict[str, AnyFloats] = {}
    rates = {}
    for name, group in groups.items():
        column = 0
        for channel in group:
            raw = frames[name][:, column : column + channel.per_frame]
            column += channel.per_frame
            if lead_name(channel.name) is None and not _is_voltage(channel):
                continue  # respiration, pressure
            if channel.name in channels:
                raise FormatError(f"lead {channel.name} is there twice; one of each is needed")
            channels[channel.name] = _calibrate(raw, channel, options)
            rates[channel.name] = channel.per_frame
    if len(set(rates.values())) > 1:
        raise FormatError("leads have different sampling rates; one rate is needed")
    n = min((len(samples) for samples in channels.values()), default=0)
    trimmed = {name: samples[:n] for name, samples in channels.items()}  # skewed leads end earlier
    return Recording(trimmed, fs * next(iter(rates.values()), 1), header.person, header.notes)


def _is_voltage(channel: Channel) -> bool:
    return channel.gain is not None and channel.unit.lower() in MILLIVOLT


def _header_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # comments of old records; the fields are ASCII


def _read_frames(
    file: InputFile, name: str, group: Sequence[Channel], n_frames: int | None
) -> Ints32:
    """Return the samples of one signal file, (n_frames, samples a frame) int32."""
    if len({channel.format for channel in group}) > 1:
        raise FormatError(f"{name} is said to hold several sample formats; one is needed")
    code = group[0].format
    if code in _FLAC:
        raise FormatError(f"{name} is FLAC (format {code}). Convert it to format 16 (wfdb: xform)")
    if code not in SAMPLE_FORMATS:
        raise FormatError(f"sample format {code}; known are {', '.join(SAMPLE_FORMATS)}")
    data = file.neighbour(name)
    if data is None:
        raise FormatError(f"its signal file {name} is missing. Put both into one folder")
    sample_format = SAMPLE_FORMATS[code]
    data = data[group[0].offset :]
    width = sum(channel.per_frame for channel in group)
    have = n_samples_in(sample_format, len(data)) // width
    n_frames = have if n_frames is None else n_frames
    check_sample_count(width, n_frames)
    if have < n_frames:
        raise FormatError(
            f"{name} holds {have} samples a lead, the header claims {n_frames}; truncated?"
        )
    samples = sample_format.decode(data, width * n_frames).reshape(n_frames, width)
    _check_sums(name, group, samples)
    return samples


def _check_sums(name: str, group: Sequence[Channel], samples: Ints32) -> None:
    """Compare the 16-bit sums; records that state 0 for all leads state none."""
    if not any(channel.checksum for channel in group):
        return
    sums = samples.sum(axis=0, dtype=np.int64)
    column = 0
    wrong: list[str] = []
    for channel in group:
        total = int(sums[column : column + channel.per_frame].sum())
        column += channel.per_frame
        if channel.checksum is not None and (total - channel.checksum) % 65536:
            wrong.append(channel.name or f"signal {len(wrong)}")
    if wrong:
        raise FormatError(
            f"checksum of {', '.join(wrong)} in {name} is wrong; the file was changed or damaged. "
            "Copy it again"
        )


def _calibrate(raw: Ints32, channel: Channel, options: ReadOptions) -> AnyFloats:
    samples = raw.reshape(-1)[channel.skew * channel.per_frame :]
    if channel.gain is not None:
        factor = factor_to_millivolt(channel.unit, f"lead {channel.name}") / channel.gain
    elif options.unit is not None:
        factor = factor_to_millivolt(options.unit, "option unit")
    else:
        raise FormatError(
            f"lead {channel.name} states no gain, so its samples have no unit. Declare the unit of "
            "one step: unit='uV' (--unit uV)"
        )
    missing = samples == SAMPLE_FORMATS[channel.format].invalid
    volts = (samples - float(channel.baseline)) * factor
    if missing.any():
        volts[missing] = np.nan
    return volts


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


# Steps of 1 uV: below the 2.5-5 uV of clinical recorders; int16 then spans +-32.7 mV.
WRITE_GAIN = 1000.0


def write_wfdb(ecg: ECG, folder: Path | str, name: str) -> Path:
    """Write `name`.hea and `name`.dat (format 16, mV); return the path of the header.

    A round trip keeps every sample within half a step. The step is 1 uV, or as much more as
    amplitudes above 32.7 mV need. Age and sex are written, identifiers are not.

    Raises:
        InputError: `name` is not made of letters, digits, '-' and '_'.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise InputError(f"record name {name!r}; letters, digits, '-' and '_' are allowed")
    peak = float(np.abs(ecg.signal).max())
    gain = min(WRITE_GAIN, 32767.0 / peak)
    digital = np.rint(ecg.signal.T.astype(np.float64) * gain).astype("<i2")  # (n, 12)
    sums = digital.sum(axis=0, dtype=np.int64) % 65536
    lines = [f"{name} {len(LEADS)} {ecg.fs!r} {len(digital)}{_clock(ecg)}"]
    lines += [
        f"{name}.dat 16 {gain!r}(0)/mV 16 0 {first} {total} 0 {lead}"
        for lead, first, total in zip(LEADS, digital[0], sums, strict=True)
    ]
    if ecg.age is not None:
        lines.append(f"# Age: {ecg.age:g}")
    if ecg.sex is not None:
        lines.append(f"# Sex: {'Female' if ecg.sex == 'F' else 'Male'}")
    folder = Path(folder)
    (folder / f"{name}.dat").write_bytes(digital.tobytes())
    header = folder / f"{name}.hea"
    header.write_text("\n".join(lines) + "\n", encoding="ascii")
    return header


def _clock(ecg: ECG) -> str:
    return f" {ecg.recorded_at:%H:%M:%S %d/%m/%Y}" if ecg.recorded_at else ""


FORMAT = Format(
    name="wfdb",
    description="WFDB record (.hea with .dat or .mat beside it), PhysioNet and CinC challenges",
    suffixes=(".hea",),
    sniff=sniff,
    read=read,
    write=write_wfdb,
)
