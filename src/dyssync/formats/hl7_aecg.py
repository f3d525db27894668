"""HL7 annotated ECG (aECG), the format of the FDA's ECG warehouse.

References:
    HL7 V3 Implementation Guide for aECG, release 2 (2005): rhythm series, sequence sets,
    SLIST_PQ = origin + scale x digits, GLIST = head + increment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dyssync.arrays import Floats
from dyssync.ecg import lead_name
from dyssync.errors import FormatError, Words
from dyssync.formats.reading.beat import read_beat
from dyssync.formats.reading.calibration_pulse import end_before_pulse
from dyssync.formats.reading.demographics import age_between, parse_age, parse_datetime
from dyssync.formats.reading.parsing import called, number, numbers, told
from dyssync.formats.reading.recorder_notes import (
    INTERVALS,
    in_milliseconds,
    joined_statements,
    machine_notes,
)
from dyssync.formats.reading.recording import (
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    check_simultaneous,
    factor_to_millivolt,
)
from dyssync.formats.reading.sexes import parse_sex
from dyssync.formats.reading.xml_tree import parse_tree, root_name

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: TID251 - the type only

_SECONDS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6}
# Codes in capitals, without what comes before "ECG_" and without the "_GL" of global values.
_MEASUREMENTS = {
    "HEART_RATE": "rate",
    "TIME_PD_PR": "pr",
    "TIME_PD_QRS": "qrs",
    "TIME_PD_QT": "qt",
    "TIME_PD_QTC": "qtc",
    "TIME_PD_QTCB": "qtc",
    "ANGLE_P_FRONT": "p_axis",
    "ANGLE_QRS_FRONT": "qrs_axis",
    "ANGLE_T_FRONT": "t_axis",
    "P_AXIS": "p_axis",
    "QRS_AXIS": "qrs_axis",
    "T_AXIS": "t_axis",
}
_BEAT = "REPRESENTATIVE_BEAT"


def parse(data: bytes) -> Recording:
    """Read the first rhythm series, and the representative beat that was derived from it.

    Raises:
        FormatError: no rhythm series, a sequence without scale, unit or time increment.
    """
    root = parse_tree(data)
    all_series = list(root.iterfind("component/series"))
    series = [s for s in all_series if _code(s).upper() != _BEAT]
    if not series:
        raise FormatError("holds no rhythm series; only representative beats? 10 s are needed")
    rhythm = series[0]
    channels, fs = _channels(rhythm, "rhythm")
    steps, unit = _steps(rhythm)
    notes = _notes(rhythm)
    if len({len(lead) for lead in channels.values()}) == 1:
        end = end_before_pulse(channels, fs)
        if end is not None:
            channels = {name: lead[:end] for name, lead in channels.items()}
            notes["cut"] = f"calibration pulse after {end / fs:.1f} s"
    derived = [*rhythm.iterfind("derivation/derivedSeries"), *all_series]
    beats = [s for s in derived if _code(s).upper() == _BEAT]
    beat = read_beat(lambda: _channels(beats[0], "beat") if beats else None, notes)
    return Recording(channels, fs, _person(root, rhythm), notes, beat, steps, unit)


def _channels(series: Element, what: Words) -> tuple[dict[str, Floats], float]:
    """Return the leads of a series, mV, and their rate, Hz."""
    channels: dict[str, Floats] = {}
    times = []
    for sequence_set in series.iterfind("component/sequenceSet"):
        sequences = list(sequence_set.iterfind("component/sequence"))
        leads = [sequence for sequence in sequences if lead_name(_code(sequence)) is not None]
        if leads:
            times.append(_time(sequences))
        for sequence in leads:
            name = str(lead_name(_code(sequence)))
            if name in map(lead_name, channels):
                raise FormatError(
                    f"{called(name)} is there twice in the {what} series; one is needed"
                )
            channels[_code(sequence)] = _samples(sequence, name)  # which says if it is negated
    if not channels:
        raise FormatError(f"the {what} series holds no standard lead (MDC_ECG_LEAD_...)")
    if len({increment for increment, _ in times}) > 1:
        raise FormatError("leads have different sampling rates; one rate is needed")
    check_simultaneous({start for _, start in times})
    return channels, round(1.0 / times[0][0], 6)


def _code(element: Element) -> str:
    code = element.find("code")
    return (code.get("code") or "") if code is not None else ""


def _time(sequences: list[Element]) -> tuple[float, str]:
    """Return the sampling interval of a sequence set, s, and where it starts, as the file says."""
    for sequence in sequences:
        if _code(sequence) in {"TIME_ABSOLUTE", "TIME_RELATIVE"}:
            step = sequence.find("value/increment")
            unit = (step.get("unit") or "") if step is not None else ""
            if step is None or unit not in _SECONDS:
                raise FormatError(
                    f"unknown unit of the time increment ({told(unit)}); s, ms or us is needed"
                )
            seconds = number(step.get("value"), "time increment") * _SECONDS[unit]
            if seconds <= 0:
                raise FormatError(f"time increment is {seconds:g} s; a positive one is needed")
            head = sequence.find("value/head")
            return seconds, _start(head.get("value") or "") if head is not None else ""
    raise FormatError("a sequence set has no time sequence; the sampling rate is unknown")


def _start(text: str) -> str:
    """Return a start so that equal times are equal texts ("0" and "0.000")."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _steps(series: Element) -> tuple[dict[str, float], str | None]:
    """Return mV a step of each lead of a series that was read, and the unit it is stated in."""
    steps: dict[str, float] = {}
    unit = None
    for sequence in series.iterfind("component/sequenceSet/component/sequence"):
        scale = sequence.find("value/scale")
        if scale is not None and lead_name(_code(sequence)) is not None:
            unit = unit or scale.get("unit")
            factor = factor_to_millivolt(scale.get("unit") or "", "scale")
            steps[_code(sequence)] = number(scale.get("value"), "scale") * factor
    return steps, unit


