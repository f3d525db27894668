"""What a study grades is what its bundle answers, whatever is known of a patient."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from dyssync.cli import main
from dyssync.ecg import ECG
from dyssync.formats import read_ecg
from dyssync.keeping import keeping
from dyssync.prediction.bundle import load_bundle
from dyssync.prediction.members import load_answerer
from dyssync.prediction.predictor import Predictor
from dyssync.study.results import StudyResults

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("answers")]

UNKNOWN = ("P00", "P01", "P02", "P03")  # patients of whom no clinical fact is known


@pytest.fixture(scope="module")
def run(toy_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose non-responders have three recordings each, and most patients clinical facts."""
    table = pd.read_csv(toy_cohort / "cohort.csv", dtype={"patient_id": str})
    rng = np.random.default_rng(0)
    table["lvesv_followup_ml"] += rng.uniform(-8, 8, len(table)).round()
    table["lvef"] = rng.integers(15, 36, len(table)).astype(float)
    table["nyha"] = rng.integers(2, 4, len(table)).astype(float)
    table["age"] = rng.integers(50, 80, len(table)).astype(float)
    table["sex"] = rng.choice(["F", "M"], len(table))
    table.loc[table["patient_id"].isin(UNKNOWN), ["lvef", "nyha", "age", "sex"]] = None
    others = table["lvesv_followup_ml"] > 0.85 * table["lvesv_baseline_ml"]
    table = pd.concat([table, table[others], table[others]])
    path = toy_cohort / "with-facts.csv"
    table.to_csv(path, index=False)
    out = tmp_path_factory.mktemp("answers") / "run"
    models = "ridge,guideline-esc-2021,prevalence"
    call = ["study", "--cohort", str(path), "--out", str(out), "--models", models]
    assert main([*call, "--set", "refits=3", "--workers", "1"]) == 0
    return out


def test_patients_without_facts_are_graded_by_the_ecg_alone(run: Path) -> None:
    answers = StudyResults.read(run).tables["answers"].query("model == 'ridge'")
    unknown = answers["patient_id"].isin(UNKNOWN)
    assert set(answers.loc[unknown, "basis"]) == {"ECG alone"}
    assert set(answers.loc[~unknown, "basis"]) == {"ECG and clinical facts"}
    np.testing.assert_array_equal(answers.loc[unknown, "p"], answers.loc[unknown, "p_ecg_alone"])
    assert not np.allclose(answers.loc[~unknown, "p"], answers.loc[~unknown, "p_ecg_alone"])
    assert (answers["times"] == 2).all()


def test_a_rule_that_looks_at_facts_says_so(run: Path, toy_cohort: Path) -> None:
    answers = StudyResults.read(run).tables["answers"].query("model == 'guideline-esc-2021'")
    spoken = answers[answers["basis"] != "base rate"]
    unknown = spoken["patient_id"].isin(UNKNOWN)
    assert set(spoken.loc[unknown, "basis"]) <= {"ECG alone"}
    assert set(spoken.loc[~unknown, "basis"]) == {"ECG and clinical facts"}
    answerer = load_answerer(load_bundle(run), "guideline-esc-2021")
    ecg = read_ecg(toy_cohort / "rec05.hea")
    assert answerer.who(ecg)[1] == "ECG alone"
    assert answerer.who(replace(ecg, clinical={"lvef": 25.0}))[1] == "ECG and clinical facts"


def test_three_recordings_of_each_non_responder_do_not_move_the_answers(run: Path) -> None:
    results = StudyResults.read(run)
    assert len(results.tables["cohort"]) == 48 + 2 * 24
    answers = results.tables["answers"].query("model == 'ridge'")
    assert len(answers) == 48
    assert answers["p"].mean() == pytest.approx(0.5, abs=0.1)
    # and so do those of each fit, which nothing has recalibrated
    own = results.tables["predictions"].query("model == 'ridge'")
    assert own["p"].mean() == pytest.approx(0.5, abs=0.1)


def test_a_prediction_is_the_recalibrated_mean_of_the_graded_fits(
    run: Path, toy_cohort: Path
) -> None:
    bundle = load_bundle(run)
    predictor, ecg = Predictor(bundle), read_ecg(toy_cohort / "rec05.hea")
    facts = replace(ecg, age=70.0, sex="F", clinical={"lvef": 25.0, "nyha": 3.0})
    said = bundle.answering("ridge")
    assert said.ecg_alone is not None
    for x, fit, basis in (
        (facts, said.usual, "ECG and clinical facts"),
        (ecg, said.ecg_alone, "ECG alone"),
    ):
        z = np.mean([bundle.model("ridge", name).logits([x])[0] for name in fit.members])
        found = predictor.predict(x).models["ridge"]
        assert found.probability == pytest.approx(expit(fit.intercept + fit.slope * z), abs=1e-12)
        assert found.basis == basis
        assert found.members_sd is not None
        assert found.members_sd > 0
    one = replace(ecg, clinical={"lvef": 25.0})  # one fact of four: mostly medians
    assert predictor.predict(one).models["ridge"].basis == "ECG alone"


def test_where_nothing_is_known_everybody_says_the_base_rate(run: Path) -> None:
    ramp = np.linspace(0, 1, 2500, dtype=np.float32) * np.ones((12, 1), dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 0.01, (12, 2500)).astype(np.float32)
    silent = ECG(ramp + noise, 250.0, age=70.0, sex="F", clinical={"lvef": 25.0, "nyha": 3.0})
    prediction = Predictor(load_bundle(run)).predict(silent)
    for found in prediction.models.values():
        assert found.probability == pytest.approx(prediction.base_rate, abs=1e-6)
        assert (found.basis, found.set_80, found.set_90) == ("base rate", "defer", "defer")
        assert found.venn_abers_low is None
    assert any("no heartbeat" in text for text in prediction.cautions)


def test_the_answer_to_a_patient_is_that_of_the_mean_logit(run: Path, toy_cohort: Path) -> None:
    members = load_answerer(load_bundle(run), "ridge").usual
    first, second = (read_ecg(toy_cohort / f"rec{k:02d}.hea") for k in (5, 6))
    ramp = np.linspace(0, 1, 2500, dtype=np.float32) * np.ones((12, 1), dtype=np.float32)
    silent = ECG(ramp, 250.0)
    with keeping():
        both = members.answer_patient([first, silent, second]).p[0]
        logits = members.logits([first, second]).mean()
    assert both == pytest.approx(expit(members.fit.intercept + members.fit.slope * logits))
