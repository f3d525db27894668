"""Differences between cohorts, by hand and in their properties."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import special

from dyssync.errors import InputError
from dyssync.evaluation.case_mix import case_mix, predictor_mix


def test_differences_by_hand() -> None:
    first = pd.DataFrame({"age": [60.0, 70.0, 80.0, np.nan], "af": [0, 0, 0, 1]})
    second = pd.DataFrame({"age": [70.0, 80.0, 90.0], "af": [True, True, False]})
    age, af = case_mix(first, second)
    # SD 10 in both; shares 1/4 and 2/3, variances 3/16 and 2/9
    assert (age.binary, age.standardised) == (False, pytest.approx(1.0))
    assert (age.first.known, age.first.missing, age.first.mean) == (3, 1, 70)
    assert af.binary
    assert af.standardised == pytest.approx((2 / 3 - 1 / 4) / math.sqrt((3 / 16 + 2 / 9) / 2))


def test_it_knows_no_unit_and_changes_sign_with_the_order() -> None:
    rng = np.random.default_rng(0)
    a, b = (pd.DataFrame({"qrs": 150 + 20 * rng.standard_normal(50)}) for _ in range(2))
    there, back = case_mix(a, b)[0], case_mix(b, a)[0]
    seconds = case_mix(a / 1000, b / 1000)[0]
    assert there.standardised == pytest.approx(-back.standardised)
    assert there.standardised == pytest.approx(seconds.standardised)


def test_what_a_cohort_lacks_is_missing_in_all_of_it() -> None:
    first = pd.DataFrame({"lvef": [25.0, 30.0]})
    second = pd.DataFrame({"nyha": pd.array([3, None, 2], dtype="Int64")})
    lvef, nyha = case_mix(first, second)
    assert (lvef.second.known, lvef.second.missing) == (0, 3)
    assert (nyha.second.known, nyha.second.missing) == (2, 1)
    assert math.isnan(lvef.second.mean)
    assert math.isnan(lvef.standardised)


def test_cohorts_without_spread_are_equal_or_infinitely_far() -> None:
    men, women = pd.DataFrame({"sex": [1, 1]}), pd.DataFrame({"sex": [0, 0]})
    assert case_mix(men, men)[0].standardised == 0
    assert case_mix(men, women)[0].standardised == -math.inf


def test_text_is_named() -> None:
    with pytest.raises(InputError, match="case mix: centre: text found"):
        case_mix(pd.DataFrame({"centre": ["A"]}), pd.DataFrame({"age": [60]}))


def test_linear_predictors_of_two_cohorts() -> None:
    rng = np.random.default_rng(1)
    wide, narrow = 0.5 + rng.standard_normal(500), rng.standard_normal(400) / 2
    found = predictor_mix(special.expit(wide), special.expit(np.append(narrow, np.nan)))
    assert (found.first.mean, found.first.sd) == pytest.approx((wide.mean(), wide.std(ddof=1)))
    assert (found.second.mean, found.second.sd) == pytest.approx(
        (narrow.mean(), narrow.std(ddof=1))
    )
    assert found.second.missing == 1
