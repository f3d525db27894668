"""Trees say through the C library what they say through LightGBM's Python package."""

import lightgbm
import numpy as np
import pytest

from dyssync.learning.trees import Trees


@pytest.fixture(scope="module")
def grown() -> tuple[lightgbm.Booster, np.ndarray]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 30))
    y = values[:, 0] + values[:, 1] > 0
    values[rng.random(values.shape) < 0.1] = np.nan
    data = lightgbm.Dataset(values, y, params={"verbosity": -1})
    return lightgbm.train({"objective": "binary", "verbosity": -1}, data, 20), values


@pytest.mark.parametrize("rounds", [1, 7, 20])
def test_scores_and_contributions_are_lightgbm_s(
    grown: tuple[lightgbm.Booster, np.ndarray], rounds: int
) -> None:
    booster, values = grown
    trees = Trees(booster.model_to_string(num_iteration=rounds))
    expected = booster.predict(values, raw_score=True, num_iteration=rounds)
    np.testing.assert_array_equal(trees.scores(values), expected)
    shares = booster.predict(values, pred_contrib=True, num_iteration=rounds)
    np.testing.assert_array_equal(trees.contributions(values), shares)
    np.testing.assert_allclose(shares.sum(axis=1), expected, atol=1e-9)
