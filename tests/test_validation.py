"""External validation: a small bundle on another cohort of formula ECGs."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from dyssync.cli import main
from dyssync.errors import CohortError, ConfigError
from dyssync.evaluation import calibration
from dyssync.evaluation.case_mix import predictor_mix
from dyssync.evaluation.delong import auroc_interval
from dyssync.evaluation.updating import INTERCEPT, INTERCEPT_AND_SLOPE, Update, closed_test
from dyssync.formats import read_ecg
from dyssync.formats.wfdb import write_wfdb
from dyssync.prediction.bundle import load_bundle
from dyssync.prediction.members import load_answerer
from dyssync.prediction.predictor import Predictor
from dyssync.report.validation_page import write_validation_page
from dyssync.simulation.leads import twelve_leads
from dyssync.study.results import read_csv
from dyssync.validation.grading import grade
from dyssync.validation.record import VALIDATION, ValidationRecord
from dyssync.validation.results import Validation
from dyssync.validation.run import Asked, validate
from dyssync.validation.updates import ClosedTest, closed_tests, recalibrated, save_updated
from dyssync.validation.wording import verdict

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("run")

MODELS = ("logistic", "qrs-area", "prevalence")
PATIENTS = 60  # of the fixture `elsewhere`


@pytest.fixture(scope="module")
def found(finished_run: Path, elsewhere: Path) -> Validation:
    """The validation of three quick models, updates asked for."""
    return validate(load_bundle(finished_run), elsewhere, Asked(MODELS, update=True))


def of(found: Validation, model: str) -> tuple[np.ndarray, np.ndarray]:
    own = found.tables["answers"].query("model == @model")
    return own["y"].to_numpy(), own["p"].to_numpy()


def estimate(found: Validation, model: str, metric: str) -> pd.Series:
    table = found.tables["estimates"]
    return table[(table["model"] == model) & (table["metric"] == metric)].iloc[0]


def test_answers_are_those_of_predict(
    found: Validation, finished_run: Path, elsewhere: Path
) -> None:
    predictor = Predictor(load_bundle(finished_run), MODELS)
    answers = found.tables["answers"].set_index(["model", "patient_id"])
    said = predictor.predict(read_ecg(elsewhere.parent / "e05_0.hea")).models
    for model in MODELS:
        row = answers.loc[(model, "E05")]
        assert row["p"] == pytest.approx(said[model].probability, abs=1e-12)
        assert (row["set_80"], row["set_90"]) == (said[model].set_80, said[model].set_90)
        assert row["basis"] == said[model].basis


def test_patient_with_two_recordings_has_one_answer_from_the_mean_logit(
    found: Validation, finished_run: Path, elsewhere: Path
) -> None:
    members = load_answerer(load_bundle(finished_run), "qrs-area").usual
    pair = [read_ecg(elsewhere.parent / f"e03_{k}.hea") for k in range(2)]
    mean = members.logits(pair).mean(axis=0)
    rows = found.tables["answers"].query("model == 'qrs-area' and patient_id == 'E03'")
    assert rows["recordings"].tolist() == [2]
    assert rows["p"].item() == pytest.approx(members.fit.answer(mean[None]).p[0])


def test_numbers_are_those_of_the_evaluation_of_answers_nobody_was_fitted_to(
    found: Validation,
) -> None:
    for model in ("logistic", "qrs-area"):
        y, p = of(found, model)
        assert len(y) == PATIENTS
        area = auroc_interval(y, p, 1.0)
        row = estimate(found, model, "auroc")
        assert tuple(row[["value", "low", "high"]]) == (area.auroc, area.low, area.high)
        expected = {
            "observed_to_expected": y.sum() / p.sum(),
            "calibration_in_the_large": calibration.calibration_in_the_large(y, p),
            "calibration_slope": calibration.calibration_slope(y, p),
            "brier": np.mean((p - y) ** 2),
        }
        for metric, value in expected.items():
            assert estimate(found, model, metric)["value"] == pytest.approx(value), metric


def test_closed_test_and_case_mix_are_those_of_the_answers(
    found: Validation, finished_run: Path
) -> None:
    y, p = of(found, "qrs-area")
    row = found.tables["update"].set_index("model").loc["qrs-area"]
    test = closed_test(y, p)
    assert (row["choice"], row["p_original"]) == (test.choice, test.p_original)
    oof = read_csv(finished_run / "answers.csv").query("model == 'qrs-area'")
    fit = load_bundle(finished_run).answering("qrs-area").usual
    graded = expit(fit.graded_intercept + fit.graded_slope * oof["z"].to_numpy())
    expected = predictor_mix(graded, p)
    spread = found.record.predictors["qrs-area"]
    assert spread.mean == pytest.approx(expected.first.mean)
    assert spread.standardised == pytest.approx(expected.standardised)


def test_flow_counts_who_died_or_was_lost_and_facts_what_nobody_knows(found: Validation) -> None:
    flow = found.record.flow
    assert (flow.patients, flow.recordings, flow.died, flow.lost) == (60, 61, 1, 1)
    assert (flow.excluded, flow.responders) == (0, 40)
    assert (flow.worst, flow.best) == (40 / 62, 41 / 62)
    assert found.record.facts["sex"].mean_here == 0.5
    assert found.record.facts["lvef"].missing_here == PATIENTS
    assert any("whole cohort only" in said for said in found.record.cautions)


def test_every_table_has_every_model_and_only_one_names_patients(
    found: Validation, tmp_path: Path
) -> None:
    found.write(tmp_path)
    for name in ("estimates", "coverage", "subgroups", "update"):
        table = read_csv(tmp_path / f"{name}.csv")
        assert set(table["model"]) == set(MODELS)
        assert "patient_id" not in table
    assert ValidationRecord.load(tmp_path / VALIDATION) == found.record
    for path in tmp_path.glob("*"):
        if path.is_file() and path.name != "answers.csv":
            assert "E05" not in path.read_text()
    groups = found.tables["subgroups"]
    assert {"Sex", "Left bundle-branch block"} <= set(groups["group"])


def test_models_on_several_processes_say_the_same(
    found: Validation, finished_run: Path, elsewhere: Path
) -> None:
    again = validate(load_bundle(finished_run), elsewhere, Asked(MODELS), workers=2)
    pd.testing.assert_frame_equal(again.tables["answers"], found.tables["answers"])


def test_training_cohort_and_unknown_models_are_refused(
    finished_run: Path, toy_cohort: Path
) -> None:
    bundle = load_bundle(finished_run)
    with pytest.raises(CohortError, match="training cohort"):
        validate(bundle, toy_cohort / "cohort.csv", Asked(("prevalence",)))
    with pytest.raises(ConfigError, match="Nearest: logistic"):
        validate(bundle, toy_cohort / "cohort.csv", Asked(("logistik",)))


def test_updated_bundle_answers_as_the_closed_test_says_and_remembers_it(
    finished_run: Path, found: Validation, elsewhere: Path, tmp_path: Path
) -> None:
    """The formula hearts of the study tell response without fail, those elsewhere do not."""
    assert "logistic" in found.record.updated
    found.write(tmp_path)
    updated = load_bundle(tmp_path / "bundle")
    (sentence,) = updated.answering("logistic").history
    assert "elsewhere.csv" in sentence
    assert "closed test" in sentence
    ecg = read_ecg(elsewhere.parent / "e05_0.hea")
    before = Predictor(load_bundle(finished_run), MODELS).predict(ecg).models
    prediction = Predictor(updated, MODELS).predict(ecg)
    after = prediction.models
    names = ", ".join(found.record.updated)
    assert f"{names}: updated on another cohort after the study" in prediction.cautions
    choices = {one.model: one for one in found.tested}
    for model in MODELS:
        p, test = before[model].probability, choices[model].update
        expected = p if test is None else float(test.updated(np.array([p]))[0])
        assert after[model].probability == pytest.approx(expected, abs=1e-9)
        assert after[model].set_90 == before[model].set_90
    with pytest.raises(CohortError, match="was updated on this cohort"):
        validate(updated, elsewhere, Asked(("prevalence",)))


def test_update_moves_silent_patients_too_and_history_grows(
    finished_run: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(finished_run)
    fit, update = bundle.answering("logistic").usual, Update(INTERCEPT_AND_SLOPE, 0.3, 0.8, 0, 0)
    changed = recalibrated(fit, update)
    silent = np.full((1, len(fit.members)), np.nan)
    assert changed.answer(silent).p[0] == pytest.approx(expit(0.3 + 0.8 * logit(fit.base_rate)))
    test = (ClosedTest("logistic", "fit", 60, 40, update),)
    save_updated(bundle, test, "cohort one", tmp_path / "one")
    save_updated(load_bundle(tmp_path / "one"), test, "cohort two", tmp_path / "two")
    history = load_bundle(tmp_path / "two").answering("logistic").history
    assert ["one" in history[0], "two" in history[1]] == [True, True]


def test_a_model_that_ranks_the_wrong_way_round_is_not_turned_over() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.1, 0.9, 300)
    y = (rng.random(300) > p).astype(int)
    answers = pd.DataFrame({"model": "m", "y": y, "p": p, "members": "fit", "p_ecg_alone": np.nan})
    (test,) = closed_tests(answers)
    assert not test.changes
    assert "wrong way round" in verdict(test, both=False)


def test_no_word_says_that_a_model_is_well_calibrated(found: Validation) -> None:
    """A right model in few patients: the test keeps it, and says how little that means."""
    rng = np.random.default_rng(3)
    p = rng.uniform(0.2, 0.9, 80)
    answers = pd.DataFrame({"model": "m", "p": p, "members": "fit", "p_ecg_alone": np.nan})
    (kept,) = closed_tests(answers.assign(y=(rng.random(80) < p).astype(int)))
    said = verdict(kept, both=False)
    assert said.startswith("not shown miscalibrated")
    assert 0.01 < kept.seen_if_right < 0.1
    assert f"{kept.seen_if_extreme:.0%}" in said
    shifted = ClosedTest("m", "fit", 80, 50, Update(INTERCEPT, 0.5, 1.0, 0.01, 0.4))
    assert verdict(shifted, both=False).startswith("miscalibrated (closed test, p 0.01)")
    assert "well calibrated" not in json.dumps([said, found.record.to_json()]).replace("-", " ")


def test_command_line_leaves_a_whole_folder_with_an_offline_page(
    finished_run: Path, elsewhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "validation"
    call = ["validate", str(finished_run), str(elsewhere), "--out", str(out), "--workers", "1"]
    call += ["--models", "logistic,prevalence", "--update"]
    assert main(call) == 0
    told = capsys.readouterr().out
    assert "60 patients, 40 responders (66.7%); 0 rows excluded, 1 died, 1 lost" in told
    page = (out / "report.html").read_text()
    for word in ("src=", "href="):  # nothing is loaded: figures are inside, links stay in the page
        found = re.findall(rf'{word}"([^"]*)', page)
        assert found
        assert all(target.startswith(("data:image", "#")) for target in found)
    assert "<script" not in page
    for text in (told, page):
        assert "well calibrated" not in text.lower().replace("-", " ")
        assert "E05" not in text
    assert sorted(load_bundle(out / "bundle").members) == sorted(load_bundle(finished_run).members)
    assert main(call) == 2
    assert "exists already" in capsys.readouterr().err


def test_command_line_refuses_the_training_cohort_in_one_line(
    finished_run: Path, toy_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "validation"
    call = ["validate", str(finished_run), str(toy_cohort / "cohort.csv"), "--out", str(out)]
    assert main([*call, "--workers", "1"]) == 2
    assert "training cohort" in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


@pytest.mark.parametrize(("shift", "from_zero"), [(0.0, True), (1.5, False)])
def test_ici_of_a_right_model_begins_at_zero_and_that_of_a_wrong_one_does_not(
    shift: float, from_zero: bool
) -> None:
    rng = np.random.default_rng(5)
    z = rng.normal(0.4, 1, 200)
    y = (rng.random(200) < expit(z)).astype(int)
    said = pd.DataFrame({"model": "m", "patient_id": np.arange(200).astype(str), "y": y})
    said = said.assign(z=z + shift, p=expit(z + shift), p_non_responder=1.0, p_responder=1.0)
    table = grade(said, (0.5,), 0.5)["estimates"].set_index("metric")
    assert (table.loc["ici", "low"] == 0) == from_zero


def test_a_bundle_of_the_floor_alone_has_a_page(
    finished_run: Path, elsewhere: Path, tmp_path: Path
) -> None:
    found = validate(load_bundle(finished_run), elsewhere, Asked(("prevalence",)))
    floor = replace(found.record, models=("prevalence",))
    of_floor = {
        name: table[table["model" if "model" in table else "model_a"] == "prevalence"]
        for name, table in found.tables.items()
    }
    page = write_validation_page(replace(found, record=floor, tables=of_floor), tmp_path)
    assert "prevalence" in page.read_text()


def test_recordings_without_a_heartbeat_are_told(
    finished_run: Path, elsewhere: Path, tmp_path: Path
) -> None:
    t = np.arange(5000) / 500
    # slow, and as large as a heart is in 40 ms: else the gate would refuse it
    eight = np.array([9.0 * np.sin(2 * np.pi * 0.25 * t + k) for k in range(8)])
    wave = twelve_leads(eight).astype(np.float32)
    write_wfdb(replace(read_ecg(elsewhere.parent / "e00_0.hea"), signal=wave), tmp_path, "mute")
    table = pd.read_csv(elsewhere)
    table["ecg"] = [str(elsewhere.parent / name) for name in table["ecg"]]
    table.loc[0, "ecg"] = str(tmp_path / "mute.hea")
    table.to_csv(tmp_path / "cohort.csv", index=False)
    found = validate(load_bundle(finished_run), tmp_path / "cohort.csv", Asked(("qrs-area",)))
    n = len(table.dropna(subset="responder"))
    assert f"No heartbeat was found in 1 of {n} recordings" in " ".join(found.record.cautions)
    first = found.tables["answers"].iloc[0]
    assert (first["basis"], first["p"]) == ("base rate", found.record.bundle.base_rate)
