"""Sample size against published examples and against simulated patients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from sklearn.linear_model import LogisticRegression

from dyssync.errors import ConfigError
from dyssync.evaluation.binormal import binormal_predictor, cox_snell_r2, largest_cox_snell_r2
from dyssync.evaluation.sample_size import (
    development_sample_size,
    expected_shrinkage,
    patients_for_shrinkage,
)
from dyssync.evaluation.validation_precision import (
    auroc_standard_error,
    patients_for_auroc,
    slope_standard_error,
    validation_precision,
)

PREVALENCE = 0.632  # responders in a cohort of 285 patients


def test_the_examples_of_pmsampsize() -> None:
    # tests of that package, by the authors of the criteria: 24 parameters, prevalence 0.174, and
    # an R2 of 0.288 or an AUROC of 0.89, of which it finds the R2 with a million patients
    r2, largest = 0.288, largest_cox_snell_r2(0.174)
    assert patients_for_shrinkage(24, r2, 0.9) == 623
    assert patients_for_shrinkage(24, r2, r2 / (r2 + 0.05 * largest)) == 662
    size = development_sample_size(662, 24, 0.174, 0.89)
    assert (size.n_shrinkage, size.n_share) == (615, 221)
    assert size.n_optimism == 660


@pytest.mark.parametrize(("parameters", "n"), [(30, 5249), (20, 3500)])
def test_the_example_of_pre_eclampsia(parameters: int, n: int) -> None:
    # Riley et al., BMJ 2020: R2 0.05 at a prevalence of 0.05
    assert patients_for_shrinkage(parameters, 0.05, 0.9) == n


def test_r2_of_an_auroc_is_that_of_simulated_patients() -> None:
    # Riley et al. 2021: scores N(0, 1) and N(sqrt(2) z(AUROC), 1), fitted by logistic regression
    rng = np.random.default_rng(0)
    y = (np.arange(400_000) < 0.3 * 400_000).astype(int)
    scores = rng.standard_normal(len(y)) + np.sqrt(2) * stats.norm.ppf(0.8) * y
    fit = LogisticRegression(C=np.inf).fit(scores[:, None], y)
    p = fit.predict_proba(scores[:, None])[:, 1]
    gain = np.mean(np.where(y == 1, np.log(p / 0.3), np.log((1 - p) / 0.7)))
    assert cox_snell_r2(0.8, 0.3) == pytest.approx(1 - np.exp(-2 * gain), abs=0.003)


@given(auroc=st.floats(0.51, 0.98), prevalence=st.floats(0.01, 0.99))
@settings(deadline=None, max_examples=50)
def test_the_scores_have_the_share_and_the_limits_that_they_are_made_for(
    auroc: float, prevalence: float
) -> None:
    predictor, weights = binormal_predictor(auroc, prevalence)
    # calibrated: the mean probability is the share; either class may be called the responders
    assert weights @ special.expit(predictor) == pytest.approx(prevalence, abs=1e-4)
    r2 = cox_snell_r2(auroc, prevalence)
    assert r2 == pytest.approx(cox_snell_r2(auroc, 1 - prevalence), abs=1e-6)
    assert 0 < r2 < largest_cox_snell_r2(prevalence)


@pytest.mark.parametrize(
    ("n", "parameters", "expected"),
    [
        (285, 6, 0.85),
        (285, 12, 0.74),
        (285, 209, 0.19),
        (171, 6, 0.78),
        (171, 12, 0.64),
        (171, 209, 0.15),
    ],
)
def test_shrinkage_of_a_cohort_of_285(n: int, parameters: int, expected: float) -> None:
    size = development_sample_size(n, parameters, PREVALENCE, auroc=0.70)
    assert size.shrinkage == pytest.approx(expected, abs=0.005)


@given(parameters=st.integers(1, 300), r2=st.floats(0.01, 0.6), shrinkage=st.floats(0.65, 0.97))
def test_the_patients_for_a_shrinkage_have_it(parameters: int, r2: float, shrinkage: float) -> None:
    n = patients_for_shrinkage(parameters, r2, shrinkage)
    assert expected_shrinkage(n, parameters, r2) >= shrinkage - 1e-9
    if n > 1:
        assert expected_shrinkage(n - 1, parameters, r2) < shrinkage + 1e-9


def test_each_criterion_is_met_with_the_patients_it_asks_for() -> None:
    asked = development_sample_size(285, 12, PREVALENCE, 0.70)
    assert (asked.n_share, round(asked.share_half_width, 3)) == (358, 0.056)
    by_optimism = development_sample_size(asked.n_optimism, 12, PREVALENCE, 0.70)
    fewer = development_sample_size(asked.n_optimism - 1, 12, PREVALENCE, 0.70)
    assert by_optimism.optimism <= 0.05 < fewer.optimism
    assert asked.n_needed == max(asked.n_shrinkage, asked.n_optimism, 358)


def test_a_hopeless_fit_has_a_shrinkage_yet() -> None:
    size = development_sample_size(5, 5000, PREVALENCE, 0.70)
    assert size.cox_snell_r2 <= size.shrinkage < 0.12


def test_a_validation_as_pmvalsampsize_plans_it() -> None:
    # tests of that R package (prevalence 0.018, AUROC 0.8, linear predictor N(-5, 2.5)): 4,252 for
    # the AUROC, and 4,501 by a thousand simulated patients for a slope within +/- 0.1
    assert patients_for_auroc(0.05, 0.018, 0.8) == 4252
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    error = slope_standard_error(4501, -5 + 2.5 * nodes, weights / weights.sum())
    assert 1.96 * error == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize(
    ("n", "slope", "log_oe"), [(100, 0.31, 0.076), (200, 0.22, 0.054), (500, 0.14, 0.034)]
)
def test_precision_of_a_validation(n: int, slope: float, log_oe: float) -> None:
    found = validation_precision(n, PREVALENCE, auroc=0.70)
    assert found.slope_error == pytest.approx(slope, abs=0.005)
    assert found.log_oe_error == pytest.approx(log_oe, abs=5e-4)


def test_precision_of_the_auroc_is_that_of_repeated_validations() -> None:
    rng = np.random.default_rng(1)
    responders, others = round(200 * PREVALENCE), 200 - round(200 * PREVALENCE)
    scores = rng.standard_normal((2000, 200))
    scores[:, :responders] += np.sqrt(2) * stats.norm.ppf(0.7)
    ranks = stats.rankdata(scores, axis=1)[:, :responders].sum(axis=1)
    aurocs = (ranks - responders * (responders + 1) / 2) / (responders * others)
    assert auroc_standard_error(200, PREVALENCE, 0.7) == pytest.approx(aurocs.std(), rel=0.06)


def test_patients_for_an_auroc_are_the_fewest() -> None:
    n = patients_for_auroc(0.05, PREVALENCE, 0.73)
    assert n == pytest.approx(414, abs=2)
    wide, narrow = (1.96 * auroc_standard_error(k, PREVALENCE, 0.73) for k in (n - 1, n))
    assert narrow <= 0.05 < wide


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((0, 6, 0.6, 0.7), "patients is 0"),
        ((9, 0, 0.6, 0.7), "parameters is 0"),
        ((9, 6, 1.0, 0.7), "prevalence is 1"),
        ((9, 6, 0.6, 0.5), "auroc is 0.5"),
    ],
)
def test_what_cannot_be_is_named(values: tuple[int, int, float, float], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        development_sample_size(*values)
