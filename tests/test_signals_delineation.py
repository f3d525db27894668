"""Marks, pacing spikes, corners and waves: closed forms, and cardiologists' marks of LUDB."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.formats import read_ecg
from dyssync.signals.corners import corner, corner_after, corner_before
from dyssync.signals.delineation import delineate, typical_beat
from dyssync.signals.waves import qrs_notches, qrs_waves

FS = 500.0
Array = npt.NDArray[np.float64]
FACTORS = np.array([0.5, 1.0, 0.5, -0.75, 0.1, 0.75, -0.4, -0.2, 0.6, 1.2, 1.0, 0.8])


def triangle(time: Array, start: float, length: float) -> Array:
    """Rises and falls in straight lines: onset and end are exact corners."""
    return np.clip(1.0 - np.abs(time - start - length / 2) / (length / 2), 0.0, None)


def recording(qrs_s: float = 0.1, spike_mv: float = 0.0, n_beats: int = 9) -> Array:
    """(12, n) mV: P, QRS and T as triangles, 1 s apart; QRS onset at 0.5 s, 1.5 s, ..."""
    time = np.arange(round(n_beats * FS)) / FS
    one = np.zeros_like(time)
    for beat in range(n_beats):
        on = beat + 0.5
        one += 0.15 * triangle(time, on - 0.16, 0.1) + triangle(time, on, qrs_s)
        one += 0.3 * triangle(time, on + qrs_s + 0.1, 0.2)
        one[round((on - 0.03) * FS)] += spike_mv
    noise = 0.004 * np.random.default_rng(5).standard_normal((12, len(time)))
    return FACTORS[:, None] * one + noise


@pytest.mark.parametrize("qrs_s", [0.08, 0.12, 0.18])
def test_marks_of_triangles_are_their_corners(qrs_s: float) -> None:
    found = delineate(recording(qrs_s), FS)
    on = 0.5 + np.arange(9)
    assert len(found.beats) == 9
    np.testing.assert_allclose(found.marks["qrs_on"] / FS, on, atol=0.012)
    np.testing.assert_allclose(found.marks["qrs_off"] / FS, on + qrs_s, atol=0.012)
    np.testing.assert_allclose(found.marks["p_on"] / FS, on - 0.16, atol=0.02)
    np.testing.assert_allclose(found.marks["p_off"] / FS, on - 0.06, atol=0.02)
    np.testing.assert_allclose(found.marks["t_off"] / FS, on + qrs_s + 0.3, atol=0.03)
    assert not found.paced.any()


def test_marks_are_in_the_samples_of_the_recording() -> None:
    fine = delineate(recording(), FS)
    coarse = delineate(recording()[:, ::2], FS / 2)
    for name in ("qrs_on", "qrs_off", "p_on", "t_off"):
        np.testing.assert_allclose(coarse.marks[name] * 2, fine.marks[name], atol=6)


def test_two_leads_are_enough() -> None:
    found = delineate(recording()[[1, 6]], FS)
    np.testing.assert_allclose(found.marks["qrs_on"] / FS, 0.5 + np.arange(9), atol=0.014)


def test_a_pacing_spike_is_found_and_is_not_the_onset() -> None:
    found = delineate(recording(0.16, spike_mv=3.0), FS)
    assert found.paced.all()
    np.testing.assert_allclose(found.marks["qrs_on"] / FS, 0.5 + np.arange(9), atol=0.014)


def test_one_wild_lead_does_not_move_the_global_marks() -> None:
    signal = recording()
    clean = delineate(signal, FS)
    signal[8] = 4.0 * np.random.default_rng(2).standard_normal(signal.shape[1])
    wild = delineate(signal, FS)
    np.testing.assert_allclose(wild.marks["qrs_on"], clean.marks["qrs_on"], atol=4)
    np.testing.assert_allclose(wild.marks["qrs_off"], clean.marks["qrs_off"], atol=4)


def test_no_p_wave_is_invented_in_atrial_fibrillation() -> None:
    signal = recording()
    time = np.arange(signal.shape[1]) / FS
    # fibrillation waves: 6 Hz, not tied to the beats of 1 s
    waves = 0.08 * np.sin(2 * np.pi * 6.35 * time + 3.0 * np.sin(2 * np.pi * 0.21 * time))
    for beat in range(9):
        start = round((beat + 0.34) * FS)
        signal[:, start : start + 50] -= FACTORS[:, None] * 0.15 * triangle(time[:50], 0.0, 0.1)
    found = delineate(signal + FACTORS[:, None] * waves, FS)
    assert np.isnan(found.marks["p_on"]).all()


def test_the_typical_beat_has_the_marks_of_the_recording() -> None:
    typical = typical_beat(recording(), FS)
    assert (typical.marks.qrs_off - typical.marks.qrs_on) / FS == pytest.approx(0.1, abs=0.02)
    assert typical.marks.leads["qrs_on"].shape == (12,)
    assert typical.noise.max() < 0.01


@given(st.integers(5, 35), st.floats(0.05, 50.0))
@settings(max_examples=40, deadline=None)
def test_corner_of_a_ramp_is_where_it_leaves_zero(at: int, steepness: float) -> None:
    speed = np.where(np.arange(45) > at, steepness, 0.0)
    assert corner(speed) == at
    assert corner_before(speed, 44, 44) == at
    assert corner_after(speed[::-1], 0, 44) == 44 - at


@pytest.mark.parametrize(
    ("peaks", "expected"),
    [
        ((-0.1, 1.0, -0.2), "Q R S"),
        ((0.2, -1.2), "R S"),
        ((-0.9,), "QS"),
        ((0.3, -0.2, 0.8), "R S R'"),
    ],
)
def test_waves_are_named_by_sign_and_order(peaks: tuple[float, ...], expected: str) -> None:
    time = np.arange(20) / 20
    qrs = np.concatenate([[0.0], *(peak * triangle(time, 0.0, 1.0) for peak in peaks), [0.0]])
    assert " ".join(wave.name for wave in qrs_waves(qrs)) == expected


def test_a_notch_must_be_deep_and_a_slur_needs_none() -> None:
    time = np.arange(80) / FS
    two = triangle(time, 0.0, 0.1) + triangle(time, 0.06, 0.1)
    assert len(qrs_notches(two, 0.05).notches) == 1
    assert not qrs_notches(triangle(time, 0.0, 0.16), 0.05).notches
    rise = np.concatenate([np.linspace(0, 0.5, 15), np.full(8, 0.5), np.linspace(0.5, 1, 15)])
    slurred = np.concatenate([rise + 0.002 * np.arange(38), np.linspace(1.07, 0, 25)])
    assert len(qrs_notches(slurred, 0.05).slurs) == 1


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore")  # wfdb 4.3 uses deprecated pandas calls
def test_marks_agree_with_cardiologists(shared_data: Path) -> None:
    wfdb = pytest.importorskip("wfdb")
    errors: dict[str, list[float]] = {"qrs_on": [], "qrs_off": []}
    for number in (1, 10, 51, 90, 116, 127):
        stem = str(shared_data / "ludb" / "records" / str(number))
        record, marks = wfdb.rdrecord(stem), wfdb.rdann(stem, "v5")
        ours = delineate(record.p_signal.T, float(record.fs))
        lead = [name.lower() for name in record.sig_name].index("v5")
        peaks = [k for k, symbol in enumerate(marks.symbol) if symbol == "N"]
        for name, step in (("qrs_on", -1), ("qrs_off", 1)):
            reference = marks.sample[np.array(peaks) + step]
            found = ours.lead_marks[name][lead]
            distance = found[np.isfinite(found), None] - reference
            nearest = distance[np.abs(distance).argmin(axis=0), np.arange(len(reference))]
            errors[name].extend((nearest * 1000.0 / record.fs).tolist())
    assert np.abs(np.median(errors["qrs_on"])) < 8
    assert np.abs(np.median(errors["qrs_off"])) < 8
    assert np.std(errors["qrs_on"]) < 14
    assert np.std(errors["qrs_off"]) < 16


def test_ventricular_tachycardia_has_no_p_wave_inside_the_qrs_before(shared_data: Path) -> None:
    ecg = read_ecg(next((shared_data / "cinc").rglob("JS45545.hea")))
    found = delineate(ecg.signal, ecg.fs)
    assert 60 * ecg.fs / np.median(np.diff(found.beats)) == pytest.approx(188, abs=3)
    assert np.isnan(found.marks["p_on"]).all()
