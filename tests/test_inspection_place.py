"""A patient's place among those of the study is found under the same members."""

import numpy as np
import pytest
from scipy.special import logit

from dyssync.inspection.place import place_among
from dyssync.prediction.crossfit import CrossFit

# member 2 says one more than member 1 of everybody: only like with like tells the order
FIT = CrossFit(
    members=("fit-1", "fit-2"), centres=(0.0, 0.0), scales=(1.0, 1.0), slope=1.0, intercept=0.0,
    graded_slope=1.0, graded_intercept=0.0, base_rate=0.5, outcomes=(0, 0, 1, 1, 1),
    tested_by=((0,), (1,), (0,), (1,), (0,)), scores=((0.1,), (1.2,), (0.3,), (1.4,), (0.5,)),
)  # fmt: skip


@pytest.mark.parametrize(("score", "below"), [(0.0, 0), (0.25, 2), (0.3, 2.5), (0.45, 4), (9.0, 5)])
def test_those_with_less_are_counted_like_with_like(score: float, below: float) -> None:
    found = place_among(FIT, np.array([score, score + 1]))
    assert found is not None
    assert (found.below, found.of) == (pytest.approx(below), 5)


def test_the_nearest_are_those_of_like_score() -> None:
    found = place_among(FIT, np.array([0.11, 1.11]))
    assert found is not None
    assert (found.responded, found.nearest) == (0, 1)
    assert found.outcomes == FIT.outcomes
    np.testing.assert_allclose(logit(found.probabilities), [0.1, 1.2, 0.3, 1.4, 0.5])


def test_who_has_no_score_has_no_place() -> None:
    assert place_among(FIT, np.array([np.nan, 1.0])) is None
