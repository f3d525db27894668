"""The closed test for updating, its error rate and its power."""

import numpy as np
import pytest
from scipy import special, stats

from dyssync.errors import InputError
from dyssync.evaluation.binormal import binormal_predictor
from dyssync.evaluation.updating import (
    INTERCEPT,
    INTERCEPT_AND_SLOPE,
    NONE,
    closed_test,
    update_power,
)


def cohort(intercept: float, slope: float, n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    predictor = 0.5 + 0.8 * rng.standard_normal(n)
    y = (rng.random(n) < special.expit(intercept + slope * predictor)).astype(np.int64)
    return y, special.expit(predictor)


@pytest.mark.parametrize(
    ("intercept", "slope", "choice"),
    [(0.0, 1.0, NONE), (0.5, 1.0, INTERCEPT), (0.1, 1.9, INTERCEPT_AND_SLOPE)],
)
def test_what_is_wrong_is_found_and_mended(intercept: float, slope: float, choice: str) -> None:
    y, p = cohort(intercept, slope)
    update = closed_test(y, p)
    assert update.choice == choice
    assert (update.intercept, update.slope) == pytest.approx((intercept, slope), abs=0.15)
    again = closed_test(y, update.updated(p))
    assert again.choice == NONE
    if choice != NONE:  # maximum likelihood: observed is expected
        assert update.updated(p).mean() == pytest.approx(y.mean())


def test_p_values_are_those_of_the_likelihoods_on_a_grid() -> None:
    y, p = cohort(0.1, 1.3, n=200)
    predictor = special.logit(p)
    grid = np.linspace(-1, 3, 801)

    def best(slopes: np.ndarray, intercepts: np.ndarray) -> float:
        eta = intercepts[:, None] + slopes[:, None, None] * predictor
        return float((y * eta - np.logaddexp(0, eta)).sum(axis=-1).max())

    fine = np.linspace(-1, 1, 201)
    original, shift = best(np.ones(1), np.zeros(1)), best(np.ones(1), fine)
    both = max(best(np.array([slope]), fine) for slope in grid)
    found = closed_test(y, p)
    assert found.p_original == pytest.approx(stats.chi2.sf(2 * (both - original), 2), abs=0.005)
    assert found.p_intercept == pytest.approx(stats.chi2.sf(2 * (both - shift), 1), abs=0.005)


def test_a_patient_without_probability_is_left_out() -> None:
    y, p = cohort(0.5, 1.0, n=300)
    some = p.copy()
    some[:40] = np.nan
    assert closed_test(y, some) == closed_test(y[40:], p[40:])
    assert np.isnan(closed_test(y, some).updated(some)[:40]).all()


@pytest.mark.parametrize(
    ("y", "p"),
    [([1, 1, 1], [0.2, 0.5, 0.6]), ([0, 1, 1], [0.2, 0.5, 0.6]), ([0, 1, 1], [0.5] * 3)],
)
def test_no_update_without_a_slope_to_estimate(y: list[int], p: list[float]) -> None:
    with pytest.raises(InputError, match="no slope can be estimated from 3 patients"):
        closed_test(np.array(y), np.array(p))


def test_a_good_model_is_changed_in_five_cohorts_of_a_hundred() -> None:
    rng = np.random.default_rng(3)
    power = update_power(300, rng.standard_normal(5000), rng, cohorts=1500)
    assert 1 - power.none == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 1500))
    assert power.none + power.intercept + power.intercept_and_slope == pytest.approx(1)


def test_200_patients_miss_a_slope_of_1_88_in_a_third_of_cohorts() -> None:
    # a model of AUROC 0.74 whose probabilities are too timid by a factor of 1.88
    truth, weights = binormal_predictor(0.74, 0.632)
    rng = np.random.default_rng(4)
    drawn = rng.choice(truth, 20_000, p=weights)
    centre = drawn.mean()
    predictor = centre + (drawn - centre) / 1.88
    power = update_power(200, predictor, rng, centre * (1 - 1.88), 1.88, cohorts=1500)
    # non-central chi-square: twice the information by which the truth beats the model
    q, p = special.expit(drawn), special.expit(predictor)
    information = np.mean(q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p)))
    expected = stats.ncx2.cdf(stats.chi2.isf(0.05, 2), 2, 2 * 200 * information)
    assert power.none == pytest.approx(expected, abs=0.05)
    assert 0.28 < power.none < 0.42
    assert power.intercept < 0.05


def test_power_needs_patients() -> None:
    with pytest.raises(InputError, match="0 patients"):
        update_power(0, np.zeros(3), np.random.default_rng(0))
