"""Holm's adjustment against hand calculation and against the principle it follows from."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyssync.evaluation.multiplicity import holm


def test_four_hypotheses_by_hand() -> None:
    # sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04, and never below the one before
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_it_is_closed_testing_with_bonferroni(values: list[float]) -> None:
    # Marcus, Peritz, Gabriel 1976: reject what every hypothesis that contains it rejects
    family = range(len(values))
    expected = [
        max(
            min(1.0, len(subset) * min(values[i] for i in subset))
            for size in range(1, len(values) + 1)
            for subset in combinations(family, size)
            if member in subset
        )
        for member in family
    ]
    assert holm(np.array(values)) == pytest.approx(expected)


def test_a_test_not_made_stays_unknown_and_costs_the_others_nothing() -> None:
    found = holm(np.array([np.nan, 0.02, np.nan, 0.03]))
    assert np.isnan(found).tolist() == [True, False, True, False]
    assert found[[1, 3]] == pytest.approx([0.04, 0.04])
    assert len(holm(np.empty(0))) == 0
