"""Schiller XML (SEMA, Cardiovit AT series): comma-separated samples a channel.

References:
    Structure as exported by SEMA: eventdata/event/wavedata[type=ECG_RHYTHMS] with
    resolution/samplerate, resolution/yres and channel/name, channel/data.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dyssync.arrays import Floats
from dyssync.errors import FormatError
from dyssync.formats.reading.beat import read_beat
from dyssync.formats.reading.demographics import age_between, parse_age, parse_datetime
from dyssync.formats.reading.parsing import called, numbers, told
from dyssync.formats.reading.recorder_notes import machine_notes
from dyssync.formats.reading.recording import (
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    factor_to_millivolt,
)
from dyssync.formats.reading.sexes import parse_sex
from dyssync.formats.reading.xml_tree import head_text, need_number, parse_tree, root_name, text_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: TID251 - the type only

_RHYTHM = {"ECG_RHYTHMS", "ECG_RHYTHM"}
_AVERAGE = {"ECG_AVERAGES", "ECG_AVERAGE"}
_MEASUREMENTS = {
    "HR": "rate",
    "PR": "pr",
    "PQ": "pr",
    "QRS": "qrs",
    "QT": "qt",
    "QTC": "qtc",
    "P_AXIS": "p_axis",
    "QRS_AXIS": "qrs_axis",
    "T_AXIS": "t_axis",
}


def parse(data: bytes) -> Recording:
    """Read the rhythm channels, and the averages.

    Raises:
        FormatError: no rhythm data, an unknown unit, or a sample rate with an exponent.
    """
    root = parse_tree(data)
    waves = [w for w in root.iter("wavedata") if _type(w) in _RHYTHM]
    if not waves:
        raise FormatError("holds no wavedata of type ECG_RHYTHMS; only averages? 10 s are needed")
    channels, fs = _channels(waves[0])
    notes = _notes(root)
    averages = [w for w in root.iter("wavedata") if _type(w) in _AVERAGE]
    beat = read_beat(lambda: _channels(averages[0]) if averages else None, notes)
    unit = text_of(waves[0], "resolution/yres/units")
    return Recording(channels, fs, _person(root), notes, beat, unit=unit)


def _channels(wave: Element) -> tuple[dict[str, Floats], float]:
    """Return the leads of a block, mV, and their rate, Hz."""
    resolution = wave.find("resolution")
    if resolution is None:
        raise FormatError("the data state no resolution; rate and unit are unknown")
    fs = need_number(resolution, "samplerate/value", "sample rate")
    exponent = text_of(resolution, "samplerate/exponent")
    if exponent not in (None, "0", "1"):
        raise FormatError("the exponent of the sample rate is neither 0 nor 1, which is needed")
    rate_unit = text_of(resolution, "samplerate/units") or "HZ"
    if rate_unit.upper() != "HZ":
        raise FormatError(f"unknown unit of the sample rate ({told(rate_unit)}); Hz is needed")
    step = need_number(resolution, "yres/unitperbit", "yres/unitperbit")
    if step <= 0:
        raise FormatError(f"yres/unitperbit is {step:g}; a positive step is needed")
    scale = step * factor_to_millivolt(text_of(resolution, "yres/units") or "", "yres/units")
    channels: dict[str, Floats] = {}
    for channel in wave.iterfind("channel"):
        name = text_of(channel, "name") or channel.get("name") or ""
        if not name or name in channels:
            found = f"{called(name)} is there twice" if name else "a channel has no name"
            raise FormatError(f"{found}; one of each is needed")
        samples = numbers((text_of(channel, "data") or "").rstrip(", "), called(name), ",")
        check_sample_count(1, len(samples))
        channels[name] = samples * scale
    return channels, fs


def _type(wavedata: Element) -> str:
    return (text_of(wavedata, "type") or wavedata.get("type") or "").upper()


def _person(root: Element) -> Person:
    who, taken = root.find("patdata"), root.find("examdescript")
    recorded = parse_datetime(
        text_of(taken, "startdatetime/date"), text_of(taken, "startdatetime/time")
    )
    birth = parse_datetime(text_of(who, "birthdate"))
    age = parse_age(text_of(who, "age"))
    return Person(
        patient_id=text_of(who, "id"),
        age=age if age is not None else age_between(birth.date() if birth else None, recorded),
        sex=parse_sex(text_of(who, "gender") or text_of(who, "sex")),
        recorded_at=recorded,
    )


def _notes(root: Element) -> dict[str, str]:
    found: dict[str, str | None] = {}
    for measured in root.iter("annotation_global"):
        # One block with a pair, or one with all names and all values in turn.
        names, values = measured.findall("name"), measured.findall("value")
        for name, value in zip(names, values, strict=False):
            key = _MEASUREMENTS.get((name.text or "").strip().upper())
            if key is not None:
                found.setdefault(key, value.text)
    return machine_notes(found)


def sniff(head: bytes, path: Path) -> bool:
    """Say whether the root element is that of SEMA, or the head names its parts."""
    root = root_name(head)
    return root is not None and (
        "schilleredi" in root.lower() or "<examdescript" in head_text(head)
    )


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a Schiller XML file; see :func:`parse`."""
    return parse(file.data)


FORMAT = Format(
    name="schiller-xml",
    description="Schiller XML (SEMA export)",
    suffixes=(".xml",),
    sniff=sniff,
    read=read,
)
