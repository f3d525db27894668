"""DICOM waveforms beyond the golden file: annotations, beats, transfer syntaxes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dyssync.ecg import LEADS
from dyssync.formats import parse_ecg
from dyssync.formats.dicom.elements import without_marks

GOLDEN = Path(__file__).parent / "golden" / "formats"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
SIGNAL = np.array([EXPECTED["microvolts"][lead] for lead in LEADS]) / 1000.0  # mV


def golden() -> Dataset:
    return pydicom.dcmread(GOLDEN / "golden.dcm")


def code(value: str, meaning: str) -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, "MDC", meaning
    return made


def measured(meaning: str, value: str, unit: str, channel: int = 0) -> Dataset:
    made = Dataset()
    made.MeasurementUnitsCodeSequence = [code(unit, unit)]
    made.ConceptNameCodeSequence = [code("2:1", meaning)]
    made.ReferencedWaveformChannels = [1, channel]
    made.NumericValue = value
    return made


def mark(channel: int) -> Dataset:
    made = Dataset()
    made.ConceptNameCodeSequence = [code("5.10.3-3", "QRS Onset")]
    made.ReferencedWaveformChannels = [1, channel]
    made.ReferencedSamplePositions = 17
    return made


def statement(text: str) -> Dataset:
    made = Dataset()
    made.ReferencedWaveformChannels = [1, 0]
    made.UnformattedTextValue = text
    return made


def saved(dataset: Dataset, syntax: str = ExplicitVRLittleEndian, undefined: bool = False) -> bytes:
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    if undefined:
        for element in dataset.iterall():
            if isinstance(element.value, Sequence):
                element.value.is_undefined_length = True
                for item in element.value:
                    item.is_undefined_length_sequence_item = True
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def annotated() -> Dataset:
    dataset = golden()
    dataset.WaveformAnnotationSequence = [
        measured("QRS Duration", "88", "ms", channel=3),  # of one lead: not the global one
        *(mark(channel) for channel in range(1, 9)),
        measured("QRS duration, global", "0.152", "s"),
        measured("QTc Interval", "466", "ms"),
        measured("Ventricular Heart Rate", "61", "/min"),
        measured("QRS Axis", "-31", "deg"),
        statement("Sinus rhythm"),
        statement("Confirmed by SECRET"),
        *(mark(channel) for channel in range(1, 9)),
    ]
    return dataset


@pytest.mark.parametrize(
    ("syntax", "undefined"),
    [
        (ExplicitVRLittleEndian, False),
        (ExplicitVRLittleEndian, True),
        (ImplicitVRLittleEndian, False),
        (ExplicitVRBigEndian, False),
    ],
)
def test_annotations_are_read_in_every_transfer_syntax(syntax: str, undefined: bool) -> None:
    dataset = annotated()
    if syntax == ExplicitVRBigEndian:  # pydicom does not swap what it holds as bytes
        for group in dataset.WaveformSequence:
            group.WaveformData = np.frombuffer(group.WaveformData, "<i2").astype(">i2").tobytes()
    data = saved(dataset, syntax, undefined)
    ecg = parse_ecg("a.dcm", data)
    assert np.abs(ecg.signal - SIGNAL).max() < 1e-6
    assert {key: text for key, text in ecg.notes.items() if key.startswith("machine")} == {
        "machine heart rate (/min)": "61",
        "machine QRSd (ms)": "152",
        "machine QTc (ms)": "466",
        "machine QRS axis (deg)": "-31",
        "machine statements": "Sinus rhythm",
    }
    shorter = without_marks(data)
    assert (len(shorter) < len(data)) == (syntax == ExplicitVRLittleEndian)
    left = pydicom.dcmread(io.BytesIO(shorter)).WaveformAnnotationSequence
    assert len(left) == (7 if syntax == ExplicitVRLittleEndian else 23)


def test_damaged_sequences_are_left_to_pydicom() -> None:
    data = saved(annotated(), undefined=True)
    start = data.index(b"\x40\x00\x20\xb0SQ")
    for cut in range(start, start + 400, 7):
        assert without_marks(data[:cut]) == data[:cut]


def test_a_group_that_is_named_a_beat_is_kept_as_one() -> None:
    dataset = golden()
    rhythm, beat = dataset.WaveformSequence[0], golden().WaveformSequence[0]
    beat.MultiplexGroupLabel = "MEDIAN BEAT"  # though it says ORIGINAL, and comes first
    dataset.WaveformSequence = [beat, rhythm]
    rhythm.WaveformData = rhythm.WaveformData * 6  # 12 s
    rhythm.NumberOfWaveformSamples *= 6
    ecg = parse_ecg("a.dcm", saved(dataset))
    assert ecg.seconds == 12
    assert ecg.beat is not None
    assert ecg.beat.seconds == 2
    assert np.abs(ecg.beat.signal - SIGNAL).max() < 1e-6


def test_a_beat_without_all_leads_is_noted() -> None:
    ecg = parse_ecg("a.dcm", saved(golden()))  # its second group holds I and II
    assert ecg.beat is None
    assert "missing V1" in ecg.notes["representative beat"]


@pytest.mark.parametrize("style", ["2:{}", "5.6.3-9-{:02d}", "mdc"])
def test_leads_are_known_by_every_code_of_the_standard(style: str) -> None:
    dataset = golden()
    for number, channel in enumerate(dataset.WaveformSequence[0].ChannelDefinitionSequence, 1):
        value = str(2 * 65536 + number) if style == "mdc" else style.format(number)
        channel.ChannelSourceSequence = [code(value, "no word of the lead")]
    assert np.abs(parse_ecg("a.dcm", saved(dataset)).signal - SIGNAL).max() < 1e-6
