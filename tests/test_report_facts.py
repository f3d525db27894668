"""What the report says and shows: order of merit, choice of cases, tint, fingerprint."""

import numpy as np
import pandas as pd
import pytest

from dyssync.explanation.overlay import blend
from dyssync.report.cohort_facts import data_fingerprint
from dyssync.report.explanation_facts import choose_cases
from dyssync.report.performance import comparisons
from dyssync.study.results import TABLES


@pytest.mark.parametrize(
    ("metric", "difference", "low", "high", "expected"),
    [
        ("auroc", 0.05, -0.01, 0.11, "a and b are not separable in AUROC"),
        ("auroc", 0.05, 0.00, 0.10, "a and b are not separable in AUROC"),
        ("auroc", 0.05, 0.01, 0.09, "a has a higher (better) AUROC than b"),
        ("brier", 0.05, 0.01, 0.09, "a has a higher (worse) Brier score than b"),
        ("accuracy", -0.05, -0.09, -0.01, "a has a lower (worse) Accuracy than b"),
        ("auroc", 0.05, np.nan, np.nan, "a and b cannot be compared in AUROC"),
    ],
)
def test_an_order_is_stated_only_where_the_interval_excludes_zero(
    metric: str, difference: float, low: float, high: float, expected: str
) -> None:
    row = ("fixed", metric, "a", "b", difference, low, high, 0.04, 10)
    (found,) = comparisons(pd.DataFrame([row], columns=list(TABLES["tests"])))
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


def test_fingerprint_depends_on_the_data_and_not_on_their_order() -> None:
    rows = [("P1", "aa", 1), ("P2", "bb", 0), ("P3", "cc", 1)]
    cohort = pd.DataFrame(rows, columns=["patient_id", "sha256", "responder"])
    assert data_fingerprint(cohort) == data_fingerprint(cohort.iloc[::-1])
    assert data_fingerprint(cohort) != data_fingerprint(cohort.assign(responder=[1, 1, 0]))
