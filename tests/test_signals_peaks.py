"""Peaks and resampling are those of scipy.signal, which a prediction has no time to import."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal as reference

from dyssync.signals.filtering import resample
from dyssync.signals.peaks import find_peaks

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
