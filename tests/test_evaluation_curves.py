"""Curves and counts of predictions, against scikit-learn and the written formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc, confusion_matrix, roc_auc_score

from dyssync.evaluation.confusion import count_confusion
from dyssync.evaluation.curves import DECISION_THRESHOLDS, class_histogram, roc_points
from dyssync.evaluation.gains import net_benefit_gain

PAIRS = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.5, 1.0]))),
    min_size=1,
    max_size=60,
)


def arrays(pairs: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([y for y, _ in pairs]), np.array([p for _, p in pairs], dtype=np.float64)


@given(PAIRS)
def test_roc_area_equals_sklearn(pairs: list[tuple[int, float]]) -> None:
    y, p = arrays(pairs)
    curve = roc_points(y, p)
    if len(set(y)) < 2:
        assert len(curve.true_positive_rate) == 0
    else:
        area = auc(curve.false_positive_rate, curve.true_positive_rate)
        assert area == pytest.approx(roc_auc_score(y, p))


@given(PAIRS, st.sampled_from([0.1, 0.5, 0.8]))
def test_net_benefit_is_the_formula_of_vickers_and_elkin(
    pairs: list[tuple[int, float]], t: float
) -> None:
    y, p = arrays(pairs)
    benefits = []
    for called in (p >= t, np.ones(len(p), dtype=bool)):
        (_, fp), (_, tp) = confusion_matrix(y, called, labels=[0, 1])
        benefits.append(tp / len(y) - fp / len(y) * t / (1 - t))
    model, treat_all = benefits
    assert net_benefit_gain(y, p, t) == pytest.approx(model - max(treat_all, 0.0))


@given(PAIRS, st.floats(0, 1))
def test_confusion_counts_everyone_once(pairs: list[tuple[int, float]], threshold: float) -> None:
    y, p = arrays(pairs)
    counts = count_confusion(y, p, threshold)
    assert counts.true_positive + counts.false_negative == y.sum()
    assert counts.true_positive + counts.false_positive == (p >= threshold).sum()
    assert counts.false_positive + counts.true_negative == (1 - y).sum()


def test_net_benefit_is_shown_at_every_percent_that_a_clinic_could_choose() -> None:
    # a probability each, 50 % among them
    np.testing.assert_allclose(100 * DECISION_THRESHOLDS, np.arange(10, 91))


def test_histogram_is_a_share_of_each_class() -> None:
    curve = class_histogram(np.array([1, 1, 1, 0]), np.array([0.0, 1.0, 0.5, 0.5]))
    assert curve.responders.sum() == pytest.approx(1)
    assert curve.non_responders.sum() == pytest.approx(1)
    assert class_histogram(np.array([1]), np.array([0.5])).non_responders.sum() == 0
