"""Philips Sierra XML 1.03 to 1.04.02 (restingecgdata), plain or XLI-compressed.

References:
    SierraECGSchema 1.03 and 1.04.01; format notes of the sierra-ecg-tools wiki.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.ecg import LEADS
from dyssync.errors import FormatError
from dyssync.formats.reading.beat import read_beat
from dyssync.formats.reading.calibration_pulse import end_before_pulse
from dyssync.formats.reading.demographics import age_between, parse_age, parse_datetime
from dyssync.formats.reading.parsing import called, number, told
from dyssync.formats.reading.recorder_notes import joined_statements, machine_notes
from dyssync.formats.reading.recording import (
    MAX_SAMPLES,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    check_simultaneous,
)
from dyssync.formats.reading.sexes import parse_sex
from dyssync.formats.reading.xml_tree import parse_tree, root_name, text_of
from dyssync.formats.sierra_xml.samples import Stored, stored_samples
from dyssync.formats.sierra_xml.xli import decode_chunks

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: TID251 - the type only

_VERSION = re.compile(r"1\.0[34](\.\d+)?")
_MEASUREMENTS = {
    "rate": ("heartrate",),
    "pr": ("print", "meanprint"),
    "qrs": ("qrsdur", "meanqrsdur"),
    "qt": ("qtint", "meanqtint"),
    "qtc": ("qtcb", "meanqtc"),
    "p_axis": ("pfrontaxis",),
    "qrs_axis": ("qrsfrontaxis",),
    "t_axis": ("tfrontaxis",),
}


def parse(data: bytes) -> Recording:
    """Read the waveforms and the representative beat.

    The calibration pulse after the waveforms is cut off and noted.

    Raises:
        FormatError: another version, no waveform, damaged compression, no resolution or rate.
    """
    root = parse_tree(data)
    version = text_of(root, "documentinfo/documentversion")
    if version is None or not _VERSION.fullmatch(version):
        raise FormatError(f"unknown document version ({told(version)}); 1.03 to 1.04.02 are read")
    channels, fs = _rhythm(root)
    notes = _notes(root)
    end = end_before_pulse(channels, fs)
    if end is not None:
        channels = {name: lead[:end] for name, lead in channels.items()}
        notes["cut"] = f"calibration pulse after {end / fs:.1f} s"
    beats = root.find("waveforms/repbeats")
    beat = read_beat(lambda: None if beats is None else _beat(beats), notes)
    return Recording(channels, fs, _person(root), notes, beat, unit="uV")


def _rhythm(root: Element) -> tuple[dict[str, Floats], float]:
    """Return the leads, mV, and their rate, Hz."""
    waves = root.find("waveforms/parsedwaveforms")
    apart = root.find("waveforms/leadwaveforms")  # the same attributes, an element a lead
    if waves is None:
        waves = apart
    if waves is None:
        raise FormatError("holds no waveforms; a report without signals, or with them elsewhere?")
    signal = root.find("dataacquisition/signalcharacteristics")
    rate = waves.get("samplespersecond") or text_of(signal, "samplingrate")
    fs = number(rate, "sampling rate")
    # 1.03 calls it signalresolution; in all versions it is microvolt a step.
    step = number(
        waves.get("resolution")
        or text_of(signal, "resolution")
        or text_of(signal, "signalresolution"),
        "resolution",
    )
    if step <= 0:
        raise FormatError(f"resolution is {step:g} uV; a positive step is needed")
    exact = number(waves.get("durationperchannel"), "durationperchannel") * (fs / 1000)
    if not abs(exact) <= MAX_SAMPLES:  # also where the product is beyond all numbers
        raise FormatError(f"durationperchannel at {fs:g} Hz are {exact:g} samples; too many")
    n_samples = round(exact)
    names = _lead_names(waves, signal)
    check_sample_count(len(names), n_samples)
    stored = stored_samples(waves, signal)
    if waves is apart:
        counts = _counts_apart(waves, stored, names, n_samples)
    else:
        counts = _counts(waves, stored, len(names), n_samples)
    offset = number(waves.get("signaloffset") or text_of(signal, "signaloffset") or "0", "offset")
    factor = step * 1e-3
    return {name: (lead - offset) * factor for name, lead in zip(names, counts, strict=True)}, fs


def _beat(beats: Element) -> tuple[dict[str, Floats], float]:
    """Return the leads of the representative beat, mV, and their rate, Hz."""
    fs = number(beats.get("samplespersec"), "rate of the representative beat")
    step = number(beats.get("resolution"), "resolution of the representative beat")
    if beats.get("compression") not in (None, "", "Uncompressed"):
        raise FormatError("compressed representative beat; none is needed")
    stored = Stored(beats.get("dataencoding") or "", bits=16, signed=True)
    channels: dict[str, Floats] = {}
    for beat in beats.iterfind("repbeat"):
        name = beat.get("leadname") or ""
        waveform = beat.find("waveform")  # 1.04; in 1.03 the samples stand in the beat itself
        text = beat.text if waveform is None else waveform.text
        channels[name] = stored.samples(text, f"beat of {called(name)}") * (step * 1e-3)
    return channels, fs


def _lead_names(waves: Element, signal: Element | None) -> tuple[str, ...]:
    labels = (waves.get("leadlabels") or "").split()
    claimed = waves.get("numberofleads") or text_of(signal, "numberchannelsvalid")
    n_leads = int(number(claimed, "number of leads"))
    if labels:
        names = tuple(labels[:n_leads])
    else:  # 1.03 states only the set; its first twelve are the standard leads in their order
        lead_set = text_of(signal, "leadset") or text_of(signal, "acquisitiontype") or ""
        if not lead_set.startswith(("STD-12", "10-WIRE")):
            raise FormatError(
                f"unknown lead set ({told(lead_set)}) without labels; STD-12 is needed"
            )
        names = LEADS
    if len(names) < 2 or len(names) > 16 or len(set(names)) < len(names):
        raise FormatError(f"{len(names)} lead labels; 2 to 16 different ones are needed")
    return names


def _counts(waves: Element, stored: Stored, n_leads: int, n_samples: int) -> list[Floats]:
    """Return the samples of each lead in steps."""
    compression = waves.get("compression") or waves.get("compressmethod") or "Uncompressed"
    if (waves.get("compressflag") or "True").lower() == "false":
        compression = "Uncompressed"
    if compression == "XLI":
        data = stored.unpack(waves.text, "parsedwaveforms")
        return _undo_prediction(decode_chunks(data, n_leads, n_samples))
    if compression.lower() not in {"uncompressed", "none"}:
        raise FormatError(f"unknown compression ({told(compression)}); XLI or none is needed")
    flat = stored.samples(waves.text, "parsedwaveforms")
    if flat.size < n_leads * n_samples:
        raise FormatError(f"holds {flat.size:d} samples of {n_leads} x {n_samples}; truncated?")
    # Leads follow each other: with another length all would be mixed. There may be further leads.
    if flat.size % n_samples or flat.size >= 2 * n_leads * n_samples:
        raise FormatError(
            f"holds {flat.size:d} samples, but duration and rate say {n_samples} a lead; they "
            "contradict each other"
        )
    return list(flat[: n_leads * n_samples].reshape(n_leads, n_samples))


def _counts_apart(
    waves: Element, stored: Stored, names: tuple[str, ...], n_samples: int
) -> list[Floats]:
    """Return the samples of leads that have an element each, in the order of `names`."""
    if waves.get("compression") not in (None, "", "Uncompressed"):
        raise FormatError("compressed leadwaveforms; uncompressed ones are needed")
    found: dict[str, Floats] = {}
    starts = set()
    for lead in waves.iterfind("leadwaveform"):
        name = lead.get("leadname") or ""
        if name in found:
            raise FormatError(f"{called(name)} is there twice; one of each is needed")
        samples = stored.samples(lead.text, called(name))
        if samples.size != n_samples:
            raise FormatError(f"{called(name)} holds {samples.size:d} samples of {n_samples}")
        starts.add(number(lead.get("starttime"), f"{called(name)}: starttime"))
        found[name] = samples
    check_simultaneous(starts)
    missing = [name for name in names if name not in found]
    if missing:
        raise FormatError(f"leadwaveforms lack {', '.join(map(called, missing))}; all are needed")
    return [found[name] for name in names]


def _undo_prediction(leads: list[Ints]) -> list[Floats]:
    """XLI stores III, aVR, aVL and aVF as what I and II do not predict, in whole steps."""
    if len(leads) >= 6:
        lead_i, lead_ii, res_iii, res_avr, res_avl, res_avf = leads[:6]
        lead_iii = lead_ii - lead_i - res_iii
        leads[2] = lead_iii
        leads[3] = -res_avr - _half(lead_i + lead_ii)
        leads[4] = _half(lead_i - lead_iii) - res_avl
        leads[5] = _half(lead_ii + lead_iii) - res_avf
    return [lead.astype(np.float64) for lead in leads]


def _half(values: Ints) -> Ints:
    """Halve towards zero, as the recorder's integers do."""
    halves: Ints = np.sign(values) * (np.abs(values) // 2)
    return halves


def _person(root: Element) -> Person:
    who, taken = root.find("patient/generalpatientdata"), root.find("dataacquisition")
    recorded = parse_datetime(taken.get("date"), taken.get("time")) if taken is not None else None
    birth = parse_datetime(text_of(who, "age/dateofbirth") or text_of(who, "dateofbirth"))
    units = ("years", "months", "weeks", "days")  # @defaultage is a setting, no age
    ages = (parse_age(text_of(who, f"age/{unit}"), unit) for unit in units)
    age = next((age for age in ages if age is not None), None)
    return Person(
        patient_id=text_of(who, "patientid"),
        age=age if age is not None else age_between(birth.date() if birth else None, recorded),
        sex=parse_sex(text_of(who, "sex")),
        recorded_at=recorded,
    )


def _notes(root: Element) -> dict[str, str]:
    interpretation = root.find("interpretations/interpretation")
    measured = None
    if interpretation is not None:
        measured = interpretation.find("globalmeasurements")
        if measured is None:
            measured = interpretation.find("interpretationmeasurements")
    found = {
        key: next((text for tag in tags if (text := text_of(measured, tag))), None)
        for key, tags in _MEASUREMENTS.items()
    }
    lines = []
    if interpretation is not None:
        lines = [text_of(s, "leftstatement") for s in interpretation.iterfind("statement")]
    return machine_notes({**found, "statements": joined_statements(lines)})


def sniff(head: bytes, path: Path) -> bool:
    """Say whether the root element is that of Sierra XML."""
    return root_name(head) == "restingecgdata"


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a Sierra XML file; see :func:`parse`."""
    return parse(file.data)
