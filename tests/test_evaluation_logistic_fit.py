"""Maximum likelihood against scikit-learn, a grid, and data without a maximum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.linear_model import LogisticRegression

from dyssync.errors import InputError
from dyssync.evaluation.logistic_fit import fit_logistic, linear_predictor


def cohort(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    return np.column_stack([np.ones(n), x]), (rng.random(n) < special.expit(0.4 + x)).astype(int)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_it_is_logistic_regression_without_penalty(seed: int) -> None:
    columns, y = cohort(seed)
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(columns[:, 1:], y)
    fit = fit_logistic(columns, y)
    assert fit.coefficients[0] == pytest.approx(reference.intercept_[0], abs=1e-4)
    assert fit.coefficients[1] == pytest.approx(reference.coef_[0, 0], abs=1e-4)
    p = reference.predict_proba(columns[:, 1:])[:, 1]
    assert fit.log_likelihood == pytest.approx(np.log(np.where(y == 1, p, 1 - p)).sum())


def test_the_covariance_is_the_curvature_of_the_likelihood() -> None:
    columns, y = cohort(3)
    fit = fit_logistic(columns, y)

    def loss(step: tuple[float, float]) -> float:
        eta = columns @ (fit.coefficients + step)
        return float(np.logaddexp(0, eta).sum() - y @ eta)

    h = 1e-3
    cross = loss((h, h)) - loss((h, -h)) - loss((-h, h)) + loss((-h, -h))
    curvature = [
        [(loss((h, 0)) - 2 * loss((0, 0)) + loss((-h, 0))), cross / 4],
        [cross / 4, (loss((0, h)) - 2 * loss((0, 0)) + loss((0, -h)))],
    ]
    assert np.linalg.inv(fit.covariance) == pytest.approx(np.array(curvature) / h**2, rel=1e-3)


def test_an_offset_keeps_its_coefficient_of_one() -> None:
    columns, y = cohort(4)
    offset = 0.7 * columns[:, 1]
    moved, plain = fit_logistic(columns, y, offset), fit_logistic(columns, y)
    assert moved.coefficients == pytest.approx(plain.coefficients - [0, 0.7])
    # with the intercept alone, as many responders are expected as there were
    shift = fit_logistic(columns[:, :1], y, offset).coefficients
    assert special.expit(shift + offset).sum() == pytest.approx(y.sum())


@pytest.mark.parametrize(
    ("x", "y", "limit"),
    [
        ([-1, 0, 1, 2], [1, 1, 1, 1], 0.0),  # one class
        ([-1, 0, 1, 2], [0, 0, 1, 1], 0.0),  # separated
        ([-1, 0, 0, 2], [0, 0, 1, 1], -2 * np.log(2)),  # separated but for a tie
        ([1, 1, 1, 1], [0, 1, 0, 1], -4 * np.log(2)),  # the intercept twice
    ],
)
def test_without_a_maximum_only_its_limit_is_known(
    x: list[float], y: list[int], limit: float
) -> None:
    fit = fit_logistic(np.column_stack([np.ones(4), x]), np.array(y))
    assert not fit.exists
    assert np.isnan(fit.covariance).all()
    assert fit.log_likelihood == pytest.approx(limit, abs=1e-6)


def test_far_predictors_are_no_separation() -> None:
    rng = np.random.default_rng(5)
    x = rng.choice([-13.8, 13.8], 400)
    y = (rng.random(400) < np.where(x > 0, 0.9, 0.2)).astype(int)
    fit = fit_logistic(np.column_stack([np.ones(400), x]), y)
    assert special.expit(fit.coefficients @ [1, 13.8]) == pytest.approx(y[x > 0].mean())


def test_linear_predictor_is_finite_and_keeps_the_unknown() -> None:
    found = linear_predictor(np.array([0.0, 0.5, 1.0, np.nan]))
    assert found[:3] == pytest.approx([-13.8155, 0, 13.8155], abs=1e-4)
    assert np.isnan(found[3])
    with pytest.raises(InputError, match=r"to 1\.2 found"):
        linear_predictor(np.array([0.1, 1.2]))
