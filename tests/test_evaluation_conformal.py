"""Conformal sets against their definition, and their coverage of patients never seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.evaluation.conformal import (
    ConformalReference,
    conformal_answers,
    possible_outcomes,
)


def conformal_reference(
    y: np.ndarray, testers: np.ndarray, tested: np.ndarray
) -> ConformalReference:
    """The reference of patients tested by two of ten members each."""
    z = np.full((len(y), 10), np.nan)
    np.put_along_axis(z, testers, tested, axis=1)
    return ConformalReference(y, z)


def study(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes, testers of 2 x 5 folds and their logits, rounded so that some tie."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 3 > 0).astype(np.int64)
    testers = np.column_stack([rng.permutation(n) % 5, 5 + rng.permutation(n) % 5])
    return y, testers, np.round(rng.normal(size=(n, 2)) + y[:, None], 1)


def naive_p_value(y, testers, tested, member_logits: np.ndarray, label: int) -> float:
    """The formula, patient by patient."""
    sign = -1 if label == 1 else 1
    stranger = [
        sign * tested[i].mean() >= sign * member_logits[testers[i]].mean()
        for i in range(len(y))
        if y[i] == label
    ]
    return (1 + sum(stranger)) / (1 + len(stranger))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40))
def test_p_values_equal_the_definition(seed: int, n: int) -> None:
    y, testers, tested = study(n, seed)
    new = np.round(np.random.default_rng(seed + 1).normal(size=(4, 10)), 1)
    found = conformal_reference(y, testers, tested).p_values(new)
    expected = [[naive_p_value(y, testers, tested, row, label) for label in (0, 1)] for row in new]
    assert found == pytest.approx(np.array(expected))


def test_graded_patients_are_compared_with_all_others() -> None:
    y, testers, tested = study(50, 0)
    found = conformal_reference(y, testers, tested).own_p_values()
    z = tested.mean(axis=1)
    for i in range(50):
        for label, sign in ((0, 1), (1, -1)):
            others = [j for j in range(50) if y[j] == label and j != i]
            stranger = sum(sign * z[j] >= sign * z[i] for j in others)
            assert found[i, label] == pytest.approx((1 + stranger) / (1 + len(others)))


def test_what_is_not_known_is_deferred() -> None:
    y, testers, tested = study(50, 1)
    unknown = tested.copy()
    unknown[4] = np.nan
    reference = conformal_reference(y, testers, unknown)
    kept = np.arange(50) != 4
    without = conformal_reference(y[kept], testers[kept], tested[kept])
    new = np.full((2, 10), 8.0)
    new[1, 3] = np.nan
    p_values = reference.p_values(new)
    assert p_values[0] == pytest.approx(without.p_values(new)[0])
    assert conformal_answers(p_values, 0.9) == ("responder", "defer")
    assert conformal_answers(reference.own_p_values(), 0.8)[4] == "defer"
    assert possible_outcomes(p_values, 0.9)[1].all()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=9))
def test_surer_sets_hold_the_less_sure_ones(rows: list[tuple[float, float]]) -> None:
    p_values = np.array(rows)
    assert (possible_outcomes(p_values, 0.8) <= possible_outcomes(p_values, 0.9)).all()


def test_at_90_a_class_of_eight_cannot_be_excluded_but_one_of_nine_can() -> None:
    # the least p-value among k is 1 / (k + 1); exactly alpha is excluded
    for k, possible in ((8, True), (9, False)):
        y = np.repeat([0, 1], k)
        testers = np.zeros((2 * k, 1), dtype=np.intp)
        reference = conformal_reference(y, testers, y[:, None].astype(float))
        assert possible_outcomes(reference.p_values(np.array([[9.0]])), 0.9)[0, 0] == possible


@pytest.mark.parametrize(("member_noise", "covered"), [(0.3, (0.88, 0.93)), (3.0, (0.95, 1.0))])
def test_sets_hold_the_outcome_of_patients_never_seen_in_each_class(
    member_noise: float, covered: tuple[float, float]
) -> None:
    # members share what they know of a patient; the more each adds of its own, the more the mean
    # over the compared pairs evens out, and the sets hold more than they promise, never less
    rng = np.random.default_rng(7)
    held = []
    for seed in range(60):
        y, testers, _ = study(150, seed)
        outcome = np.arange(1000) % 2
        tested, new = (
            rng.normal(size=(len(label), 1))
            + label[:, None]
            + member_noise * rng.normal(size=(len(label), members))
            for label, members in ((y, 2), (outcome, 10))
        )
        p_values = conformal_reference(y, testers, tested).p_values(new)
        possible = possible_outcomes(p_values, 0.9)
        held.append([possible[outcome == label, label].mean() for label in (0, 1)])
    found = np.mean(held, axis=0)
    assert ((covered[0] < found) & (found < covered[1])).all(), found
