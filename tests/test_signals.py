"""Filters, resampler, beats and the vectorcardiogram, against closed forms and real beats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.errors import InputError
from dyssync.signals.beats import detect_beats, median_beat
from dyssync.signals.filtering import bandpass, mains_frequency, remove_mains, resample
from dyssync.signals.vectorcardiogram import DOWER, KORS, vectorcardiogram


def wave(seconds: np.ndarray, centre: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((seconds - centre) / width) ** 2)


def synthetic_ecg(fs: float = 500.0, n_beats: int = 10, rr: float = 0.9) -> np.ndarray:
    """(12, n) mV: P, a QRS of 40 ms half-width and T, the same in all leads but for a factor."""
    seconds = np.arange(round(n_beats * rr * fs)) / fs
    one = np.zeros_like(seconds)
    for beat in range(n_beats):
        r = beat * rr + 0.45
        one += 0.1 * wave(seconds, r - 0.16, 0.02) + wave(seconds, r, 0.012)
        one += 0.25 * wave(seconds, r + 0.28, 0.04)
    factors = np.array([0.5, 1.0, 0.5, -0.75, 0.1, 0.75, -0.4, -0.2, 0.6, 1.2, 1.0, 0.8])
    return (factors[:, None] * one).astype(np.float32)


# Edenbrandt L, Pahlm O, J Electrocardiol 1988;21:361-7: V1-V6, I, II to X, Y, Z
INVERSE_DOWER = [
    [-0.172, -0.074, 0.122, 0.231, 0.239, 0.194, 0.156, -0.010],
    [0.057, -0.019, -0.106, -0.022, 0.041, 0.048, -0.227, 0.887],
    [-0.229, -0.310, -0.246, -0.063, 0.055, 0.108, 0.022, 0.102],
]


def test_pseudo_inverse_of_dower_is_the_published_inverse() -> None:
    np.testing.assert_array_equal(np.round(np.linalg.pinv(DOWER), 3), INVERSE_DOWER)


KORS_OF_DOWER = [[0.97, -0.11, 0.13], [0.09, 1.00, -0.08], [0.00, -0.38, 0.89]]


def test_kors_of_dower_is_nearly_the_identity() -> None:
    np.testing.assert_allclose(KORS @ DOWER, KORS_OF_DOWER, atol=0.005)


def test_vectorcardiogram_of_dower_leads_is_nearly_the_loop() -> None:
    loop = np.random.default_rng(0).standard_normal((3, 50))
    leads = np.zeros((12, 50))
    leads[[6, 7, 8, 9, 10, 11, 0, 1]] = DOWER @ loop
    np.testing.assert_allclose(vectorcardiogram(leads), KORS_OF_DOWER @ loop, atol=0.03)


@given(st.integers(10, 400), st.sampled_from([100.0, 250.0, 257.0, 500.0, 977.0]))
@settings(max_examples=20, deadline=None)
def test_resample_to_the_same_rate_is_the_identity(n: int, fs: float) -> None:
    signal = np.random.default_rng(n).standard_normal((3, n)).astype(np.float32)
    np.testing.assert_array_equal(resample(signal, fs, fs), signal)


@pytest.mark.parametrize("fs_from", [100.0, 250.0, 360.0, 1000.0])
def test_resample_keeps_a_sine_and_an_offset(fs_from: float) -> None:
    time = np.arange(round(4 * fs_from)) / fs_from
    out = resample(3.0 + np.sin(2 * np.pi * 7 * time), fs_from, 500.0)
    expected = 3.0 + np.sin(2 * np.pi * 7 * np.arange(len(out)) / 500.0)
    np.testing.assert_allclose(out[50:-50], expected[50:-50], atol=0.01)
    assert out.dtype == np.float32


def test_bandpass_halves_the_amplitude_at_its_corners_without_shift() -> None:
    time = np.arange(5000) / 500.0
    for corner in (2.0, 20.0):
        sine = np.cos(2 * np.pi * corner * time)
        out = bandpass(sine, 500.0, 2.0, 20.0, order=4)[1000:4000]
        np.testing.assert_allclose(out, 0.5 * sine[1000:4000], atol=0.02)


def test_mains_larger_than_the_qrs_is_found_and_removed() -> None:
    clean = synthetic_ecg()
    hum = 2.0 * np.sin(2 * np.pi * 50.05 * np.arange(clean.shape[1]) / 500.0)
    assert mains_frequency(clean, 500.0) is None
    assert mains_frequency(clean + hum, 500.0) == 50.0
    error = remove_mains(clean + hum, 500.0, 50.0) - clean
    assert np.abs(error[:, 250:-250]).max() < 0.1


@pytest.mark.parametrize(("share", "line"), [(0.25, None), (0.31, 60.0)])
def test_a_line_counts_as_mains_where_it_is_ten_times_its_neighbourhood(
    share: float, line: float | None
) -> None:
    # A sine of `share` noise SDs lies in the 21 frequencies within 0.5 Hz of the line: their mean
    # power is 1 + share^2 / 2 * 5000 / 21 times that of white noise, 8.4 or 12.4 times.
    noise = np.random.default_rng(4).standard_normal((12, 5000))
    hum = share * np.sin(2 * np.pi * 60 * np.arange(5000) / 500.0 + np.arange(12)[:, None])
    assert mains_frequency(noise + hum, 500.0) == line


@pytest.mark.parametrize("fs", [100.0, 250.0, 500.0, 1000.0])
def test_detect_beats_finds_each_qrs_once(fs: float) -> None:
    beats = detect_beats(synthetic_ecg(fs), fs)
    np.testing.assert_allclose(beats / fs, 0.45 + 0.9 * np.arange(10), atol=0.011)


def test_detect_beats_finds_nothing_in_noise_or_asystole() -> None:
    white = np.random.default_rng(0).standard_normal((12, 5000))
    muscle = bandpass(white, 500.0, 20.0, 150.0)
    for noise in (white, muscle, np.cumsum(white, axis=1), np.zeros((12, 5000))):
        assert len(detect_beats(noise, 500.0)) == 0


def test_detect_beats_finds_wide_paced_beats_among_muscle_noise() -> None:
    time = np.arange(5000) / 500.0
    phase = np.mod(time, 0.9)
    beat = -1.2 * wave(phase, 0.45, 0.045) + 0.6 * wave(phase, 0.75, 0.07)
    noise = bandpass(np.random.default_rng(3).standard_normal((12, 5000)), 500.0, 20.0, 150.0)
    beats = detect_beats(np.linspace(0.3, 1.0, 12)[:, None] * beat + 0.09 * noise, 500.0)
    np.testing.assert_allclose(beats / 500.0, 0.45 + 0.9 * np.arange(len(beats)), atol=0.05)
    assert len(beats) == 11


def test_detect_beats_survives_a_bad_lead() -> None:
    signal = synthetic_ecg()
    signal[6] = 8.0 * np.random.default_rng(1).standard_normal(signal.shape[1])
    signal[7] = 0.0
    assert len(detect_beats(signal, 500.0)) == 10


def test_median_beat_leaves_ectopic_beats_out() -> None:
    signal = synthetic_ecg()
    clean = median_beat(signal, 500.0)
    start = round((3 * 0.9 + 0.3) * 500)
    ectopic = -3.0 * wave(np.arange(200) / 500.0, 0.2, 0.05)
    signal[:, start : start + 200] = ectopic
    beat = median_beat(signal, 500.0)
    assert clean.n_beats == 10
    assert beat.n_beats == 9
    np.testing.assert_allclose(beat.signal, clean.signal, atol=0.02)
    assert abs(int(np.argmax(beat.signal[1])) - beat.r_index) <= 1


def test_median_beat_without_beats_says_what_to_do() -> None:
    with pytest.raises(InputError, match="no heartbeat was found"):
        median_beat(np.zeros((12, 5000)), 500.0)
