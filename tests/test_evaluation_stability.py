"""Instability of single predictions."""

import numpy as np
import pytest

from dyssync.errors import ConfigError, InputError
from dyssync.evaluation.stability import prediction_stability


def test_two_patients_by_hand() -> None:
    refits = np.array([[0.4, 0.9], [0.6, 0.7], [0.7, 0.8], [0.5, 0.8]])
    found = prediction_stability(np.array([0.6, 0.8]), refits, threshold=0.5)
    assert found.mape == pytest.approx([(0.2 + 0 + 0.1 + 0.1) / 4, 0.05])
    assert found.changed.tolist() == [0.25, 0.0]  # 0.5 itself is a responder still
    assert found.mean_mape == pytest.approx((0.1 + 0.05) / 2)
    assert found.mean_changed == 0.125


def test_of_normal_noise_all_is_known() -> None:
    # refits N(0.5, 0.05) about 0.5: 95 % within 1.96 SD, mean absolute difference SD sqrt(2/pi)
    rng = np.random.default_rng(0)
    refits = 0.5 + 0.05 * rng.standard_normal((4000, 20))
    found = prediction_stability(np.full(20, 0.5), refits)
    assert found.low.mean() == pytest.approx(0.5 - 1.96 * 0.05, abs=0.002)
    assert found.high.mean() == pytest.approx(0.5 + 1.96 * 0.05, abs=0.002)
    assert found.mean_mape == pytest.approx(0.05 * np.sqrt(2 / np.pi), rel=0.01)
    assert found.mean_changed == pytest.approx(0.5, abs=0.01)


def test_the_unknown_is_left_out_or_stays_unknown() -> None:
    nan = np.nan
    refits = np.array([[0.4, nan, 0.3], [nan, nan, 0.5]])
    found = prediction_stability(np.array([0.5, 0.5, nan]), refits)
    assert found.refits.tolist() == [1, 0, 2]
    assert found.mape[0] == pytest.approx(0.1)
    assert np.isnan(found.mape[1:]).all()
    assert np.isnan(found.changed[1:]).all()
    assert np.isnan(found.low).tolist() == [False, True, False]
    assert found.mean_mape == pytest.approx(0.1)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(3, 2\) for \(3,\) patients"):
        prediction_stability(np.zeros(3), np.zeros((3, 2)))
    with pytest.raises(ConfigError, match="threshold is 2"):
        prediction_stability(np.zeros(2), np.zeros((3, 2)), threshold=2)
