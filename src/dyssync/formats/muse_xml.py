"""GE MUSE XML (RestingECG): eight stored leads, little-endian 16 bits in base64.

References:
    GE MUSE XML developer's guide (restecg.dtd); LeadDataCRC32 is the zlib CRC-32 of the samples,
    which holds for all five real files at hand.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dyssync.arrays import Floats
from dyssync.errors import FormatError
from dyssync.formats.reading.beat import read_beat
from dyssync.formats.reading.demographics import age_between, parse_age, parse_datetime
from dyssync.formats.reading.parsing import called, decode_base64, int16_samples, number, told
from dyssync.formats.reading.recorder_notes import joined_statements, machine_notes
from dyssync.formats.reading.recording import (
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    check_simultaneous,
)
from dyssync.formats.reading.sexes import parse_sex
from dyssync.formats.reading.xml_tree import need_number, parse_tree, root_name, text_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: TID251 - the type only

_UNITS: Mapping[str, float] = {"MICROVOLTS": 1e-3, "MILLIVOLTS": 1.0}  # mV each
_MEASUREMENTS = {
    "rate": "VentricularRate",
    "pr": "PRInterval",
    "qrs": "QRSDuration",
    "qt": "QTInterval",
    "qtc": "QTCorrected",
    "p_axis": "PAxis",
    "qrs_axis": "RAxis",
    "t_axis": "TAxis",
}


def parse(data: bytes) -> Recording:
    """Read the rhythm waveform of a MUSE export, and its median beat.

    Raises:
        FormatError: no rhythm waveform, a lead that is short or has a wrong checksum.
    """
    root = parse_tree(data)
    waveforms = list(root.iter("Waveform"))
    # Exports of other makers' ECGs hold one waveform and do not say that it is the rhythm.
    rhythm = _of_type(waveforms, "RHYTHM")
    rhythm = rhythm if rhythm is not None else _of_type(waveforms, None)
    if rhythm is None:
        raise FormatError("holds no waveform of type Rhythm; only median beats? 10 s are needed")
    channels, fs = _channels(rhythm)
    stated = {text_of(x, "LeadID") or "": _step(x) for x in rhythm.iter("LeadData")}
    steps = {name: step for name, (step, _) in stated.items()}
    unit = next((unit for _, unit in stated.values()), None)
    notes = _notes(root)
    median = _of_type(waveforms, "MEDIAN")
    beat = read_beat(lambda: None if median is None else _channels(median), notes)
    return Recording(channels, fs, _person(root), notes, beat, steps, unit)


def _of_type(waveforms: list[Element], kind: str | None) -> Element | None:
    """Return the first waveform of a type (in capitals), None for those that state none."""
    for waveform in waveforms:
        stated = text_of(waveform, "WaveformType")
        if (stated.upper() if stated else None) == kind:
            return waveform
    return None


def _channels(waveform: Element) -> tuple[dict[str, Floats], float]:
    """Return the leads of a waveform, mV, and their rate, Hz."""
    exponent = text_of(waveform, "SampleExponent")
    base = need_number(waveform, "SampleBase", "SampleBase")
    power = number(exponent, "SampleExponent") if exponent else 0.0
    if not -6 <= power <= 6:
        raise FormatError(f"SampleExponent is {power:g}; -6 to 6 is needed")
    leads = list(waveform.iter("LeadData"))
    check_simultaneous(
        {number(text_of(x, "LeadTimeOffset") or "0", "LeadTimeOffset") for x in leads}
    )
    channels: dict[str, Floats] = {}
    for lead in leads:
        name = text_of(lead, "LeadID")
        if name is None or name in channels:
            found = f"{called(name)} is there twice" if name else "a lead has no LeadID"
            raise FormatError(f"{found}; one of each is needed")
        channels[name] = _samples(lead, name)
    return channels, base * 10**power


def _samples(lead: Element, name: str) -> Floats:
    lead_is = called(name)
    size = text_of(lead, "LeadSampleSize") or "2"
    if size != "2":
        raise FormatError(f"{lead_is}: LeadSampleSize is no 2; two bytes a sample are needed")
    # Always 0 in files that were seen; readers disagree on what another number would mean.
    for field in ("LeadOffsetFirstSample", "FirstSampleBaseline"):
        shift = number(text_of(lead, field) or "0", f"{lead_is}: {field}")
        if shift != 0:
            raise FormatError(f"{lead_is}: {field} is {shift:g}; 0 is needed")
    data = decode_base64(text_of(lead, "WaveFormData"), lead_is)
    counts = int16_samples(data, lead_is)
    stated = text_of(lead, "LeadSampleCountTotal")
    claimed = int(number(stated, f"{lead_is}: LeadSampleCountTotal")) if stated else len(counts)
    check_sample_count(1, claimed)
    if claimed != len(counts):
        raise FormatError(f"{lead_is} holds {len(counts)} samples of {claimed}; truncated?")
    checksum = text_of(lead, "LeadDataCRC32")
    if checksum not in (None, "0", str(zlib.crc32(data))):
        raise FormatError(f"{lead_is}: checksum is wrong; the file was changed or damaged")
    return counts * _step(lead)[0]


def _step(lead: Element) -> tuple[float, str]:
    """Return the step of a lead, mV, and the unit in which the file states it."""
    lead_is = called(text_of(lead, "LeadID"))
    unit = text_of(lead, "LeadAmplitudeUnits") or ""
    if unit.upper() not in _UNITS:
        raise FormatError(
            f"{lead_is}: unknown unit ({told(unit)}); {' or '.join(_UNITS)} is needed"
        )
    step = need_number(lead, "LeadAmplitudeUnitsPerBit", f"{lead_is}: LeadAmplitudeUnitsPerBit")
    if step <= 0:
        raise FormatError(f"{lead_is}: {step:g} a bit; a positive step is needed")
    return step * _UNITS[unit.upper()], unit


def _person(root: Element) -> Person:
    who, test = root.find("PatientDemographics"), root.find("TestDemographics")
    day = _us_date(text_of(test, "AcquisitionDate"))
    recorded = parse_datetime(day, text_of(test, "AcquisitionTime"))
    birth = parse_datetime(_us_date(text_of(who, "DateofBirth")))
    age = parse_age(text_of(who, "PatientAge"), text_of(who, "AgeUnits") or "")
    return Person(
        patient_id=text_of(who, "PatientID"),
        age=age if age is not None else age_between(birth.date() if birth else None, recorded),
        sex=parse_sex(text_of(who, "Gender")),
        recorded_at=recorded,
    )


def _us_date(text: str | None) -> str | None:
    """Turn MM-DD-YYYY into YYYY-MM-DD."""
    try:
        return datetime.strptime(text or "", "%m-%d-%Y").strftime("%Y-%m-%d")
    except ValueError:
        return text


def _notes(root: Element) -> dict[str, str]:
    measured = root.find("RestingECGMeasurements")
    if measured is None:
        measured = root.find("OriginalRestingECGMeasurements")
    found = {key: text_of(measured, tag) for key, tag in _MEASUREMENTS.items()}
    lines = [""]
    for statement in root.iterfind("Diagnosis/DiagnosisStatement"):
        lines[-1] = f"{lines[-1]} {text_of(statement, 'StmtText') or ''}"
        if text_of(statement, "StmtFlag") == "ENDSLINE":
            lines.append("")
    return machine_notes({**found, "statements": joined_statements(lines)})


def sniff(head: bytes, path: Path) -> bool:
    """Say whether the root element is that of MUSE."""
    return root_name(head) == "RestingECG"


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a MUSE export; see :func:`parse`."""
    return parse(file.data)


FORMAT = Format(
    name="muse-xml",
    description="GE MUSE XML (RestingECG); the four derived limb leads are computed",
    suffixes=(".xml",),
    sniff=sniff,
    read=read,
)
