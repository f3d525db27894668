"""The bound of net benefit gained that holds at all thresholds together."""

import numpy as np

from dyssync.evaluation.bootstrap import net_benefit_band, patient_weights
from dyssync.evaluation.gains import net_benefit_gain
from dyssync.evaluation.simultaneous import gain_lower_bound

GRID = np.linspace(0.3, 0.7, 41)


def cohort(seed: int, n: int, distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and calibrated probabilities of two normal classes `distance` SD apart."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.6).astype(np.int64)
    x = distance * y + rng.standard_normal(n)
    return y, 1 / (1 + np.exp(-(distance * x - distance**2 / 2 + np.log(1.5))))


def test_bound_lies_below_the_pointwise_band_and_falls_with_the_number_of_models() -> None:
    y, p = cohort(1, 300, 1.0)
    weight = patient_weights(300, seed=1)
    one, ten = (gain_lower_bound(y, p, weight, GRID, models=m) for m in (1, 10))
    pointwise = net_benefit_band(y, p, weight, GRID).low
    moving = one != 0
    assert moving.any()
    assert (one[moving] <= pointwise[moving] + 0.005).all()
    assert (ten <= one).all()


def test_a_model_that_treats_all_gains_nothing_and_is_not_shown_to() -> None:
    y, _ = cohort(2, 200, 1.0)
    p = np.full(200, 0.95)
    weight = patient_weights(200, seed=2)
    bound = gain_lower_bound(y, p, weight, GRID)
    assert (bound <= 0).all()
    assert net_benefit_gain(y, p, 0.3) == 0


def test_useless_models_are_seldom_shown_to_help_and_a_good_one_mostly_is() -> None:
    def shown(seed: int, distance: float) -> bool:
        y, p = cohort(seed, 285, distance)
        if distance == 0:  # noise about the base rate
            p = 1 / (1 + np.exp(-(0.4 + 0.4 * np.random.default_rng(seed + 900).normal(size=285))))
        bound = gain_lower_bound(y, p, patient_weights(285, seed, draws=300), GRID)
        return bool((bound > 0).any())

    assert sum(shown(seed, 0.0) for seed in range(100)) <= 5  # 2.5 % or fewer are expected
    assert sum(shown(seed, 2.0) for seed in range(20)) >= 18
