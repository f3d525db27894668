"""One multiplex group of a DICOM waveform: names, samples, calibration, padding.

References:
    DICOM PS3.3 C.10.9 (waveform module); PS3.16 CID 3001 (lead codes of SCP-ECG and of MDC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Bools, Floats
from dyssync.ecg import BEAT_SECONDS, LEADS, lead_name, plain_lead_name
from dyssync.errors import FormatError
from dyssync.formats.dicom.annotations import (
    CODE_MEANING,
    CODE_VALUE,
    element_text,
    first_item,
)
from dyssync.formats.reading.parsing import called, number, told
from dyssync.formats.reading.recording import check_sample_count, factor_to_millivolt

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
    "65": "-aVR",
}
# A group with such a label is no rhythm, whatever its originality says.
_BEAT_WORDS = ("MEDIAN", "BEAT", "AVERAGE", "REPRESENTATIVE", "TEMPLATE")
_CHANNEL_SOURCE = 0x003A0208
_SENSITIVITY = 0x003A0210
_SENSITIVITY_UNITS = 0x003A0211
_CORRECTION = 0x003A0212
_BASELINE = 0x003A0213


@dataclass(frozen=True, eq=False)
class Group:
    """A multiplex group.

    Attributes:
        data: as pydicom read it.
        place: in the file, from 1.
    """

    data: Any
    place: int

    @property
    def fs(self) -> float:
        """Sampling rate, Hz."""
        return float(self.data.SamplingFrequency)

    @property
    def seconds(self) -> float:
        """Duration, s, as stated."""
        return int(self.data.NumberOfWaveformSamples) / (self.fs or 1.0)

    @property
    def is_derived(self) -> bool:
        """Whether the file says that it was computed from another group."""
        return bool(self.data.get("WaveformOriginality") == "DERIVED")

    @property
    def start_ms(self) -> float | None:
        """Time of the first sample against that of other groups; None where it is not stated."""
        stated = self.data.get("MultiplexGroupTimeOffset")
        return None if stated is None or str(stated) == "" else float(stated)

    @cached_property
    def leads(self) -> dict[str, Lead]:
        """The standard leads by name; "-aVR" is one that is upside down."""
        return _leads(self.data)

    @property
    def names(self) -> set[str]:
        """Standard names of the leads."""
        return {str(lead_name(name)) for name in self.leads}

    @property
    def is_complete(self) -> bool:
        """Whether all 12 leads follow from those that are here."""
        return len(self.names & set(LEADS[:3])) >= 2 and set(LEADS[6:]) <= self.names


@dataclass(frozen=True, eq=False)
class Lead:
    """Samples of a lead, (n,) mV; mV a step; the unit in which the file states it."""

    samples: Floats
    step: float
    unit: str


def is_beat(group: Group) -> bool:
    """Say whether a multiplex group holds a representative beat."""
    label = str(group.data.get("MultiplexGroupLabel") or "").upper()
    named = group.is_derived or any(word in label for word in _BEAT_WORDS)
    return named and group.seconds <= BEAT_SECONDS[1]


def _leads(group: Any) -> dict[str, Lead]:
    raw = group_samples(group)
    definitions = list(group.ChannelDefinitionSequence)
    if len(definitions) != raw.shape[1]:
        raise FormatError(f"{len(definitions)} channel definitions for {raw.shape[1]:d} channels")
    raw, missing = _without_padding(group, raw)
    by_channel = raw.T.astype(np.float64, order="C")
    leads: dict[str, Lead] = {}
    for column, definition in enumerate(definitions):
        name = _channel_name(definition, column)
        if lead_name(name) is None:
            continue
        if lead_name(name) in map(lead_name, leads):
            raise FormatError(f"{called(name)} is there twice in one group; one of each is needed")
        step, baseline, unit = _calibration(definition, name)
        samples = by_channel[column] * step + baseline
        samples[missing[:, column]] = np.nan
        leads[name] = Lead(samples, step, unit)
    return leads


def _without_padding(
    group: Any, raw: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.integer], Bools]:
    """Cut the padding off; return what is left, and which samples of it are missing.

    Padding is what stands at the end of all channels together. Elsewhere the value means a missing
    sample only in a channel whose other samples are all far from it: writers declare 0.
    """
    padding = group.get("WaveformPaddingValue")
    if not isinstance(padding, (bytes, int)) or (isinstance(padding, bytes) and not padding):
        return raw, np.zeros(raw.shape, dtype=np.bool_)
    value = padding if isinstance(padding, int) else np.frombuffer(padding, raw.dtype, 1)[0]
    padded = np.asarray(raw == value)
    recorded = np.flatnonzero(~padded.all(axis=1))
    n = int(recorded[-1]) + 1 if recorded.size else 0
    raw, padded = raw[:n], padded[:n]
    for column in np.flatnonzero(padded.any(axis=0)):
        others = raw[~padded[:, column], column].astype(np.float64)
        if others.size and others.min() - np.ptp(others) <= value <= others.max() + np.ptp(others):
            padded[:, column] = False
    return raw, padded


def group_samples(group: Any) -> npt.NDArray[np.integer]:
    """Return the samples of a group as stored, (n, channels)."""
    n_channels, n_samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    check_sample_count(n_channels, n_samples)
    key = (int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation))
    if key not in _SAMPLE_TYPES:
        raise FormatError(
            f"{key[0]:d}-bit samples of a type of {told(key[1])}; SS, US, SB, UB, SL, UL are read"
        )
    order = ">" if group.original_encoding[1] is False else "<"  # pydicom leaves samples as stored
    dtype = np.dtype(order + _SAMPLE_TYPES[key])
    data = bytes(group.WaveformData)
    need = n_channels * n_samples * dtype.itemsize
    if len(data) < need:
        raise FormatError(f"waveform data have {len(data)} bytes, {need:d} are needed; truncated?")
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
        name = plain_lead_name(text.split("(")[0].split(",")[0])
        if name is not None:
            return name
    return f"channel {column + 1}"


def _calibration(definition: Any, name: str) -> tuple[float, float, str]:
    """Return scale and baseline, so that raw x scale + baseline is mV, and the stated unit.

    The scale is sensitivity x correction. The baseline is "the offset of encoded sample value 0
    from actual 0 using the units defined in the Channel Sensitivity Units": it is added after
    scaling (PS3.3 C.10.9.1.4.2).
    """
    lead_is = called(name)
    stated = element_text(definition, _SENSITIVITY)
    if not stated:
        raise FormatError(f"{lead_is} has no channel sensitivity; its samples have no unit")
    unit = first_item(definition, _SENSITIVITY_UNITS)
    if unit is None:
        raise FormatError(f"{lead_is} has no sensitivity unit; mV or uV is needed")
    word = element_text(unit, CODE_VALUE)
    factor = factor_to_millivolt(word, lead_is)
    scale = number(stated, f"{lead_is}: sensitivity")
    scale *= number(element_text(definition, _CORRECTION) or "1", f"{lead_is}: correction")
    if not np.isfinite(scale) or scale == 0:
        raise FormatError(f"{lead_is}: sensitivity {scale:g}; a finite step is needed")
    baseline = number(element_text(definition, _BASELINE) or "0", f"{lead_is}: baseline")
    return scale * factor, baseline * factor, word
