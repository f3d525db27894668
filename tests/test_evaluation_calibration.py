"""Calibration measures: known truth, outside fits, and probabilities at the ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from dyssync.evaluation.calibration import (
    calibration_in_the_large,
    calibration_slope,
    ici_of_right_model,
    integrated_calibration_index,
    observed_to_expected,
    scaled_brier,
    smooth_calibration,
    weighted_curve,
    weighted_in_the_large,
    weighted_slope,
)

MEASURES = (
    calibration_in_the_large,
    calibration_slope,
    integrated_calibration_index,
    observed_to_expected,
    scaled_brier,
)


def cohort(n: int, slope: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes whose logits are shift + slope x logit p."""
    rng = np.random.default_rng(5)
    p = expit(rng.normal(0.5, 1.0, n))
    return (rng.random(n) < expit(shift + slope * logit(p))).astype(np.int64), p


def test_measures_find_the_miscalibration_that_was_put_in() -> None:
    y, p = cohort(40_000, slope=0.6, shift=-0.4)
    assert calibration_slope(y, p) == pytest.approx(0.6, abs=0.04)
    truth = expit(-0.4 + 0.6 * logit(p))
    assert observed_to_expected(y, p) == pytest.approx(truth.sum() / p.sum(), abs=0.02)
    assert integrated_calibration_index(y, p) == pytest.approx(np.abs(truth - p).mean(), abs=0.01)
    shifted = expit(logit(p) + calibration_in_the_large(y, p))
    assert shifted.sum() == pytest.approx(y.sum())  # the score equation of an intercept


def test_smooth_curve_follows_a_bend() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(40_000)
    truth = 0.3 + 0.4 * p**2
    y = (rng.random(len(p)) < truth).astype(np.int64)
    grid = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    assert smooth_calibration(y, p, grid) == pytest.approx(0.3 + 0.4 * grid**2, abs=0.03)


def test_slope_under_weights_equals_scikit_learn() -> None:
    y, p = cohort(285, slope=0.8, shift=0.2)
    weight = np.random.default_rng(2).multinomial(285, np.full(285, 1 / 285), 3).astype(float)
    found = weighted_slope(y, p, weight)
    for own, w in zip(found, weight, strict=True):
        fit = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(p)[:, None], y, sample_weight=w)
        assert own == pytest.approx(fit.coef_[0, 0], abs=1e-4)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from([0.0, 1e-9, 0.2, 0.5, 0.7, 1.0])),
        min_size=1,
        max_size=25,
    )
)
def test_certain_probabilities_break_nothing(rows: list[tuple[int, float]]) -> None:
    y, p = (np.array(column) for column in zip(*rows, strict=True))
    values = [measure(y, p) for measure in MEASURES]
    assert not np.isinf(values).any()
    both = 0 < y.sum() < len(y)
    assert np.isnan(values[0]) == (not both)
    assert np.isnan(values[4]) == (not both)
    if both:
        moved = expit(logit(np.clip(p, 1e-12, 1 - 1e-12)) + values[0])
        assert moved.sum() == pytest.approx(y.sum(), abs=1e-4)


def test_one_probability_for_all() -> None:
    y, p = np.array([0, 1, 1, 1]), np.full(4, 0.5)
    assert calibration_in_the_large(y, p) == pytest.approx(np.log(3))
    assert np.isnan(calibration_slope(y, p))
    assert integrated_calibration_index(y, p) == pytest.approx(0.25)
    assert smooth_calibration(y, p, np.array([0.2, 0.9])) == pytest.approx([0.75, 0.75])


def test_separated_classes_have_no_slope_and_certain_truth_has_the_best() -> None:
    y = np.array([0, 0, 0, 1, 1, 1])
    assert np.isnan(calibration_slope(y, np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7])))
    assert np.isnan(calibration_slope(y, np.array([0.2, 0.3, 0.4, 0.4, 0.6, 0.7])))  # but for a tie
    assert [measure(y, y.astype(float)) for measure in MEASURES] == [0, 1, 0, 1, 1]


def test_weights_are_copies_of_patients() -> None:
    y, p = cohort(60, slope=1.0, shift=0.0)
    copies = np.random.default_rng(3).multinomial(60, np.full(60, 1 / 60))
    chosen = np.repeat(np.arange(60), copies)
    weight = copies[None, :].astype(float)
    assert weighted_in_the_large(y, p, weight)[0] == pytest.approx(
        calibration_in_the_large(y[chosen], p[chosen])
    )
    whole = weighted_curve(y, p, np.ones((1, 60)), p)[0]
    assert whole == pytest.approx(smooth_calibration(y, p, p))


def test_ici_of_a_right_model_is_what_its_cohorts_have() -> None:
    p = np.random.default_rng(0).beta(3, 2, 80)
    found = ici_of_right_model(p, np.random.default_rng(1), draws=5)
    outcomes = (np.random.default_rng(1).random((5, 80)) < p).astype(np.int64)
    expected = [integrated_calibration_index(y, p) for y in outcomes]
    assert found == pytest.approx(expected)
    assert np.isnan(ici_of_right_model(np.full(3, 1e-9), np.random.default_rng(0), 2)).all()
