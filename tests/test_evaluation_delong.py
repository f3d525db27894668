"""DeLong's variance against its definition, and its intervals against simulated truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from dyssync.evaluation.delong import REFIT_FACTOR, auroc_difference, auroc_interval


def structural_components(y: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """V10 and V01 of DeLong 1988, equation by equation: every pair is looked at."""
    psi = np.array([[(a > b) + 0.5 * (a == b) for b in score[y == 0]] for a in score[y == 1]])
    return psi.mean(axis=1), psi.mean(axis=0)


def scores(n: int, seed: int, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    shared = rng.normal(size=n) + shift * y
    first, second = (np.round(shared + rng.normal(size=n), 1) for _ in range(2))  # with ties
    return y, first, second


def test_auroc_and_variances_equal_the_definition() -> None:
    y, first, second = scores(60, 0)
    (v10, v01), (w10, w01) = (structural_components(y, score) for score in (first, second))
    found = auroc_interval(y, first, factor=1.0)
    assert found.auroc == pytest.approx(roc_auc_score(y, first))
    assert found.se**2 == pytest.approx(v10.var(ddof=1) / 30 + v01.var(ddof=1) / 30)
    s10, s01 = np.cov(v10, w10), np.cov(v01, w01)  # the matrices S10 and S01
    contrast = np.array([1.0, -1.0])
    paired = auroc_difference(y, first, second, factor=1.0)
    assert paired.difference == pytest.approx(roc_auc_score(y, first) - roc_auc_score(y, second))
    assert paired.se**2 == pytest.approx(contrast @ (s10 + s01) @ contrast / 30)
    assert paired.p_value == pytest.approx(2 * stats.norm.sf(abs(paired.difference) / paired.se))


def test_refitting_widens_by_the_root_of_the_factor() -> None:
    y, first, _ = scores(60, 1)
    plain, refitted = auroc_interval(y, first, factor=1.0), auroc_interval(y, first)
    assert refitted.high - refitted.auroc == pytest.approx(
        (plain.high - plain.auroc) * np.sqrt(REFIT_FACTOR)
    )


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3), st.integers(-3, 3)), max_size=20),
)
def test_swapping_models_or_classes_mirrors(rows: list[tuple[int, int, int]]) -> None:
    y, a, b = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    one, other = auroc_difference(y, a, b), auroc_difference(y, b, a)
    assert one.difference == pytest.approx(-other.difference, nan_ok=True)
    assert (one.se, one.p_value) == pytest.approx((other.se, other.p_value), nan_ok=True)
    found, flipped = auroc_interval(y, a), auroc_interval(1 - y, a)
    assert found.auroc == pytest.approx(1 - flipped.auroc, nan_ok=True)
    assert np.isnan(found.auroc) == (len(set(y)) < 2)
    assert np.isnan(found.auroc) or (not found.low < 0 and not found.high > 1)


def test_equal_models_are_certainly_equal_and_missing_scores_are_not_known() -> None:
    y, first, _ = scores(20, 2)
    same = auroc_difference(y, first, first + 1)
    assert (same.difference, same.se, same.p_value) == (0.0, 0.0, 1.0)
    first[3] = np.nan
    assert np.isnan(auroc_interval(y, first).auroc)
    assert np.isnan(auroc_difference(y, first, first).p_value)


def test_intervals_of_fixed_scores_hold_the_truth_in_95_of_100() -> None:
    truth = stats.norm.cdf(1 / 2)  # binormal: Phi(shift / sqrt(1 + 1 + 1 + 1))
    held = [auroc_interval(*scores(200, seed)[:2], factor=1.0) for seed in range(500)]
    covered = np.mean([found.low <= truth <= found.high for found in held])
    assert covered == pytest.approx(0.95, abs=0.03)  # three standard errors
