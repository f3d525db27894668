"""Real files of several vendors: the same ECG in two formats, and what their makers report."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, read_ecg

pytestmark = pytest.mark.real_data


def test_sierra_equals_the_aecg_made_from_it(shared_data: Path) -> None:
    sierra = read_ecg(shared_data / "formats/philips-sierra/ad4d3d80-d165_v1.04.xml")
    aecg = read_ecg(
        shared_data / "formats/hl7-aecg/sierra-ecg-tools_ad4d3d80-d165_converted_aECG.xml"
    )
    assert sierra.notes["cut"] == aecg.notes["cut"] == "calibration pulse after 10.6 s"
    assert (sierra.age, sierra.sex, sierra.recorded_at) == (aecg.age, aecg.sex, aecg.recorded_at)
    assert sierra.beat is not None
    assert aecg.beat is not None
    assert np.array_equal(sierra.beat.signal, aecg.beat.signal)
    # The converter applied the 60 Hz notch that the aECG names: four steps of 5 uV, at 60 Hz.
    difference = sierra.signal - aecg.signal
    assert np.abs(difference).max() < 0.0201
    power = np.abs(np.fft.rfft(difference[:, :5000])).mean(axis=0)
    assert np.fft.rfftfreq(5000, 1 / 500)[power[100:].argmax() + 100] == pytest.approx(60, abs=0.2)


def test_sierra_versions_of_one_ecg_are_equal(shared_data: Path) -> None:
    folder = shared_data / "formats/philips-sierra"
    first, second = (
        read_ecg(folder / name) for name in ("129DYPRG_v1.03.XML", "repbeats_example_v1.03.xml")
    )
    assert np.array_equal(first.signal, second.signal)
    assert first.notes["machine QRSd (ms)"] == "135"


def test_muse_equals_the_wfdb_record_made_from_it(shared_data: Path) -> None:
    muse = read_ecg(shared_data / "formats/ge-muse-xml/egm/muse-sinus.xml")
    wfdb = read_ecg(shared_data / "formats/ge-muse-xml/egm/muse-sinus.hea")
    # Its header says 200/mV, its samples are whole microvolts (1000/mV): read as stated, x 5.
    assert np.abs(muse.signal - wfdb.signal / 5).max() < 0.00051
    assert muse.notes["derived leads"] == "III, aVR, aVL, aVF"
    assert muse.patient_id is None
    assert not any("DOE" in text or "EDITOR" in text for text in muse.notes.values())


def test_dicom_equals_pydicom(shared_data: Path) -> None:
    import pydicom

    path = shared_data / "images/dicom-pair/anonymous_ecg.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pydicom.dcmread(path).waveform_array(0) / 1000  # uV to mV
    ecg = read_ecg(path)
    assert np.abs(ecg.signal - theirs.T).max() < 1e-6
    assert (ecg.fs, ecg.age, ecg.notes["machine QRSd (ms)"]) == (1000.0, 42.0, "75")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        median = pydicom.dcmread(path).waveform_array(1) / 1000
    assert ecg.beat is not None
    assert np.abs(ecg.beat.signal - median.T).max() < 1e-6


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("formats/csv-txt/chapman_MUSE_20180111_155115_19000.csv", ReadOptions(fs=500, unit="uV")),
        ("formats/csv-txt/cvrg_J123456_10sec.txt", ReadOptions(fs=500, unit="uV")),
        ("formats/csv-txt/tereshchenko_testing_ecg.txt", ReadOptions(fs=500, unit="uV")),
        ("formats/paced/10000301.mat", ReadOptions(unit="uV")),
        ("cinc/torch_ecg/A1980.mat", ReadOptions(fs=500, unit="mV")),
        ("cinc/code15/code_15_1238362.mat", ReadOptions(unit="mV")),
        ("cinc/tuijalei/SPH00001.h5", ReadOptions(fs=500, unit="mV")),
    ],
)
def test_undeclared_files_need_rate_and_unit(
    shared_data: Path, name: str, options: ReadOptions
) -> None:
    with pytest.raises(FormatError, match=r"states no (sampling rate|unit)"):
        read_ecg(shared_data / name)
    ecg = read_ecg(shared_data / name, options)
    assert "obey Einthoven" in ecg.notes["column order"]
    assert 0.3 < np.median(np.ptp(ecg.signal, axis=1)) < 10.0


def test_a_truncated_holter_is_refused(shared_data: Path) -> None:
    with pytest.raises(FormatError, match=r"1-300m\.ecg: claims 8056200 samples of 3 leads, the"):
        read_ecg(shared_data / "formats/ishne/1-300m.ecg")
