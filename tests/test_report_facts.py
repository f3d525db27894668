"""What the report says and shows: order of merit, choice of cases, tint, numbers as text."""

import numpy as np
import pandas as pd
import pytest

from dyssync.explanation.overlay import blend
from dyssync.report.map_facts import choose_cases
from dyssync.report.pairs import comparisons
from dyssync.report.wording import metric
from dyssync.study.results import TABLES


@pytest.mark.parametrize(
    ("name", "difference", "low", "high", "expected"),
    [
        ("auroc", 0.05, -0.01, 0.11, "a and b are not separable in AUROC"),
        ("auroc", 0.05, 0.00, 0.10, "a and b are not separable in AUROC"),
        ("auroc", 0.05, 0.01, 0.09, "a has a higher (better) AUROC than b"),
        ("brier", 0.05, 0.01, 0.09, "a has a higher (worse) Brier score than b"),
        ("accuracy", -0.05, -0.09, -0.01, "a has a lower (worse) Accuracy than b"),
        ("auroc", 0.05, np.nan, np.nan, "a and b cannot be compared in AUROC"),
        ("slope", 0.05, 0.01, 0.09, "a has a higher Slope than b"),  # which way is not known
    ],
)
def test_an_order_is_stated_only_where_the_interval_excludes_zero(
    name: str, difference: float, low: float, high: float, expected: str
) -> None:
    row = ("fixed", name, "a", "b", difference, low, high, 0.04, 10)
    summary = {(model, "fixed", name): {"mean": 0.6} for model in "ab"}
    (found,) = comparisons(pd.DataFrame([row], columns=list(TABLES["tests"])), summary)
    assert found.sentence.startswith(expected)


def test_gallery_takes_the_cases_nearest_to_the_percentiles_and_no_zero_map() -> None:
    p = np.linspace(0, 1, 11)
    rows = pd.DataFrame(
        {
            "seed": 1,
            "patient_id": [f"P{i}" for i in range(11)],
            "p": p,
            "region": "limb",
            "zero_map": [i == 5 for i in range(11)],
        }
    )
    assert [case.index for case in choose_cases("m", rows)] == [1, 4, 9]
    assert [case.index for case in choose_cases("m", rows.head(1))] == [0]


def test_overlay_tints_white_paper_only_where_the_map_is_high() -> None:
    picture = np.full((8, 8), 255, dtype=np.uint8)
    cam = np.zeros((2, 2), dtype=np.float32)
    cam[0, 0] = 4.0
    tinted = blend(picture, cam, scale=2.0)
    np.testing.assert_allclose(tinted[7, 7], 1.0)
    assert tinted[0, 0, 2] < 0.1
    np.testing.assert_allclose(blend(255 - picture, cam, 2.0), tinted)  # dark pages are inverted


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ppv", 0.8125, "81.2"),
        ("auroc", 0.8125, "0.812"),
        ("auroc", -0.0002, "0.000"),  # no minus
        ("auroc", np.nan, "not defined"),
        ("threshold", 0.5, "0.500"),
    ],
)
def test_a_metric_is_written_in_its_own_scale(name: str, value: float, expected: str) -> None:
    assert metric(name).number(value) == expected


def test_differences_are_written_with_their_sign() -> None:
    signed = [metric("ppv").number(value, signed=True) for value in (0.05, -0.05, 0.0)]
    assert signed == ["+5.0", "\N{MINUS SIGN}5.0", "0.0"]
