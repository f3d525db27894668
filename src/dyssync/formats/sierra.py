"""Philips Sierra XML 1.03, 1.04 and 1.04.01 (restingecgdata), plain or XLI-compressed.

References:
    SierraECGSchema 1.03 and 1.04.01; format notes of the sierra-ecg-tools wiki.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dyssync.ecg import LEADS
from dyssync.errors import FormatError
from dyssync.formats.calibration_pulse import end_before_pulse
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
)
from dyssync.formats.xli import decode_chunks
from dyssync.formats.xml_tree import (
    decode_base64,
    int16_samples,
    joined_statements,
    number,
    numbers,
    parse_tree,
    root_name,
    text_of,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: TID251 - the type only

_VERSIONS = ("1.03", "1.04", "1.04.01")
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
    """Read the parsed waveforms; the calibration pulse after them is cut off and noted.

    Raises:
        FormatError: another version, no waveform, damaged compression, no resolution or rate.
    """
    root = parse_tree(data)
    version = text_of(root, "documentinfo/documentversion")
    if version not in _VERSIONS:
        raise FormatError(f"document version {version!r:.20}; {', '.join(_VERSIONS)} are read")
    waves = root.find("waveforms/parsedwaveforms")
    if waves is None:
        raise FormatError("holds no parsedwaveforms; a report without signals?")
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
    n_samples = round(number(waves.get("durationperchannel"), "durationperchannel") * fs / 1000)
    names = _lead_names(waves, signal)
    check_sample_count(len(names), n_samples)
    counts = _counts(waves, len(names), n_samples)
    if step <= 0:
        raise FormatError(f"resolution is {step:g} uV; a positive step is needed")
    channels = {name: lead * (step * 1e-3) for name, lead in zip(names, counts, strict=True)}
    notes = _notes(root)
    end = end_before_pulse(channels, fs)
    if end is not None:
        channels = {name: lead[:end] for name, lead in channels.items()}
        notes["cut"] = f"calibration pulse after {end / fs:.1f} s"
    return Recording(channels, fs, _person(root), notes)


def _lead_names(waves: Element, signal: Element | None) -> tuple[str, ...]:
    labels = (waves.get("leadlabels") or "").split()
    claimed = waves.get("numberofleads") or text_of(signal, "numberchannelsvalid")
    n_leads = int(number(claimed, "number of leads"))
    if labels:
        names = tuple(labels[:n_leads])
    else:  # 1.03 states only the set; its first twelve are the standard leads in their order
        lead_set = text_of(signal, "leadset") or text_of(signal, "acquisitiontype") or ""
        if not lead_set.startswith("STD-12"):
            raise FormatError(f"lead set {lead_set!r:.20} without lead labels; STD-12 is needed")
        names = LEADS
    if len(names) < 2 or len(names) > 16 or len(set(names)) < len(names):
        raise FormatError(f"lead labels {' '.join(names):.60}; 2 to 16 different ones are needed")
    return names


def _counts(waves: Element, n_leads: int, n_samples: int) -> list[Floats]:
    """Return the samples of each lead in steps."""
    encoding = waves.get("dataencoding")
    compression = waves.get("compression") or waves.get("compressmethod") or "Uncompressed"
    if (waves.get("compressflag") or "True").lower() == "false":
        compression = "Uncompressed"
    if encoding == "Plain":
        flat = numbers(waves.text, "parsedwaveforms")
    elif encoding == "Base64":
        data = decode_base64(waves.text, "parsedwaveforms")
        if compression == "XLI":
            leads = decode_chunks(data, n_leads, n_samples)
            return _undo_prediction(leads)
        if compression.lower() not in {"uncompressed", "none"}:
            raise FormatError(f"compression {compression!r:.20}; XLI or none is needed")
        flat = int16_samples(data, "parsedwaveforms")
    else:
        raise FormatError(f"data encoding {encoding!r:.20}; Base64 or Plain is needed")
    if flat.size < n_leads * n_samples:
        raise FormatError(f"holds {flat.size} samples of {n_leads} x {n_samples}; truncated?")
    return list(flat[: n_leads * n_samples].reshape(n_leads, n_samples))


def _undo_prediction(leads: list[npt.NDArray[np.int64]]) -> list[Floats]:
    """XLI stores III, aVR, aVL and aVF as what I and II do not predict, in whole steps."""
    if len(leads) >= 6:
        lead_i, lead_ii, res_iii, res_avr, res_avl, res_avf = leads[:6]
        lead_iii = lead_ii - lead_i - res_iii
        leads[2] = lead_iii
        leads[3] = -res_avr - _half(lead_i + lead_ii)
        leads[4] = _half(lead_i - lead_iii) - res_avl
        leads[5] = _half(lead_ii + lead_iii) - res_avf
    return [lead.astype(np.float64) for lead in leads]


def _half(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Halve towards zero, as the recorder's integers do."""
    halves: npt.NDArray[np.int64] = np.sign(values) * (np.abs(values) // 2)
    return halves


def _person(root: Element) -> Person:
    who, taken = root.find("patient/generalpatientdata"), root.find("dataacquisition")
    recorded = parse_datetime(taken.get("date"), taken.get("time")) if taken is not None else None
    birth = parse_datetime(text_of(who, "age/dateofbirth"))
    age = parse_age(text_of(who, "age/years"))
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


FORMAT = Format(
    name="sierra-xml",
    description="Philips Sierra XML 1.03 to 1.04.01, XLI-compressed or plain",
    suffixes=(".xml",),
    sniff=sniff,
    read=read,
)
