"""Recalibration against scikit-learn and SciPy, and what it must never do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from dyssync.errors import InputError
from dyssync.evaluation.recalibration import (
    Recalibration,
    SlopePrior,
    cross_recalibrated,
    fit_recalibration,
)

REGRESSION, SCORE = SlopePrior(1.0, 0.3), SlopePrior(0.0, 0.5)
LOGITS = st.lists(st.tuples(st.integers(0, 1), st.floats(-50, 50)), min_size=3, max_size=40).filter(
    lambda rows: len({y for y, _ in rows}) == 2
)


def cohort(n: int = 285, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    return z, (rng.random(n) < 1 / (1 + np.exp(-0.4 - 0.9 * z))).astype(np.int64)


def loss(slope: float, intercept: float, z, y, prior: SlopePrior) -> float:
    eta = intercept + slope * z
    penalty = (slope - prior.mean) ** 2 / (2 * prior.sd**2)
    return float(np.sum(np.logaddexp(0, eta) - y * eta) + penalty)


def test_a_wide_prior_is_logistic_regression() -> None:
    z, y = cohort()
    found = fit_recalibration(z, y, prior=SlopePrior(1.0, 1e6))
    expected = LogisticRegression(C=np.inf, tol=1e-10).fit(z[:, None], y)
    assert (found.slope, found.intercept) == pytest.approx(
        (expected.coef_[0, 0], expected.intercept_[0]), abs=1e-5
    )


@settings(max_examples=60, deadline=None)
@given(LOGITS, st.sampled_from([SCORE, REGRESSION]))
def test_nothing_fits_better(rows: list[tuple[int, float]], prior: SlopePrior) -> None:
    y, z = (np.array(column) for column in zip(*rows, strict=True))
    found = fit_recalibration(z, y, prior=prior)
    assert found.slope >= 0
    assert np.isfinite(found.intercept)
    if np.ptp(z) < 1e-6:
        return
    spread = max(z.std(), 1e-3)
    best = minimize(
        lambda c: loss(c[0] / spread, c[1] - c[0] * z.mean() / spread, z, y, prior),
        [found.slope * spread, found.intercept + found.slope * z.mean()],
        method="L-BFGS-B",
        bounds=[(0, None), (None, None)],
    )
    assert loss(found.slope, found.intercept, z, y, prior) <= best.fun + 1e-6


def test_unit_and_origin_of_the_logits_do_not_matter() -> None:
    z, y = cohort()
    one = fit_recalibration(z, y, prior=SCORE)
    other = fit_recalibration(1e6 * z - 4e6, y, prior=SlopePrior(0.0, SCORE.sd / 1e6))
    assert one.apply(z) == pytest.approx(other.apply(1e6 * z - 4e6))


def test_a_score_that_falls_with_response_gives_the_base_rate() -> None:
    z, y = cohort()
    found = fit_recalibration(-z, y, prior=REGRESSION)
    assert found.slope == 0
    assert found.apply(np.array([-9.0, np.inf, np.nan])) == pytest.approx(
        [y.mean(), y.mean(), np.nan], nan_ok=True
    )


def test_recordings_weighted_as_one_patient_count_as_one() -> None:
    z, y = cohort(40)
    thrice, weight = np.repeat(np.arange(40), 3), np.full(120, 1 / 3)
    for prior in (SCORE, REGRESSION):
        one = fit_recalibration(z, y, prior=prior)
        many = fit_recalibration(z[thrice], y[thrice], weight=weight, prior=prior)
        assert (many.slope, many.intercept) == pytest.approx((one.slope, one.intercept))


def test_unknown_logits_take_no_part_and_stay_unknown() -> None:
    z, y = cohort(50)
    gap = np.insert(z, 7, np.nan), np.insert(y, 7, 1)
    assert fit_recalibration(*gap, prior=REGRESSION) == fit_recalibration(z, y, prior=REGRESSION)
    p = cross_recalibrated(*gap, seed=1, prior=REGRESSION)
    assert np.flatnonzero(np.isnan(p)).tolist() == [7]
    with pytest.raises(InputError, match="nobody has a logit"):
        fit_recalibration(np.array([np.nan]), np.array([1]), prior=REGRESSION)


def test_no_probability_saw_its_own_outcome() -> None:
    z, y = cohort(60)
    seen = fit_recalibration(z, y, prior=SCORE).apply(z)
    p = cross_recalibrated(z, y, seed=3, prior=SCORE)
    assert (p == cross_recalibrated(z, y, seed=3, prior=SCORE)).all()
    assert not np.allclose(p, seen)
    # four patients make two parts, of one of each class: a fit holds one that is not his of each
    y, z = np.array([0, 0, 1, 1]), np.array([-1.0, 0.5, 0.0, 1.0])
    p = cross_recalibrated(z, y, seed=0, prior=REGRESSION)
    for i in range(4):
        fits = [
            fit_recalibration(np.delete(z, [i, j]), np.delete(y, [i, j]), prior=REGRESSION)
            for j in np.flatnonzero(y != y[i])
        ]
        assert any(fit.apply(z)[i] == pytest.approx(p[i]) for fit in fits)
    with pytest.raises(InputError, match="fewer than two"):
        cross_recalibrated(z, np.array([0, 0, 0, 1]), seed=0, prior=REGRESSION)


def test_answer_is_the_logistic_function() -> None:
    found = Recalibration(slope=2.0, intercept=-1.0)
    assert found.apply(np.array([0.5, 1.0])) == pytest.approx([0.5, 1 / (1 + np.exp(-1))])
