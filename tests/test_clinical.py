"""Clinical columns: which are taken, what is refused, how they reach a model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dyssync.cohort.cells import age_of, sex_of
from dyssync.cohort.clinical import (
    AGE_NOTE,
    CLINICAL,
    clinical_fact,
    facts_of,
    read_clinical,
    with_clinical,
)
from dyssync.cohort.clinical_table import check_facts, read_facts
from dyssync.cohort.cohort import check_cohort, read_cohort
from dyssync.cohort.plain import plain_facts
from dyssync.ecg import ECG
from dyssync.errors import CohortError
from dyssync.image import ECGImage
from dyssync.models.boosting import Boosting
from dyssync.models.measured import FEATURES, feature_names
from dyssync.models.physiology import SIGNS, constraints
from dyssync.models.rules import GuidelineESC2021, GuidelineHRS2023, QRSArea, StrictLBBB
from dyssync.prediction.training_data import describe_cohort

Toy = tuple[list[ECG], np.ndarray]


def test_values_that_cannot_be_are_named_all_at_once() -> None:
    with pytest.raises(CohortError) as error:
        read_clinical({"lvef": 250, "nyha": "V", "af": "maybe"})
    assert str(error.value) == (
        "lvef is 250; 5 to 80 % is needed, or nothing; nyha is V; 1 to 4 is needed, or nothing; "
        "af is maybe; 0 or 1 is needed, or nothing"
    )


def test_cohort_columns_travel_with_the_ecg_and_bad_ones_are_problems(toy_cohort: Path) -> None:
    table = pd.read_csv(toy_cohort / "cohort.csv")
    table["lvef"], table["nyha"], table["sex"] = 25, "III", "F"
    path = toy_cohort / "clinical.csv"
    table.to_csv(path, index=False)
    (ecg, *_) = read_cohort(path).inputs
    assert dict(ecg.clinical) == {"lvef": 25.0, "nyha": 3.0}
    assert clinical_fact(ecg, "sex") == 1.0
    assert np.isnan(clinical_fact(ecg, "af"))
    table.loc[3, "lvef"] = 900
    table.to_csv(path, index=False)
    _, problems = check_cohort(path)
    assert [p.row for p in problems] == [5]
    assert "lvef is 900" in str(problems[0])


def test_facts_stay_beside_a_picture() -> None:
    page = ECGImage(np.full((480, 640, 3), 255, np.uint8))
    assert facts_of(page) == {}
    told = with_clinical(page, {"lvef": 25, "sex": "F", "age": ">89"})
    assert facts_of(told) == {"age": 90.0, "sex": 1.0, "lvef": 25.0}
    assert AGE_NOTE in told.notes
    assert told.pixels is page.pixels
    assert facts_of(with_clinical(told, {"lvef": 30})) == {**facts_of(told), "lvef": 30.0}


def test_a_bundle_expects_the_facts_that_most_training_patients_had(toy_cohort: Path) -> None:
    table = pd.read_csv(toy_cohort / "cohort.csv")
    table["lvef"], table["nyha"], table["af"] = 25, None, None
    table.loc[:15, "nyha"] = 3  # a third
    table.loc[:31, "af"] = 0  # two thirds
    path = toy_cohort / "known.csv"
    table.to_csv(path, index=False)
    known = describe_cohort(read_cohort(path)).signals
    assert known is not None
    assert known.clinical == ("lvef", "af")
    assert known.fs_range == (250.0, 250.0)


def test_no_outcome_is_ever_a_feature() -> None:
    outcome = ("lvesv", "responder", "response", "followup", "truth")
    for features in FEATURES:
        names = feature_names(features, clinical=True)
        assert len(set(names)) == len(names)
        assert not [n for n in names if any(word in n for word in outcome)]
    assert not set(CLINICAL) & {"lvesv_baseline_ml", "lvesv_followup_ml", "responder"}


def test_boosting_uses_a_clinical_column_and_keeps_its_sign(toy: Toy) -> None:
    x, _ = toy
    x = [x[0]] * 48  # one ECG: nothing but the chart tells patients apart
    nyha = np.tile([2.0, 3.0], 24)
    patients = [replace(e, clinical={"nyha": n}) for e, n in zip(x, nyha, strict=True)]
    worse = (nyha == 3).astype(int)
    fitted = Boosting(rounds=30, min_leaf=3, column_share=1.0, monotone=False).fit(patients, worse)
    p = fitted.response_probability(patients)
    assert p[worse == 1].min() > p[worse == 0].max() + 0.1
    # against the sign of the literature, the constrained trees find nothing
    bound = Boosting(rounds=30, min_leaf=3, column_share=1.0).fit(patients, worse)
    assert np.ptp(bound.response_probability(patients)) == pytest.approx(0, abs=1e-12)


def test_every_sign_is_that_of_a_feature() -> None:
    names = feature_names("both", clinical=True)
    assert set(SIGNS) <= set(names)
    assert set(constraints(names)) == {-1, 0, 1}


def test_guideline_says_what_it_had_to_assume(toy: Toy) -> None:
    ecg = next(e for e, y in zip(*toy, strict=True) if y)  # QRS of 150 ms and more
    bare, known = ecg, replace(ecg, sex="F", clinical={"lvef": 25.0, "nyha": 2.0, "af": 0.0})
    rule = GuidelineESC2021()
    assert "taken to meet the condition: lvef, nyha" in rule.statement(bare)
    assert "taken to meet" not in rule.statement(known)
    assert "not checked" not in rule.statement(known)
    in_af = replace(known, clinical={"lvef": 25.0, "nyha": 3.0, "af": 1.0})
    assert "not checked" in rule.statement(in_af)
    healthy = replace(known, clinical={"lvef": 60.0})
    assert np.isnan(rule.score(healthy))
    (limit,) = rule.limits([bare, known])
    assert limit.startswith("not known for some patients: lvef (1 of 2), nyha (1 of 2); LVEF and")
    assert GuidelineHRS2023().limits([known]) == ()


def test_qrs_area_reads_the_published_cutoffs(toy: Toy) -> None:
    ecg = toy[0][1]
    area = QRSArea().score(ecg)
    assert QRSArea(cutoff=area - 1).score(ecg) == 1.0
    assert QRSArea(cutoff=area + 1).score(ecg) == 0.0
    statement = QRSArea().statement(ecg)
    published = ((69, "Mafi Rad 2014"), (98, "van Deursen 2015"), (102, "PMC6898809"))
    for cutoff, source in (*published, (109, "Ghossein 2021")):
        assert f"{cutoff} ({source})" in statement
    assert StrictLBBB().statement(ecg) == "strict LBBB not met"


def test_facts_for_prediction_name_every_bad_row(tmp_path: Path) -> None:
    table = tmp_path / "facts.csv"
    table.write_text(
        "ecg,lvef,sex,age\na/one.hea,20,W,90+\ntwo.hea,2000,M,\none.hea,,,\nb.hea,,1,999\n"
    )
    with pytest.raises(CohortError) as error:
        read_facts(table)
    assert "row 3: lvef is 2000" in str(error.value)
    assert "row 4: one.hea is there twice" in str(error.value)
    assert "row 5: age is 999" in str(error.value)
    assert "; sex is 1" in str(error.value)
    table.write_text("ecg,lvef,sex\na/one.hea,20,W\n")
    facts = read_facts(table)
    with pytest.raises(CohortError, match=r"no row in the clinical table for two\.hea"):
        check_facts(facts, ["one.hea", "two.hea"])


@pytest.mark.parametrize(
    ("cell", "years"),
    [
        *((69, 69), ("69.0", 69), ("63,5", 63.5), ("071Y", 71), ("71 años", 71), ("６９歳", 69)),
        *((">89", 90), ("> 89", 90), ("90+", 90), ("≥90", 90), ("90 or older", 90)),
        *(("", None), (None, None), (float("nan"), None), ("n/a", None)),
        *((999, "no"), (-5, "no"), ("300", "no"), ("inf", "no"), ("60-69", "no"), (">18", "no")),
        *(("1950-03-01", "no"), ("old", "no"), (True, "no"), (0, "no"), ("1,234", "no")),
    ],
)
def test_an_age_is_read_or_is_a_problem(cell: object, years: float | str | None) -> None:
    if years == "no":
        with pytest.raises(CohortError, match="needed, or nothing"):
            age_of(cell)
        return
    found = age_of(cell)
    assert (found and found.years) == years
    if found:
        assert bool(found.caution) == (years == 90)


def test_words_for_sexes_of_many_languages() -> None:
    women = "female Frau MUJER mulher donna femme vrouw kvinna nainen kobieta žena zena nő γυναίκα"
    men = "male Mann hombre homem uomo homme man mies mężczyzna mezczyzna muž férfi ferfi άνδρας"
    for words, sex in ((women, "F"), (men, "M"), ("женский 女性 女 여성 여", "F")):
        assert {sex_of(word) for word in words.split()} == {sex}
    assert {sex_of(word) for word in ("мужской", "男性", "男", "남성", "남", "m", "M.")} == {"M"}
    assert {sex_of(cell) for cell in ("", None, "unknown", "divers", float("nan"))} == {None}
    for guess in ("1", 0, 2, "K", "H", "N", "V", "U", "no", "Mu", "Fx"):
        with pytest.raises(CohortError, match="sex is"):
            sex_of(guess)


def test_m_is_no_code_beside_the_letters_of_another_language() -> None:
    table = pd.DataFrame({"patient_id": ["a", "b", "c"], "sex": ["H", "M", "Mujer"]})
    found = plain_facts(table)
    assert [p.row for p in found.problems] == [2, 3]
    assert found.table["sex"].isna().tolist() == [True, True, False]
    assert plain_facts(table.assign(sex=["F", "M", "W"])).table["sex"].tolist() == ["F", "M", "F"]
    codes = plain_facts(table.assign(sex=["F", "M", "U"]))
    assert not codes.problems
    assert codes.table["sex"].isna().tolist() == [False, False, True]


def test_one_unreadable_cell_takes_no_other_along(toy_cohort: Path) -> None:
    table = pd.read_csv(toy_cohort / "cohort.csv")
    n = len(table)
    table["age"], table["sex"], table["lvef"] = ["69"] * n, ["Mujer", "Hombre"] * (n // 2), "25 %"
    table.loc[0, "age"], table.loc[3, "age"], table.loc[5, "sex"] = ">89", "elderly", "1"
    path = toy_cohort / "facts.csv"
    table.to_csv(path, index=False)
    found, problems = check_cohort(path)
    assert [(p.row, p.text.split(";")[0]) for p in problems] == [
        (5, "age is elderly"),
        (7, "sex is 1"),
    ]
    assert [(p.row, p.text.split(":")[0]) for p in found.cautions] == [(2, "age is >89")]
    cohort = read_cohort(path, exclude_problems=True)
    ages = [clinical_fact(ecg, "age") for ecg in cohort.inputs]
    assert ages == [90.0, *[69.0] * (n - 3)]
    assert [clinical_fact(ecg, "sex") for ecg in cohort.inputs[:3]] == [1.0, 0.0, 1.0]
    assert {ecg.clinical["lvef"] for ecg in cohort.signals} == {25.0}


def test_predict_reads_its_table_by_the_same_rules(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text("ecg,age,sex\na.hea,90+,Femme\n")
    seen = with_clinical(replace(toy[0][0], sex="M"), read_facts(path)["a.hea"])
    assert (seen.sex, seen.age) == ("F", 90.0)
    assert "90 is taken" in seen.notes[AGE_NOTE]


def test_chart_overrides_the_file(toy: Toy) -> None:
    ecg = replace(toy[0][0], sex="M", age=40.0)
    seen = with_clinical(ecg, {"sex": "female", "age": 71})
    assert (seen.sex, seen.age) == ("F", 71.0)
    kept = with_clinical(ecg, {"sex": None, "age": float("nan")})
    assert (kept.sex, kept.age) == ("M", 40.0)
