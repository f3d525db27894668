"""Faults of binary files: which group, which samples, which sign; see test_faults.py."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from dyssync.ecg import ECG, LEAD_INDEX, LEADS
from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, parse_ecg, write_ecg

sys.path.insert(0, str(Path(__file__).parent / "golden"))
import scp_writer

FS = 500.0
GOLDEN = Path(__file__).parent / "golden" / "formats"
EIGHT = ("I", "II", *LEADS[6:])
Change = Callable[[pydicom.Dataset], None]


@pytest.fixture(scope="module")
def ecg(toy: tuple[list[ECG], NDArray[np.int64]]) -> ECG:
    """Ten seconds in whole microvolts."""
    t = np.arange(5000) / FS
    made = toy[0][1]
    rows = [np.interp(t, np.arange(made.signal.shape[1]) / made.fs, row) for row in made.signal]
    i, ii, *chest = np.rint(np.array(rows)[[0, 1, *range(6, 12)]] * 500) / 500
    limb = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]
    return ECG(np.stack([*limb, *chest]).astype(np.float32), FS)


def dicom(ecg: ECG, folder: Path, change: Change) -> bytes:
    dataset = pydicom.dcmread(write_ecg(ecg, folder, "a", "dicom"))
    change(dataset)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def part(group: pydicom.Dataset, first: int, last: int, leads: tuple[str, ...]) -> pydicom.Dataset:
    """Return samples and leads of a multiplex group as a group of its own."""
    made = pydicom.dcmread(io.BytesIO(_saved(group))).WaveformSequence[0]
    samples = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12)
    columns = [LEAD_INDEX[lead] for lead in leads]
    definitions = list(made.ChannelDefinitionSequence)
    made.ChannelDefinitionSequence = [definitions[k] for k in columns]
    made.NumberOfWaveformChannels, made.NumberOfWaveformSamples = len(leads), last - first
    made.WaveformData = samples[first:last, columns].tobytes()
    return made


def _saved(group: pydicom.Dataset) -> bytes:
    dataset = pydicom.dcmread(GOLDEN / "golden.dcm")
    dataset.WaveformSequence = [group]
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def test_an_unlabelled_beat_before_the_rhythm_is_not_the_ecg(ecg: ECG, tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        rhythm = dataset.WaveformSequence[0]
        beat = part(rhythm, 0, 600, LEADS)
        for group in (rhythm, beat):
            del group.MultiplexGroupLabel
        dataset.WaveformSequence = [beat, rhythm]

    found = parse_ecg("a.dcm", dicom(ecg, tmp_path, change))
    assert np.abs(found.signal - ecg.signal).max() < 1e-6
    assert found.notes["other groups"] == "1 (1.2 s)"


def test_two_recordings_of_one_length_are_refused(ecg: ECG, tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        rhythm = dataset.WaveformSequence[0]
        halves = [part(rhythm, 0, 2500, LEADS), part(rhythm, 2500, 5000, LEADS)]
        dataset.WaveformSequence = halves

    with pytest.raises(FormatError, match=r"groups 1 and 2 are different ECGs of 5\.0 s"):
        parse_ecg("a.dcm", dicom(ecg, tmp_path, change))


@pytest.mark.parametrize("offsets", [None, 0.0, "true"])
def test_groups_that_are_the_columns_of_a_page_are_refused(
    ecg: ECG, tmp_path: Path, offsets: float | str | None
) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        rhythm = dataset.WaveformSequence[0]
        groups = []
        for k in range(4):
            group = part(rhythm, 1250 * k, 1250 * (k + 1), LEADS[3 * k : 3 * k + 3])
            group.MultiplexGroupTimeOffset = 2500.0 * k if offsets == "true" else offsets
            groups.append(group)
        dataset.WaveformSequence = groups

    with pytest.raises(FormatError, match=r"recorded (together|one after the other)"):
        parse_ecg("a.dcm", dicom(ecg, tmp_path, change))


@pytest.mark.parametrize("value", [0, 137, -32768])
def test_padding_ends_all_channels_and_is_a_sample_elsewhere(
    ecg: ECG, tmp_path: Path, value: int
) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        group = dataset.WaveformSequence[0]
        group.add_new("WaveformPaddingValue", "OW", struct.pack("<h", value))
        group.WaveformData = group.WaveformData + struct.pack("<h", value) * 12 * 1000
        group.NumberOfWaveformSamples = 6000

    found = parse_ecg("a.dcm", dicom(ecg, tmp_path, change))
    assert found.signal.shape == ecg.signal.shape
    assert np.abs(found.signal - ecg.signal).max() < 1e-6


def test_padding_within_a_channel_is_a_missing_sample(ecg: ECG, tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        group = dataset.WaveformSequence[0]
        group.add_new("WaveformPaddingValue", "OW", struct.pack("<h", -32768))
        data = bytearray(group.WaveformData)
        data[24000:24002] = struct.pack("<h", -32768)  # I, sample 1000
        group.WaveformData = bytes(data)

    with pytest.raises(FormatError, match="missing values"):
        parse_ecg("a.dcm", dicom(ecg, tmp_path, change))


@pytest.mark.parametrize("code", ["2:65", "5.6.3-9-65"])
def test_dicom_lead_65_is_upside_down(ecg: ECG, tmp_path: Path, code: str) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        group = dataset.WaveformSequence[0]
        channel = group.ChannelDefinitionSequence[LEAD_INDEX["aVR"]]
        channel.ChannelSourceSequence[0].CodeValue = code
        samples = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12).copy()
        samples[:, LEAD_INDEX["aVR"]] *= -1
        group.WaveformData = samples.tobytes()

    found = parse_ecg("a.dcm", dicom(ecg, tmp_path, change))
    assert np.abs(found.signal - ecg.signal).max() < 1e-6
    assert found.doubts == ()


def test_aecg_says_by_its_code_that_a_lead_is_upside_down() -> None:
    data = (GOLDEN / "biosig.aecg.xml").read_text()
    expected = parse_ecg("a.xml", data.encode()).signal
    negated = data.replace('code="ECG V1"', 'code="MDC_ECG_LEAD_V1neg"')
    assert negated != data
    found = parse_ecg("a.xml", negated.encode()).signal
    np.testing.assert_array_equal(found[LEAD_INDEX["V1"]], -expected[LEAD_INDEX["V1"]])
    np.testing.assert_array_equal(found[0], expected[0])


def scp(ecg: ECG, leads: tuple[str, ...] = EIGHT, *, coded: bool = False) -> bytes:
    counts = {x: np.rint(ecg[x].astype(np.float64) * 1000).astype(int) for x in leads}
    return scp_writer.write_scp(counts, coded=coded, order=0)


def section_3(data: bytes, first: int, last: int) -> bytes:
    """Return the file with other numbers of the first and the last sample of each lead."""
    at = int.from_bytes(data[22 + 36 : 22 + 40], "little") - 1 + 16
    made = bytearray(data)
    for k in range(made[at]):
        made[at + 2 + 9 * k : at + 10 + 9 * k] = struct.pack("<II", first, last)
    made[:2] = b"\0\0"  # says that no checksum was made
    return bytes(made)


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("last", [4999, 5000])
def test_scp_may_count_samples_from_0(ecg: ECG, coded: bool, last: int) -> None:
    data = section_3(scp(ecg, coded=coded), 0, last)
    found = parse_ecg("a.scp", data)
    assert found.seconds == 10
    assert np.abs(found.signal - ecg.signal).max() < 1e-6


def test_scp_lead_65_is_upside_down(ecg: ECG) -> None:
    data = bytearray(section_3(scp(ecg, LEADS), 1, 5000))
    at = int.from_bytes(data[22 + 36 : 22 + 40], "little") - 1 + 16
    where = at + 2 + 9 * LEAD_INDEX["aVR"] + 8
    assert data[where] == 62
    data[where] = 65
    found = parse_ecg("a.scp", bytes(data))
    np.testing.assert_allclose(found["aVR"], -ecg["aVR"], atol=1e-6)
    assert found.withheld_leads == ("aVR",)  # its samples are not upside down, and the laws say so


def test_the_longest_data_set_is_the_ecg_and_equal_ones_are_named(ecg: ECG) -> None:
    def hdf5(**sets: NDArray[np.float32]) -> bytes:
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            for name, values in sets.items():
                file[name] = values
            file.attrs["fs"], file.attrs["unit"] = FS, "mV"
        return stream.getvalue()

    found = parse_ecg("a.h5", hdf5(ecg=ecg.signal[:, :600], rhythm=ecg.signal), ReadOptions())
    np.testing.assert_array_equal(found.signal, ecg.signal)
    with pytest.raises(FormatError, match="filtered, raw are equally long and differ"):
        parse_ecg("a.h5", hdf5(raw=ecg.signal, filtered=ecg.signal * 0.9))


def test_edf_samples_beyond_the_stated_range_are_refused(ecg: ECG, tmp_path: Path) -> None:
    data = write_ecg(ecg, tmp_path, "a", "edf").read_bytes()
    assert parse_ecg("a.edf", data).doubts == ()
    narrow = data.replace(b"-32768  ", b"-100    ", 1).replace(b"32767   ", b"100     ", 1)
    with pytest.raises(FormatError, match=r"lead I: .* beyond the digital range"):
        parse_ecg("a.edf", narrow)
