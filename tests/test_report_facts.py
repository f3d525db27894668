"""What the report says and shows: patients, deferral, choice of cases, tint, numbers as text."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dyssync.evaluation.delong import auroc_interval
from dyssync.explanation.overlay import blend
from dyssync.models.combined import INPUTS
from dyssync.models.measured import feature_names
from dyssync.report.map_facts import choose_cases, colour_scale, model_maps
from dyssync.report.overview import look_over
from dyssync.report.patient_table import clinical_facts, lines
from dyssync.report.sections import SECTIONS
from dyssync.report.sections.features import known_meanings
from dyssync.report.wording import metric, percent
from dyssync.study.results import EXPLANATION_TABLES, StudyResults


def test_the_first_table_counts_what_is_not_known_and_keeps_the_sign() -> None:
    patients = pd.DataFrame(
        {
            "patient_id": list("abcdef"),
            "sex": ["M", "F", "", "M", "F", "F"],
            "lvef": [20, 30, 25, 30, 40, None],
            "nyha": ["III", "2", "", "IV", "i", "2"],
        }
    )
    facts = clinical_facts(patients)
    found = {line.label: line for line in lines(facts[:3], facts[3:])}
    assert found["Male"].first == "1 (50\xa0%); 1 not known"
    assert found["LVEF, %"].second == "35.0 ± 7.1; 1 not known"
    assert found["LVEF, %"].difference == "\N{MINUS SIGN}1.63"  # (25 - 35) / sqrt((25 + 50) / 2)
    assert found["NYHA class III or IV"].second == "1 (33\xa0%)"
    assert "Age, years" not in found  # no such column


def test_a_group_is_not_known_rather_than_no(golden_run: StudyResults) -> None:
    cohort = golden_run.tables["cohort"].assign(af=np.nan)
    study = look_over(replace(golden_run, tables={**golden_run.tables, "cohort": cohort}))
    levels = [one for one in SECTIONS["subgroups"].gather(study).levels if "fibril" in one.group]
    assert [(one.level, one.n) for one in levels] == [("not known", 60)]


def test_a_group_of_all_patients_has_the_auroc_of_the_study(golden_run: StudyResults) -> None:
    # the same ranks (logits, not recalibrated probabilities) and the same widening for refits
    cohort = golden_run.tables["cohort"].assign(centre=["A"] * 59 + ["B"], sex="M")
    answers = golden_run.tables["answers"].query("model == 'ridge'")
    cohort, answers = (
        pd.concat([t.assign(patient_id=t["patient_id"] + k) for k in "ab"], ignore_index=True)
        for t in (cohort, answers)
    )  # 20 of each class are needed
    tables = {**golden_run.tables, "cohort": cohort, "answers": answers}
    study = look_over(replace(golden_run, tables=tables))
    (everybody,) = (x for x in SECTIONS["subgroups"].gather(study).levels if x.group == "Sex")
    y, z = (answers[name].to_numpy() for name in "yz")
    found = auroc_interval(y, z, study.refit_factor)
    assert found.auroc != auroc_interval(y, answers["p"].to_numpy()).auroc
    assert everybody.cells[0][1] == f"AUROC {found.auroc:.3f} [{found.low:.3f}, {found.high:.3f}]"


def test_deferral_counts_each_patient_once(golden_run: StudyResults) -> None:
    answers = golden_run.tables["answers"]
    rows = answers[answers["model"] == "ridge"]
    said, y = rows["set_90"], rows["y"]
    wrong = ((said == "responder") & (y == 0)) | ((said == "non-responder") & (y == 1))
    study = look_over(golden_run)
    (found,) = (
        one
        for one in SECTIONS["deferral"].gather(study)
        if (one.model, one.level) == ("ridge", 0.9)
    )
    assert (found.n, found.wrong) == (60, wrong.sum())
    assert found.decided + found.deferred == 60


def test_deaths_and_the_lost_move_the_share_of_responders(golden_run: StudyResults) -> None:
    gone = pd.DataFrame({"patient_id": list("abc"), "followup": ["died", "died", "lost"]})
    tables = {**golden_run.tables, "without_outcome": gone}
    study = look_over(replace(golden_run, tables=tables))
    found = SECTIONS["cohort"].gather(study).without
    n = study.cohort.responders
    expected = [n / 60, n / 62, n / 63, (n + 1) / 63]
    assert [share for _, share in found.shares] == [percent(share, 1) for share in expected]


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


def test_full_colour_is_the_99th_percentile_of_what_is_above_zero(
    golden_run: StudyResults,
) -> None:
    cams = golden_run.maps["resnet18"]
    values = np.zeros((2, 10, 11), np.float32)
    values.flat[:101] = np.arange(101)  # 100 values above zero, the rest is nothing
    assert colour_scale(replace(cams, maps=values)) == pytest.approx(99.01)
    assert colour_scale(replace(cams, maps=np.zeros_like(values))) == 0


def test_an_even_map_gives_each_lead_the_area_of_its_boxes(golden_run: StudyResults) -> None:
    (maps,) = model_maps(golden_run)
    even = dict(zip(maps.leads.leads, maps.leads.even, strict=True))
    assert sum(even.values()) == pytest.approx(1)
    # 3x4 with a rhythm strip of lead II four columns wide: 16 boxes' worth, five of them of II
    assert (even["II"], even["V1"]) == pytest.approx((5 / 16, 1 / 16), rel=0.05)
    assert sum(maps.leads.shares) == pytest.approx(1)


def test_the_five_largest_features_are_listed_and_a_weak_direction_is_mixed(
    golden_run: StudyResults,
) -> None:
    rows = [
        ("m", f"feature_{k}", 0.6 - 0.1 * k, 0.01, direction, 2)
        for k, direction in enumerate((0.5, 0.49, -0.5, np.nan, 1.0, 1.0, 1.0))
    ]
    table = pd.DataFrame(rows, columns=list(EXPLANATION_TABLES["importances"]))
    results = replace(golden_run, explanations={**golden_run.explanations, "importances": table})
    found = SECTIONS["features"].gather(look_over(results))
    assert [row.direction for row in found] == [
        "larger: likelier", "mixed", "larger: less likely", "mixed", "larger: likelier",
    ]  # fmt: skip


def test_the_report_says_what_each_thing_is_that_a_model_may_have_used() -> None:
    used = {*INPUTS, *feature_names("dictionary", clinical=True)}
    assert {name for name in used if not known_meanings().get(name)} == set()
