"""Every level of every group: right numbers, or a reason for none."""

import numpy as np
import pandas as pd
import pytest

from dyssync.errors import InputError
from dyssync.evaluation.metrics import auroc
from dyssync.evaluation.patient_groups import groups_of
from dyssync.evaluation.subgroups import NOT_KNOWN, subgroups


def answers(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(3, 2, n)
    return (rng.random(n) < p).astype(np.int64), p


def test_each_level_has_the_numbers_of_its_patients() -> None:
    y, p = answers(300)
    centre = np.array(["B", "A", "C"])[np.arange(300) % 3]
    found = subgroups(pd.DataFrame({"centre": centre}), y, p)
    assert [group.level for group in found] == ["A", "B", "C"]
    a, own = found[0], centre == "A"
    assert (a.n, a.responders) == (100, y[own].sum())
    assert a.auroc == pytest.approx(auroc(y[own], p[own]))
    assert a.mean_p == pytest.approx(p[own].mean())
    assert a.oe == pytest.approx(y[own].mean() / p[own].mean())
    assert a.oe_low < a.oe < a.oe_high
    assert a.auroc_low < a.auroc < a.auroc_high


def test_not_known_is_neither_yes_nor_no() -> None:
    y, p = answers(400)
    af = np.tile([0.0, 1.0, np.nan, 0.0], 100)
    found = subgroups(pd.DataFrame({"af": af, "centre": ["A", "", None, " "] * 100}), y, p)
    assert [(g.group, g.level, g.n) for g in found] == [
        ("af", "no", 200),
        ("af", "yes", 100),
        ("af", NOT_KNOWN, 100),
        ("centre", "A", 100),
        ("centre", NOT_KNOWN, 300),
    ]


@pytest.mark.parametrize("values", [[True, False], [1, 0], [1.0, 0.0]])
def test_yes_and_no_however_they_are_stored(values: list[object]) -> None:
    y, p = answers(200)
    found = subgroups(pd.DataFrame({"lbbb": values * 100}), y, p)
    assert [group.level for group in found] == ["no", "yes"]


def test_a_level_with_few_of_a_class_is_refused() -> None:
    y = np.array([1] * 30 + [0] * 20 + [1] * 30 + [0] * 19)
    _, p = answers(len(y))
    many, few = subgroups(pd.DataFrame({"group": ["a"] * 50 + ["b"] * 49}), y, p)
    assert many.refused == ""
    assert few.refused == "fewer than 20 non-responders"
    assert (few.n, few.responders) == (49, 30)
    assert np.isnan([few.mean_p, few.oe, few.oe_low, few.oe_high, few.auroc, few.auroc_low]).all()


def test_a_patient_without_probability_is_counted_apart() -> None:
    y, p = answers(100)
    p[:7] = np.nan
    (group,) = subgroups(pd.DataFrame({"sex": ["female"] * 100}), y, p)
    assert (group.n, group.unanswered) == (93, 7)
    assert group.auroc == auroc(y[7:], p[7:])


def test_intervals_hold_the_truth_in_95_of_100_cohorts() -> None:
    # the model is right, so O/E is 1; the AUROC of the whole population is that of all cohorts
    y, p = answers(150 * 400, seed=1)
    cohorts = np.repeat(np.arange(400), 150)
    found = subgroups(pd.DataFrame({"cohort": [f"{c:03d}" for c in cohorts]}), y, p)
    truth = auroc(y, p)
    area = np.mean([g.auroc_low <= truth <= g.auroc_high for g in found])
    ratio = np.mean([g.oe_low <= 1 <= g.oe_high for g in found])
    assert area == pytest.approx(0.95, abs=0.03)
    assert ratio == pytest.approx(0.97, abs=0.03)  # expected responders vary with the observed


def test_the_interval_of_the_auroc_is_delong_s() -> None:
    # by the definition, patient by patient: 90 responders, 25 others, with ties
    rng = np.random.default_rng(2)
    y = (np.arange(115) < 90).astype(np.int64)
    p = np.round(np.clip(0.4 + 0.15 * y + 0.2 * rng.standard_normal(115), 0.01, 0.99), 1)
    (group,) = subgroups(pd.DataFrame({"sex": ["male"] * 115}), y, p)

    def placements(of: np.ndarray, among: np.ndarray) -> list[float]:
        return [sum((a < x) + 0.5 * (a == x) for a in among) / len(among) for x in of]

    yes, no = p[y == 1], p[y == 0]
    variance = np.var(placements(yes, no), ddof=1) / 90 + np.var(placements(no, yes), ddof=1) / 25
    assert group.auroc - group.auroc_low == pytest.approx(1.95996 * np.sqrt(variance), rel=1e-5)


def test_lengths_must_agree() -> None:
    with pytest.raises(InputError, match="2 patients, 1 outcomes, 2 probabilities"):
        subgroups(pd.DataFrame({"sex": ["f", "m"]}), np.ones(1, dtype=np.int64), np.ones(2))


@pytest.mark.parametrize("column", ["centre", "center", "site"])
def test_groups_are_told_in_words_and_what_is_not_known_in_none(column: str) -> None:
    facts = pd.DataFrame(
        {"sex": [1.0, 0.0, np.nan], "af": [0.0, np.nan, 1.0], "qrs_ms": [149.0, 150.0, np.nan]},
        index=["a", "b", "c"],
    )
    table = pd.DataFrame({"patient_id": ["c", "a", "a", "b"], column: ["X", None, "Y", "X"]})
    found = groups_of(facts, table)
    assert found.loc["a"].tolist() == ["women", "no", "no", "Y"]
    assert found.loc["b"].fillna("").tolist() == ["men", "", "yes", "X"]
    assert found.loc["c"].fillna("").tolist() == ["", "yes", "", "X"]
