"""Weighted metrics against the plain ones, and bands against textbook intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dyssync.evaluation.bootstrap import (
    calibration_band,
    net_benefit_band,
    patient_weights,
    percentile_band,
    probability_bands,
    threshold_bands,
)
from dyssync.evaluation.curves import DECISION_THRESHOLDS
from dyssync.evaluation.delong import REFIT_FACTOR
from dyssync.evaluation.gains import net_benefit_gain
from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.weighted import (
    average_precision,
    probability_metrics,
    threshold_metrics,
)

THRESHOLDS = np.array([0.4, 0.5, 0.7])


def cohort(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(3, 2, n)
    return (rng.random(n) < p).astype(np.int64), p


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
    st.integers(0, 10**6),
)
def test_a_draw_is_the_metric_of_the_patients_drawn(
    rows: list[tuple[int, float]], seed: int
) -> None:
    y, p = (np.array(column) for column in zip(*rows, strict=True))
    weight = patient_weights(len(y), seed, draws=2)
    drawn = [np.repeat(np.arange(len(y)), row.astype(int)) for row in weight]
    by_threshold = threshold_metrics(y, p, weight, THRESHOLDS)
    for name, found in by_threshold.items():
        for b, who in enumerate(drawn):
            expected = [METRICS[name].compute(y[who], p[who], t) for t in THRESHOLDS]
            assert found[b] == pytest.approx(expected, nan_ok=True), name
    by_probability = {"auprc": average_precision(y, p, weight), **probability_metrics(y, p, weight)}
    for name in ("auprc", "brier", "scaled_brier", "observed_to_expected"):
        found = by_probability[name]
        expected = [METRICS[name].compute(y[who], p[who], np.nan) for who in drawn]
        assert found == pytest.approx(expected, nan_ok=True), name


def test_every_metric_but_those_of_ranks_is_resampled_and_each_value_is_the_metric_s() -> None:
    y, p = cohort(120)
    weight = patient_weights(120, 1, draws=50)
    bands = {**threshold_bands(y, p, THRESHOLDS, weight), **probability_bands(y, p, weight)}
    assert set(bands) == set(METRICS) - {"auroc", "auprc"}
    for name, band in bands.items():
        cuts = THRESHOLDS if METRICS[name].uses_threshold else np.array([np.nan])
        assert band.value == pytest.approx([METRICS[name].compute(y, p, t) for t in cuts]), name
        assert (band.low <= band.value).all(), name
        assert (band.value <= band.high).all(), name


def test_percentiles_of_a_share_are_binomial() -> None:
    y, p = cohort(200, 2)
    band = threshold_bands(y, p, np.array([0.5]), patient_weights(200, 3))["accuracy"]
    plain = stats.binom.ppf([0.025, 0.975], 200, band.value[0]) / 200
    expected = band.value[0] + np.sqrt(REFIT_FACTOR) * (plain - band.value[0])
    assert (band.low[0], band.high[0]) == pytest.approx(tuple(expected), abs=0.012)


def test_width_of_the_slope_is_that_of_likelihood_theory() -> None:
    y, p = cohort(3000, 4)
    band = probability_bands(y, p, patient_weights(3000, 5, draws=400))["calibration_slope"]
    x = np.column_stack([np.ones(3000), np.log(p / (1 - p))])
    information = x.T @ (x * (p * (1 - p))[:, None])  # at slope 1, which is true here
    se = np.sqrt(np.linalg.inv(information)[1, 1])
    assert (band.high - band.low)[0] == pytest.approx(
        2 * 1.96 * se * np.sqrt(REFIT_FACTOR), rel=0.15
    )


def test_net_benefit_band_is_about_the_gain_at_each_threshold() -> None:
    y, p = cohort(150, 6)
    band = net_benefit_band(y, p, patient_weights(150, 7, draws=200))
    expected = [net_benefit_gain(y, p, t) for t in DECISION_THRESHOLDS]
    assert band.value == pytest.approx(expected)


def test_curve_of_right_probabilities_holds_the_diagonal() -> None:
    y, p = cohort(2000, 8)
    grid = np.linspace(0.2, 0.9, 15)
    band = calibration_band(y, p, grid, patient_weights(2000, 9, draws=300))
    assert (band.low <= band.value).all()
    assert np.mean((band.low <= grid) & (grid <= band.high)) > 0.8


def test_an_interval_of_what_most_draws_leave_undefined_is_not_known() -> None:
    draws = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 1.0]])
    band = percentile_band(np.array([1.5, 1.0]), draws)
    assert np.isnan(band.low).tolist() == [False, True]
    assert np.isnan(percentile_band(np.array([np.nan]), np.ones((3, 1))).high[0])


def test_right_probabilities_may_have_no_miscalibration_and_wrong_ones_must() -> None:
    for shift, none in ((0.0, True), (0.25, False)):
        y, p = cohort(285, 10)
        p = np.clip(p - shift, 0.01, 0.99)
        band = probability_bands(y, p, patient_weights(285, 11, draws=300))["ici"]
        assert (band.low[0] < 0.01) == none


def test_models_fitted_to_other_patients_get_the_plain_percentiles() -> None:
    y, p = cohort(150)
    weight = patient_weights(150, 4, draws=400)
    plain = probability_bands(y, p, weight, factor=1.0)["brier"]
    draws = probability_metrics(y, p, weight)["brier"]
    assert [plain.low[0], plain.high[0]] == pytest.approx(np.quantile(draws, [0.025, 0.975]))
    curve = calibration_band(y, p, THRESHOLDS, weight, factor=1.0)
    widened = calibration_band(y, p, THRESHOLDS, weight)
    ratio = (widened.value - widened.low) / (curve.value - curve.low)
    assert ratio == pytest.approx(np.sqrt(REFIT_FACTOR))


def test_a_share_of_none_or_all_is_not_certain() -> None:
    """Nine called non-responders, all wrongly: drawing them again gives 0 of 9 each time."""
    y = np.array([1] * 60 + [0] * 40)
    p = np.where(np.arange(100) < 9, 0.2, 0.8)
    band = threshold_bands(y, p, np.array([0.5]), patient_weights(100, 1), factor=1.0)["npv"]
    assert (band.value[0], band.low[0]) == (0.0, 0.0)
    exact = stats.binomtest(0, 9).proportion_ci(0.95, method="exact")
    assert band.high[0] == pytest.approx(exact.high)
    turned = threshold_bands(1 - y, 1 - p, np.array([0.5]), patient_weights(100, 1), factor=1.0)
    assert turned["ppv"].high[0] == pytest.approx(exact.high)
    everyone = threshold_bands(1 - y, p, np.array([0.5]), patient_weights(100, 1), factor=1.0)
    assert everyone["npv"].low[0] == pytest.approx(1 - exact.high)
    assert everyone["npv"].high[0] == 1.0