def _samples(sequence: Element, name: str) -> Floats:
    """Return one lead, mV."""
    lead_is = called(name)
    value = sequence.find("value")
    digits = numbers(value.findtext("digits") if value is not None else None, lead_is)
    check_sample_count(1, len(digits))
    parts = {}
    for part in ("origin", "scale"):
        element = value.find(part) if value is not None else None
        if element is None and part == "scale":
            raise FormatError(f"{lead_is} has no scale; its samples have no unit")
        if element is None:
            parts[part] = 0.0
            continue
        factor = factor_to_millivolt(element.get("unit") or "", f"{lead_is}: {part}")
        parts[part] = number(element.get("value"), f"{lead_is}: {part}") * factor
    if parts["scale"] == 0:
        raise FormatError(f"{lead_is}: scale is 0; a step is needed")
    return parts["origin"] + parts["scale"] * digits


def _person(root: Element, rhythm: Element) -> Person:
    who = root.find(".//subjectDemographicPerson")
    subject = root.find(".//trialSubject/id")
    lows = [rhythm.find("effectiveTime/low"), root.find("effectiveTime/low")]
    start = next((low.get("value") for low in lows if low is not None), None)
    recorded = parse_datetime((start or "")[:8], (start or "")[8:14])
    sex = birth = age = None
    if who is not None:
        age = parse_age(who.findtext("Age"))  # Mindray writes it here
        gender, born = who.find("administrativeGenderCode"), who.find("birthTime")
        sex = parse_sex(gender.get("code")) if gender is not None else None
        birth = parse_datetime((born.get("value") or "")[:8]) if born is not None else None
    for related in root.iterfind("controlVariable/relatedObservation"):
        code, value = related.find("code"), related.find("value")
        if code is not None and code.get("code") == "21612-7" and value is not None:  # LOINC: age
            age = parse_age(value.get("value"), value.get("unit") or "")
    return Person(
        patient_id=(subject.get("extension") or None) if subject is not None else None,
        age=age if age is not None else age_between(birth.date() if birth else None, recorded),
        sex=sex,
        recorded_at=recorded,
    )


def _notes(rhythm: Element) -> dict[str, str]:
    found: dict[str, str | None] = {}
    statements = []
    # Only annotations of the whole series: those with a support apply to one lead or beat.
    for annotation in rhythm.iterfind("subjectOf/annotationSet/component/annotation"):
        for nested in annotation.iter("annotation"):
            code, value = _code(nested).upper(), nested.find("value")
            if value is None:
                continue
            key = _MEASUREMENTS.get(code.partition("ECG_")[2].removesuffix("_GL"))
            if key is not None and nested.find("support") is None:
                text = value.get("value")
                ms = in_milliseconds(text, value.get("unit"))
                found.setdefault(key, ms if key in INTERVALS else text)
            elif code == "MDC_ECG_INTERPRETATION_STATEMENT":
                statements.append(value.text)
    return machine_notes({**found, "statements": joined_statements(statements)})


def sniff(head: bytes, path: Path) -> bool:
    """Say whether the root element is that of an annotated ECG."""
    return root_name(head) == "AnnotatedECG"


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read an annotated ECG; see :func:`parse`."""
    return parse(file.data)


FORMAT = Format(
    name="hl7-aecg",
    description="HL7 annotated ECG (FDA aECG XML)",
    suffixes=(".xml", ".aecg"),
    sniff=sniff,
    read=read,
)
