"""What every metric must do and say: order, label flip, perfect predictions, scikit-learn, docs."""

from pathlib import Path

import numpy as np
import pytest
from dyssync.evaluation.thresholds import youden_threshold
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn import metrics as reference
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from dyssync.evaluation.metrics import METRICS, Metric

DOCS = Path(__file__).parents[2] / "docs" / "reading-the-report.md"
Y = np.array([0, 1, 1, 0, 1, 0, 1, 1, 0, 0])
P = np.array([0.2, 0.9, 0.4, 0.3, 0.8, 0.6, 0.7, 0.5, 0.1, 0.55])

REFERENCE = {
    "accuracy": lambda y, p, c, t: reference.accuracy_score(y, c),
    "ppv": lambda y, p, c, t: reference.precision_score(y, c),
    "npv": lambda y, p, c, t: reference.precision_score(y, c, pos_label=0),
    "sensitivity": lambda y, p, c, t: reference.recall_score(y, c),
    "specificity": lambda y, p, c, t: reference.recall_score(y, c, pos_label=0),
    "auroc": lambda y, p, c, t: reference.roc_auc_score(y, p),
    "auprc": lambda y, p, c, t: reference.average_precision_score(y, p),
    "brier": lambda y, p, c, t: reference.brier_score_loss(y, p),
    "calibration_in_the_large": lambda y, p, c, t: brentq(
        lambda shift: np.sum(y - expit(logit(p) + shift)), -20, 20, xtol=1e-12
    ),
    "calibration_slope": lambda y, p, c, t: unpenalised(logit(p)[:, None], y).coef_[0, 0],
    "observed_to_expected": lambda y, p, c, t: np.mean(y) / np.mean(p),
    "ici": lambda y, p, c, t: np.mean(np.abs(curve_by_truncated_powers(y, p) - p)),
    "scaled_brier": lambda y, p, c, t: reference.d2_brier_score(y, p),
    "accuracy_gain": lambda y, p, c, t: (
        reference.accuracy_score(y, c)
        - DummyClassifier(strategy="most_frequent").fit(p[:, None], y).score(p[:, None], y)
    ),
    "net_benefit_gain": lambda y, p, c, t: (
        net_benefit(y, c, t)
        - max(net_benefit(y, np.ones_like(c), t), net_benefit(y, np.zeros_like(c), t))
    ),
}


def net_benefit(y: np.ndarray, called: np.ndarray, threshold: float) -> float:
    """Vickers 2006: true positives minus false ones at the exchange rate of the threshold."""
    _, false_positive, _, true_positive = reference.confusion_matrix(y, called).ravel()
    return (true_positive - false_positive * threshold / (1 - threshold)) / len(y)


def unpenalised(x: np.ndarray, y: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(x, y)


def curve_by_truncated_powers(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Harrell's spline as its definition: cubics, held to lines outside of the outer knots."""
    x = logit(p)
    a, b, c = np.quantile(x, [0.1, 0.5, 0.9])

    def cube(knot: float) -> np.ndarray:
        return np.where(x > knot, (x - knot) ** 3, 0.0)

    bent = ((c - b) * cube(a) - (c - a) * cube(b) + (b - a) * cube(c)) / (c - b) / (c - a) ** 2
    design = np.column_stack([x, bent])
    return unpenalised(design, y).predict_proba(design)[:, 1]


# what a prediction without a responder called leaves undefined
UNDEFINED_WITHOUT_CALLS = {"ppv"}
UNDEFINED_FOR_ONE_PROBABILITY = {"calibration_slope"}
# the most that can be gained depends on how common response is; the ideal is beyond it
IDEAL_OUT_OF_REACH = {"net_benefit_gain"}
COHORTS = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


@pytest.mark.parametrize("name", METRICS)
def test_metric_equals_an_outside_reference(name: str) -> None:
    assert name in REFERENCE, f"{name} has no outside reference; add one to REFERENCE in {__file__}"
    for threshold in (0.5, 0.35):
        expected = REFERENCE[name](Y, P, (threshold <= P).astype(int), threshold)
        assert METRICS[name].compute(Y, P, threshold) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_metric_is_explained_to_its_readers(name: str) -> None:
    term, meaning = f"**{METRICS[name].label}**", METRICS[name].meaning
    forgotten = []
    if term not in DOCS.read_text(encoding="utf-8"):
        forgotten.append(f"docs/{DOCS.name} has no line on {term}")
    if len(meaning.split()) < 5:
        forgotten.append(f"meaning {meaning!r} says nothing to a cardiologist")
    assert not forgotten, f"{name}: {'; '.join(forgotten)}"


@pytest.mark.parametrize("name", METRICS)
def test_ideal_is_a_possible_value(name: str) -> None:
    low, high = METRICS[name].bounds
    assert low <= METRICS[name].ideal <= high, f"{name}: ideal lies outside of bounds"


@pytest.mark.parametrize("name", METRICS)
def test_perfect_predictions_reach_the_ideal(name: str) -> None:
    value, ideal = METRICS[name].compute(Y, Y.astype(float), 0.5), METRICS[name].ideal
    if name in IDEAL_OUT_OF_REACH:
        assert METRICS[name].compute(Y, P, 0.5) < value < ideal
    else:
        assert value == ideal


@settings(max_examples=50, deadline=None)
@given(COHORTS, st.floats(0.01, 0.99))
def test_no_value_lies_outside_of_its_bounds(
    pairs: list[tuple[int, float]], threshold: float
) -> None:
    y, p = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    for name in METRICS:
        value = METRICS[name].compute(y, p, threshold)
        low, high = METRICS[name].bounds
        assert np.isnan(value) or low <= value <= high, name


@pytest.mark.parametrize("name", METRICS)
def test_threshold_matters_where_the_table_says_so(name: str) -> None:
    values = {METRICS[name].compute(Y, P, cut) for cut in np.linspace(0.15, 0.85, 15)}
    assert (len(values) > 1) == METRICS[name].uses_threshold, f"{name}: uses_threshold is wrong"


@pytest.mark.parametrize("name", METRICS)
def test_metric_does_not_depend_on_the_order_of_patients(name: str) -> None:
    order = np.random.default_rng(0).permutation(len(Y))
    assert METRICS[name].compute(Y[order], P[order], 0.5) == pytest.approx(
        METRICS[name].compute(Y, P, 0.5)
    )


@pytest.mark.parametrize("name", METRICS)
def test_nobody_called_a_responder_is_undefined_not_zero(name: str) -> None:
    value = METRICS[name].compute(Y, np.full(len(Y), 0.1), 0.5)
    assert np.isnan(value) == (name in UNDEFINED_WITHOUT_CALLS | UNDEFINED_FOR_ONE_PROBABILITY)


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


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.8, 0.9), True),
        ((1.1, 1.3), False),
        ((0.9, 1.1), None),  # the ideal lies between the two
        ((0.9, np.nan), None),
        ((1.0, 0.7), True),
        ((1.0, 1.4), False),
    ],
)
def test_better_is_nearer_to_the_ideal_from_either_side(
    values: tuple[float, float], expected: bool | None
) -> None:
    slope = Metric(
        lambda y, p, threshold: 1.0, "Calibration slope", "", ideal=1.0, bounds=(-np.inf, np.inf)
    )
    assert slope.higher_is_better(*values) is expected


@settings(max_examples=50, deadline=None)
@given(COHORTS.filter(lambda pairs: len(pairs) > 1))
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
