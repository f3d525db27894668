"""DICOM waveforms: 12-lead, general and ambulatory ECG.

References:
    DICOM PS3.3 A.34 (waveform IODs), C.10.9 (waveform module), C.10.10 (annotations);
    PS3.16 CID 3001 (lead codes of SCP-ECG and of MDC).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats
from dyssync.ecg import BEAT_SECONDS, LEADS, lead_name
from dyssync.errors import FormatError
from dyssync.formats.dicom.annotations import (
    CODE_MEANING,
    CODE_VALUE,
    annotation_notes,
    element_text,
    first_item,
)
from dyssync.formats.dicom.elements import without_marks
from dyssync.formats.reading.beat import read_beat
from dyssync.formats.reading.damage import refusing_damage
from dyssync.formats.reading.demographics import age_between, parse_age, parse_datetime
from dyssync.formats.reading.parsing import number
from dyssync.formats.reading.recording import (
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    check_simultaneous,
    factor_to_millivolt,
)
from dyssync.formats.reading.sexes import parse_sex

if TYPE_CHECKING:
    from pydicom import Dataset

# (bits allocated, interpretation) to numpy type, PS3.3 C.10.9.1.5; companded audio is left out.
_SAMPLE_TYPES: Mapping[tuple[int, str], str] = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "i2",
    (16, "US"): "u2",
    (32, "SL"): "i4",
    (32, "UL"): "u4",
}
# CID 3001: SCP-ECG lead n is "5.6.3-9-n", MDC (ISO 11073-10102) is "2:n".
_MDC_PARTITION = 2  # ECG leads in ISO 11073-10101; the whole code is 2 x 65536 + n
_LEAD_NUMBERS: Mapping[str, str] = {
    "1": "I",
    "2": "II",
    **{str(n): f"V{n - 2}" for n in range(3, 9)},
    **{str(61 + i): lead for i, lead in enumerate(LEADS[2:6])},
}
# A group with such a label is no rhythm, whatever its originality says.
_BEAT_WORDS = ("MEDIAN", "BEAT", "AVERAGE", "REPRESENTATIVE", "TEMPLATE")
_TAGS = [
    "SOPClassUID",
    "SpecificCharacterSet",
    "PatientID",
    "PatientAge",
    "PatientSex",
    "PatientBirthDate",
    "AcquisitionDateTime",
    "StudyDate",
    "StudyTime",
    "WaveformSequence",
    "WaveformAnnotationSequence",
]
_CHANNEL_SOURCE = 0x003A0208
_SENSITIVITY = 0x003A0210
_SENSITIVITY_UNITS = 0x003A0211
_CORRECTION = 0x003A0212
_BASELINE = 0x003A0213
_DEFLATED = "1.2.840.10008.1.2.1.99"


def parse(data: bytes) -> Recording:
    """Read the original multiplex groups of a waveform object.

    Raises:
        FormatError: no waveform, samples missing, an unknown lead, unit or sample type.
    """
    from pydicom.errors import BytesLengthException

    with warnings.catch_warnings(), refusing_damage("DICOM data", BytesLengthException):
        warnings.simplefilter("ignore")  # pydicom warns of odd values that are not used here
        return _recording(_read_dataset(data))


def _read_dataset(data: bytes) -> Dataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    if _transfer_syntax(data) == _DEFLATED:
        raise FormatError("deflated transfer syntax; store it explicit little endian (dcmconv)")
    try:
        return pydicom.dcmread(
            io.BytesIO(without_marks(data)), force=data[128:132] != b"DICM", specific_tags=_TAGS
        )
    except InvalidDicomError as error:
        raise FormatError(f"is no DICOM file ({error})") from error


def _transfer_syntax(data: bytes) -> str | None:
    """Return the transfer syntax without letting pydicom inflate anything first."""
    at = data.find(b"\x02\x00\x10\x00UI", 0, 4096)
    if at < 0:
        return None
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    return data[at + 8 : at + 8 + length].decode("latin-1").strip("\0 ")


def _recording(dataset: Dataset) -> Recording:
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        kind = getattr(dataset.get("SOPClassUID"), "name", "no SOP class")
        raise FormatError(
            f"holds no waveform ({kind}); a DICOM ECG is needed, not a picture of one"
        )
    _group_samples(groups[-1])  # pydicom does not see that the file ends within the last group
    typical = [_is_beat(group) for group in groups]
    beats = list(compress(groups, typical))
    rhythms = [group for group, is_beat in zip(groups, typical, strict=True) if not is_beat]
    original = [g for g in rhythms if g.get("WaveformOriginality") != "DERIVED"]
    channels: dict[str, Floats] = {}
    rates = set()
    starts = []
    for group in original or rhythms or groups:
        found = _group_channels(group)
        if channels and set(found) & set(channels):
            break  # a further recording or the same leads again: the first is the ECG
        channels.update(found)
        if any(lead_name(name) for name in found):
            rates.add(float(group.SamplingFrequency))
            starts.append(float(group.get("MultiplexGroupTimeOffset") or 0.0))
    if len(rates) != 1:
        raise FormatError(f"leads have {len(rates)} different sampling rates; one is needed")
    check_simultaneous(starts)
    notes = annotation_notes(dataset)
    beat = read_beat(
        lambda: (_group_channels(beats[0]), float(beats[0].SamplingFrequency)) if beats else None,
        notes,
    )
    return Recording(channels, rates.pop(), _person(dataset), notes, beat)


def _is_beat(group: Any) -> bool:
    """Say whether a multiplex group holds a representative beat."""
    label = str(group.get("MultiplexGroupLabel") or "").upper()
    seconds = int(group.NumberOfWaveformSamples) / float(group.SamplingFrequency or 1)
    derived = group.get("WaveformOriginality") == "DERIVED"
    return seconds <= BEAT_SECONDS[1] and (derived or any(word in label for word in _BEAT_WORDS))


def _group_channels(group: Any) -> dict[str, Floats]:
    """Return the channels of one multiplex group by lead name, mV."""
    raw = _group_samples(group)
    n_channels = raw.shape[1]
    definitions = list(group.ChannelDefinitionSequence)
    if len(definitions) != n_channels:
        raise FormatError(f"{len(definitions)} channel definitions for {n_channels} channels")
    padding = group.get("WaveformPaddingValue")
    missing = None
    if isinstance(padding, (bytes, int)):
        value = padding if isinstance(padding, int) else np.frombuffer(padding, raw.dtype, 1)[0]
        missing = raw == value
    by_channel = raw.T.astype(np.float64, order="C")
    channels: dict[str, Floats] = {}
    for column, definition in enumerate(definitions):
        name = _channel_name(definition, column)
        if lead_name(name) is None:
            continue
        if name in channels:
            raise FormatError(f"lead {name} is there twice in one group; one of each is needed")
        scale, baseline = _calibration(definition, name)
        channels[name] = by_channel[column] * scale + baseline
        if missing is not None and missing[:, column].any():
            channels[name][missing[:, column]] = np.nan
    return channels


def _group_samples(group: Any) -> npt.NDArray[np.integer]:
    """Return the samples of a group as stored, (n, channels)."""
    n_channels, n_samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    check_sample_count(n_channels, n_samples)
    key = (int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation))
    if key not in _SAMPLE_TYPES:
        raise FormatError(
            f"{key[0]}-bit samples of type {key[1]:.4}; SS, US, SB, UB, SL, UL are read"
        )
    order = ">" if group.original_encoding[1] is False else "<"  # pydicom leaves samples as stored
    dtype = np.dtype(order + _SAMPLE_TYPES[key])
    data = bytes(group.WaveformData)
    need = n_channels * n_samples * dtype.itemsize
    if len(data) < need:
        raise FormatError(f"waveform data have {len(data)} bytes, {need} are needed; truncated?")
    raw = np.frombuffer(data, dtype, n_channels * n_samples)
    return raw.reshape(n_samples, n_channels)


def _lead_of_code(code: str) -> str | None:
    """Return the lead of a code of SCP-ECG ("5.6.3-9-1", "-01") or MDC ("2:1", 131073)."""
    prefix, _, last = code.replace(":", "-").rpartition("-")
    if code.isdigit() and len(code) < 8 and int(code) >> 16 == _MDC_PARTITION:
        prefix, last = str(_MDC_PARTITION), str(int(code) & 0xFFFF)
    known = prefix in {"5.6.3-9", str(_MDC_PARTITION)} and last.isdigit()
    return _LEAD_NUMBERS.get(last.lstrip("0")) if known else None


def _channel_name(definition: Any, column: int) -> str:
    source = first_item(definition, _CHANNEL_SOURCE)
    texts = []
    if source is not None:
        code = element_text(source, CODE_VALUE)
        lead = _lead_of_code(code)
        if lead is not None:
            return lead
        texts = [element_text(source, CODE_MEANING), code]
    texts.append(str(definition.get("ChannelLabel") or ""))
    for text in texts:  # "Lead I (Einthoven)", "aVR, augmented voltage, right", "MDC_ECG_LEAD_I"
        name = lead_name(text.split("(")[0].split(",")[0])
        if name is not None:
            return name
    return f"channel {column + 1}"


def _calibration(definition: Any, name: str) -> tuple[float, float]:
    """Return scale and baseline, so that raw x scale + baseline is mV.

    The scale is sensitivity x correction. The baseline is "the offset of encoded sample value 0
    from actual 0 using the units defined in the Channel Sensitivity Units": it is added after
    scaling (PS3.3 C.10.9.1.4.2).
    """
    stated = element_text(definition, _SENSITIVITY)
    if not stated:
        raise FormatError(f"lead {name} has no channel sensitivity; its samples have no unit")
    unit = first_item(definition, _SENSITIVITY_UNITS)
    if unit is None:
        raise FormatError(f"lead {name} has no sensitivity unit; mV or uV is needed")
    factor = factor_to_millivolt(element_text(unit, CODE_VALUE), f"lead {name}")
    scale = number(stated, f"lead {name}: sensitivity")
    scale *= number(element_text(definition, _CORRECTION) or "1", f"lead {name}: correction")
    if not np.isfinite(scale) or scale == 0:
        raise FormatError(f"lead {name}: sensitivity {scale:g}; a finite step is needed")
    baseline = number(element_text(definition, _BASELINE) or "0", f"lead {name}: baseline")
    return scale * factor, baseline * factor


def _person(dataset: Dataset) -> Person:
    moment = str(dataset.get("AcquisitionDateTime") or "")
    moment = moment or f"{dataset.get('StudyDate') or ''}{dataset.get('StudyTime') or ''}"
    recorded = parse_datetime(moment[:8], moment[8:14])
    birth = parse_datetime(str(dataset.get("PatientBirthDate") or ""))
    age = parse_age(str(dataset.get("PatientAge") or ""))
    return Person(
        patient_id=str(dataset.get("PatientID") or "") or None,
        age=age if age is not None else age_between(birth.date() if birth else None, recorded),
        sex=parse_sex(str(dataset.get("PatientSex") or "")),
        recorded_at=recorded,
    )


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` has the DICOM mark, or starts with a data set without preamble."""
    # Without preamble, the first element is of group 0002 or 0008 with a two-letter type.
    return head[128:132] == b"DICM" or (
        head[:4] in (b"\x02\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x16\x00")
        and head[4:6] in (b"UL", b"CS", b"UI")
    )


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a DICOM ECG; see :func:`parse`."""
    return parse(file.data)
