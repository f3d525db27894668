"""Peaks, windows, transforms and resampling are those of SciPy, too slow to import to predict."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, ndimage
from scipy import signal as reference

from dyssync.signals.cosine import cosine_transform, inverse_cosine_transform
from dyssync.signals.filtering import resample
from dyssync.signals.peaks import find_peaks
from dyssync.signals.sliding import moving_max, moving_mean

STEPS = st.lists(st.integers(-3, 3), min_size=1, max_size=60)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(1, 12), st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.5]))
def test_peaks_are_scipy_s(steps: list[int], distance: int, prominence: float) -> None:
    values = np.array(steps, dtype=np.float64)
    expected, _ = reference.find_peaks(
        values, distance=distance, prominence=prominence if prominence else None
    )
    found = find_peaks(values, distance=distance, prominence=prominence)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("fs_from", "fs_to"),
    [(250, 500), (500, 250), (1000, 500), (257, 500), (500, 257), (240, 250), (977, 500)],
)
@pytest.mark.parametrize("n", [2, 7, 2501])
def test_resampling_is_scipy_s(fs_from: float, fs_to: float, n: int) -> None:
    rng = np.random.default_rng(0)
    drift = np.linspace(-2, 5, n) + 3
    values = (drift + np.cumsum(rng.normal(0, 0.1, (2, n)), axis=1)).astype(np.float32)
    expected = reference.resample_poly(
        values.astype(np.float64), round(fs_to), round(fs_from), axis=-1, padtype="line"
    )
    found = resample(values, fs_from, fs_to)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-7, atol=2e-7)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 2500, 4999])
def test_cosine_transforms_are_scipy_s(n: int) -> None:
    values = np.random.default_rng(n).normal(size=(3, n)).astype(np.float32)
    spectrum = cosine_transform(values)
    expected = fft.dct(values, axis=-1)
    np.testing.assert_allclose(spectrum, expected, atol=2e-6 * np.abs(expected).max())
    np.testing.assert_allclose(inverse_cosine_transform(spectrum), values, atol=2e-6)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 20))
def test_sliding_windows_are_scipy_s(steps: list[int], size: int) -> None:
    values = np.array(steps, dtype=np.float64)
    means = ndimage.uniform_filter1d(values, size, mode="nearest")
    np.testing.assert_allclose(moving_mean(values, size), means, atol=1e-12)
    both = np.stack([values, 1 + 2 * values]).astype(np.float32)
    found = moving_mean(both, size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[1], 1 + 2 * means, rtol=1e-6, atol=1e-6)
    if size <= len(values):
        windows = np.lib.stride_tricks.sliding_window_view(values, size)
        np.testing.assert_array_equal(moving_max(values, size), windows.max(axis=1))
