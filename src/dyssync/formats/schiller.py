"""Schiller XML (SEMA, Cardiovit AT series): comma-separated samples a channel.

References:
    Structure as exported by SEMA: eventdata/event/wavedata[type=ECG_RHYTHMS] with
    resolution/samplerate, resolution/yres and channel/name, channel/data.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dyssync.errors import FormatError
from dyssync.formats.demographics import age_between, parse_age, parse_datetime, parse_sex
from dyssync.formats.machine import machine_notes
from dyssync.formats.recording import (
    Floats,
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    factor_to_millivolt,
)
from dyssync.formats.xml_tree import (
    head_text,
    need_number,
    numbers,
    parse_tree,
    root_name,
    text_of,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: TID251 - the type only

_RHYTHM = "ECG_RHYTHMS"


def parse(data: bytes) -> Recording:
    """Read the rhythm channels.

    Raises:
        FormatError: no rhythm data, an unknown unit, or a sample rate with an exponent.
    """
    root = parse_tree(data)
    waves = [w for w in root.iter("wavedata") if _type(w).upper() == _RHYTHM]
    if not waves:
        raise FormatError(f"holds no wavedata of type {_RHYTHM}; only averages? 10 s are needed")
    resolution = waves[0].find("resolution")
    if resolution is None:
        raise FormatError("the rhythm data state no resolution; rate and unit are unknown")
    fs = need_number(resolution, "samplerate/value", "sample rate")
    exponent = text_of(resolution, "samplerate/exponent")
    if exponent not in (None, "0", "1"):
        raise FormatError(f"sample rate exponent {exponent:.10}; 0 or 1 is needed")
    step = need_number(resolution, "yres/unitperbit", "yres/unitperbit")
    scale = step * factor_to_millivolt(text_of(resolution, "yres/units") or "", "yres/units")
    channels: dict[str, Floats] = {}
    for channel in waves[0].iterfind("channel"):
        name = text_of(channel, "name") or channel.get("name") or ""
        if not name or name in channels:
            raise FormatError(f"channel name {name!r:.20} is missing or there twice; one of each")
        samples = numbers(text_of(channel, "data"), f"channel {name}", ",")
        check_sample_count(1, len(samples))
        channels[name] = samples * scale
    return Recording(channels, fs, _person(root), _notes(root))


def _type(wavedata: Element) -> str:
    return text_of(wavedata, "type") or wavedata.get("type") or ""


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
    names = {
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
    found: dict[str, str | None] = {}
    for measured in root.iter("annotation_global"):
        key = names.get((text_of(measured, "name") or "").upper())
        if key is not None:
            found.setdefault(key, text_of(measured, "value"))
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
