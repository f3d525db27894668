"""Reader of WFDB records: the samples that a header names, calibrated and compared with its sums.

The decoders of the samples are checked against the wfdb package in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from dyssync.arrays import AnyFloats, Ints32
from dyssync.ecg import lead_name
from dyssync.errors import FormatError, Vetted, Words
from dyssync.formats.reading.parsing import called
from dyssync.formats.reading.recording import (
    MILLIVOLT,
    InputFile,
    ReadOptions,
    Recording,
    check_sample_count,
    factor_to_millivolt,
)
from dyssync.formats.wfdb.header import Channel, parse_header
from dyssync.formats.wfdb.samples import SAMPLE_FORMATS, n_samples_in

_FLAC = {"508", "516", "524"}
_USUAL_SUFFIXES = (".dat", ".mat")  # of signal files


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
    steps: dict[str, float] = {}
    unit = None
    rates = {}
    for name, group in groups.items():
        column = 0
        for channel in group:
            raw = frames[name][:, column : column + channel.per_frame]
            column += channel.per_frame
            if lead_name(channel.name) is None and not _is_voltage(channel):
                continue  # respiration, pressure
            if channel.name in channels:
                raise FormatError(f"{called(channel.name)} is there twice; one of each is needed")
            channels[channel.name] = _calibrate(raw, channel, options)
            rates[channel.name] = channel.per_frame
            if channel.gain is not None:
                unit = unit or channel.unit
                steps[channel.name] = factor_to_millivolt(channel.unit, "gain") / channel.gain
    if len(set(rates.values())) > 1:
        raise FormatError("leads have different sampling rates; one rate is needed")
    n = min((len(samples) for samples in channels.values()), default=0)
    trimmed = {name: samples[:n] for name, samples in channels.items()}  # skewed leads end earlier
    rate = fs * next(iter(rates.values()), 1)
    return Recording(trimmed, rate, header.person, header.notes, steps=steps, unit=unit)


def _shown(name: str, header: Vetted) -> Words:
    """Return what a signal file is called in a message: by its name where that is the header's."""
    stem: Vetted = PurePosixPath(header).stem
    for suffix in _USUAL_SUFFIXES:
        if name == stem + suffix:
            return f"its signal file {stem}{suffix}"
    return "a signal file that it names"


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
    shown = _shown(name, file.name)
    if len({channel.format for channel in group}) > 1:
        raise FormatError(f"{shown} is said to hold several sample formats; one is needed")
    code = group[0].format
    if code in _FLAC:
        raise FormatError(f"{shown} is in FLAC. Convert it to format 16 (wfdb: xform)")
    if code not in SAMPLE_FORMATS:
        raise FormatError(f"unknown sample format; known are {', '.join(SAMPLE_FORMATS)}")
    data = file.neighbour(name)
    if data is None:
        raise FormatError(f"{shown} is missing. Put it and the header into one folder")
    sample_format = SAMPLE_FORMATS[code]
    data = data[group[0].offset :]
    width = sum(channel.per_frame for channel in group)
    have = n_samples_in(sample_format, len(data)) // width
    n_frames = have if n_frames is None else n_frames
    check_sample_count(width, n_frames)
    if have < n_frames:
        raise FormatError(
            f"{shown} holds {have:d} samples a lead, the header claims {n_frames:d}; truncated?"
        )
    samples = sample_format.decode(data, width * n_frames).reshape(n_frames, width)
    _check_sums(shown, group, samples)
    return samples


def _check_sums(name: Words, group: Sequence[Channel], samples: Ints32) -> None:
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
            wrong.append(called(channel.name).removeprefix("lead "))
    if wrong:
        raise FormatError(
            f"checksum of {', '.join(wrong)} in {name} is wrong; the file was changed or damaged. "
            "Copy it again"
        )


def _calibrate(raw: Ints32, channel: Channel, options: ReadOptions) -> AnyFloats:
    samples = raw.reshape(-1)[channel.skew * channel.per_frame :]
    if channel.gain is not None:
        factor = factor_to_millivolt(channel.unit, called(channel.name)) / channel.gain
    elif options.unit is not None:
        factor = factor_to_millivolt(options.unit, "option unit")
    else:
        raise FormatError(
            f"{called(channel.name)} states no gain, so its samples have no unit. Declare the unit "
            "of one step: unit='uV' (--unit uV)"
        )
    missing = samples == SAMPLE_FORMATS[channel.format].invalid
    volts = (samples - float(channel.baseline)) * factor
    if missing.any():
        volts[missing] = np.nan
    return volts
