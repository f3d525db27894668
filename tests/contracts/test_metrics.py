"""What every metric must do: order, label flip, perfect and constant predictions, scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from dyssync.evaluation.metrics import METRICS, youden_threshold

Y = np.array([0, 1, 1, 0, 1, 0, 1, 1, 0, 0])
P = np.array([0.2, 0.9, 0.4, 0.3, 0.8, 0.6, 0.7, 0.5, 0.1, 0.55])

REFERENCE = {
    "accuracy": lambda y, p, c: reference.accuracy_score(y, c),
    "ppv": lambda y, p, c: reference.precision_score(y, c),
    "npv": lambda y, p, c: reference.precision_score(y, c, pos_label=0),
    "sensitivity": lambda y, p, c: reference.recall_score(y, c),
    "specificity": lambda y, p, c: reference.recall_score(y, c, pos_label=0),
    "auroc": lambda y, p, c: reference.roc_auc_score(y, p),
    "auprc": lambda y, p, c: reference.average_precision_score(y, p),
    "brier": lambda y, p, c: reference.brier_score_loss(y, p),
}
# what a prediction without a responder called leaves undefined
UNDEFINED_WITHOUT_CALLS = {"ppv"}


@pytest.mark.parametrize("name", METRICS)
def test_metric_equals_scikit_learn(name: str) -> None:
    expected = REFERENCE[name](Y, P, (P >= 0.5).astype(int))
    assert METRICS[name].compute(Y, P, 0.5) == pytest.approx(expected)


@pytest.mark.parametrize("name", METRICS)
def test_metric_does_not_depend_on_the_order_of_patients(name: str) -> None:
    order = np.random.default_rng(0).permutation(len(Y))
    assert METRICS[name].compute(Y[order], P[order], 0.5) == pytest.approx(
        METRICS[name].compute(Y, P, 0.5)
    )


@pytest.mark.parametrize("name", METRICS)
def test_perfect_predictions_reach_the_best_value(name: str) -> None:
    best = 1.0 if METRICS[name].higher_is_better else 0.0
    assert METRICS[name].compute(Y, Y.astype(float), 0.5) == best


@pytest.mark.parametrize("name", METRICS)
def test_nobody_called_a_responder_is_undefined_not_zero(name: str) -> None:
    value = METRICS[name].compute(Y, np.full(len(Y), 0.1), 0.5)
    assert np.isnan(value) == (name in UNDEFINED_WITHOUT_CALLS)


def test_label_flip_swaps_the_pairs() -> None:
    p = np.array([0.21, 0.91, 0.4, 0.3, 0.8, 0.6, 0.7, 0.52, 0.1, 0.55])
    for one, other in (("ppv", "npv"), ("sensitivity", "specificity")):
        flipped = METRICS[one].compute(1 - Y, 1 - p, 0.5)
        assert flipped == pytest.approx(METRICS[other].compute(Y, p, 0.5))
    assert METRICS["auroc"].compute(1 - Y, 1 - p, 0.5) == pytest.approx(
        METRICS["auroc"].compute(Y, p, 0.5)
    )


def test_one_class_has_no_auroc() -> None:
    assert np.isnan(METRICS["auroc"].compute(np.ones(3, dtype=int), np.array([0.1, 0.2, 0.3]), 0.5))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=30))
def test_youden_threshold_is_as_good_as_any_other(pairs: list[tuple[int, float]]) -> None:
    y, p = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    chosen = youden_threshold(y, p)
    if len(set(y)) < 2:
        assert chosen == 0.5
        return

    def youden(t: float) -> float:
        return METRICS["sensitivity"].compute(y, p, t) + METRICS["specificity"].compute(y, p, t)

    if len(set(p)) > 1:
        middles = (np.unique(p)[1:] + np.unique(p)[:-1]) / 2
        assert youden(chosen) == pytest.approx(max(youden(t) for t in middles))
