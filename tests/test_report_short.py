"""In short, in four made situations: what it claims, and what it must not."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dyssync.evaluation.comparisons import compare_models
from dyssync.evaluation.estimates import estimates
from dyssync.report.overview import look_over
from dyssync.report.sections import SECTIONS
from dyssync.study.results import StudyResults

N, SHARE, THRESHOLD = 400, 0.6, 0.5
Y = (np.random.default_rng(0).permutation(N) < SHARE * N).astype(np.int64)


def binormal(auroc_distance: float, seed: int) -> np.ndarray:
    """Return true log-odds of response where the classes lie `auroc_distance` SD apart, (n,)."""
    noise = np.random.default_rng(seed).standard_normal(N)
    x = auroc_distance * Y + noise
    d = auroc_distance
    return d * x - d**2 / 2 + np.log(SHARE / (1 - SHARE))


def short(golden: StudyResults, z: Mapping[str, np.ndarray], simulated: bool = False) -> str:
    """Return the sentences of a study whose models answered with these log-odds."""
    z = {**z, "prevalence": np.full(N, np.log(SHARE / (1 - SHARE)))}
    patients = [f"P{i:03d}" for i in range(N)]
    answers = pd.concat(
        [
            pd.DataFrame(
                {"model": name, "patient_id": patients, "y": Y, "z": own,
                 "p": 1 / (1 + np.exp(-own)), "times": 2, "basis": "ECG alone",
                 "set_80": "defer", "set_90": "defer"}
            )
            for name, own in z.items()
        ],
        ignore_index=True,
    )  # fmt: skip
    cohort = pd.DataFrame({"patient_id": patients, "responder": Y, "fs": 500.0, "seconds": 10.0})
    tables = {
        **golden.tables,
        "cohort": cohort,
        "answers": answers,
        "estimates": estimates(answers, [THRESHOLD], seed=1),
        "comparisons": compare_models(answers, THRESHOLD),
    }
    run = replace(golden.run, simulated=simulated, threshold=THRESHOLD)
    study = look_over(replace(golden, run=run, tables=tables))
    return " ".join(" ".join(SECTIONS["short"].gather(study)).split())


@pytest.fixture(scope="module")
def nothing(golden_run: StudyResults) -> str:
    noise = {f"noise-{k}": 0.3 * binormal(0.0, k) + 0.3 for k in (1, 2)}
    return short(golden_run, {**noise, "qrs-area": 0.3 * binormal(0.0, 3) + 0.3}, simulated=True)


@pytest.fixture(scope="module")
def alike(golden_run: StudyResults) -> str:
    rng = np.random.default_rng(5)
    base = binormal(1.5, 4)
    return short(
        golden_run,
        {name: base + rng.normal(0, 0.3, N) for name in ("ridge", "lightgbm", "qrs-area")},
    )


@pytest.fixture(scope="module")
def one_best(golden_run: StudyResults) -> str:
    weak = {"lightgbm": binormal(0.5, 6), "qrs-area": binormal(0.5, 7)}
    return short(golden_run, {"ridge": binormal(2.0, 8), **weak})


@pytest.fixture(scope="module")
def calibrated_only(golden_run: StudyResults) -> str:
    # log-odds that hardly move from the base rate are calibrated, and tell nobody apart
    return short(golden_run, {"timid": binormal(0.08, 9)})


def test_where_nothing_works_nothing_is_claimed(nothing: str) -> None:
    assert nothing.startswith("400 simulated patients, 240 responders (60")
    assert "No model is shown to classify more patients rightly than calling everybody" in nothing
    assert "No model is shown to add net benefit over treating all or none between 30" in nothing
    assert "No model is shown better than QRS area alone" in nothing
    assert (
        "Not shown to rank better than chance (AUROC 0.5): noise-1, noise-2 and qrs-area" in nothing
    )
    assert "400 patients cannot rank these models" in nothing
    assert "is shown to" not in nothing.replace("No model is shown to", "")


def test_models_that_are_alike_are_useful_and_not_ranked(alike: str) -> None:
    assert alike.startswith("400 patients")
    assert "are shown to classify more patients rightly than calling everybody a responder" in alike
    assert (
        "Shown to add net benefit over treating all or none: ridge (at thresholds within" in alike
    )
    assert "No model is shown better than QRS area alone" in alike
    assert "400 patients cannot rank these models: the interval of every pair" in alike


def test_a_model_that_is_clearly_best_is_said_to_be(one_best: str) -> None:
    assert "ridge is shown to classify more patients rightly than calling everybody" in one_best
    assert "ridge is shown better than QRS area alone in AUROC: +0." in one_best
    assert "Not shown for lightgbm" in one_best
    assert "ridge has the highest AUROC" in one_best
    assert "cannot rank" not in one_best


def test_calibration_without_discrimination_is_called_useless(calibrated_only: str) -> None:
    assert "Not shown miscalibrated, after recalibration: timid" in calibrated_only
    assert "Calibration alone is of no use: timid is not shown to tell" in calibrated_only
    assert "The one model is not shown to add net benefit" in calibrated_only


@pytest.mark.parametrize("situation", ["nothing", "alike", "one_best", "calibrated_only"])
def test_no_model_is_ever_called_well_calibrated(
    situation: str, request: pytest.FixtureRequest
) -> None:
    assert "well calibrated" not in request.getfixturevalue(situation)


def test_the_floor_is_that_of_the_patients_who_were_tested(golden_run: StudyResults) -> None:
    tables = golden_run.tables
    answers = tables["answers"]
    patients = answers.drop_duplicates("patient_id")
    # tested; of the whole cohort more than half respond
    kept = [*patients.query("y == 1")["patient_id"][:12], *patients.query("y == 0")["patient_id"]]
    answers = answers[answers["patient_id"].isin(kept)]
    few = {"answers": answers, "comparisons": compare_models(answers, THRESHOLD)}
    said = SECTIONS["short"].gather(look_over(replace(golden_run, tables={**tables, **few})))
    assert any("calling everybody a non-responder (60\N{NO-BREAK SPACE}%)" in line for line in said)
    assert any(line.startswith("30 patients cannot rank") for line in said)


def test_the_one_answer_is_of_the_best_graded_model_that_is_no_rule(
    golden_run: StudyResults,
) -> None:
    good, better = binormal(1.0, 1), binormal(2.0, 2)
    said = short(golden_run, {"good": good, "noise": binormal(0.0, 3), "qrs-area": better})
    assert "is that of good: the lowest Brier score, 0.1" in said
    assert "of the 3 models that are no rules" in said  # the third is the share of responders
    assert "As the lowest of 3 it flatters" in said
    useless = short(golden_run, {"noise": binormal(2.0, 4)[::-1].copy(), "qrs-area": better})
    assert "is that of prevalence" in useless
