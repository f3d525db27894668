"""The main job as a whole: what a run leaves, that it can be repeated, interrupted and refused."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.cli import main
from dyssync.cohort.cohort import read_cohort
from dyssync.ecg import ECG
from dyssync.errors import ConfigError, InputError
from dyssync.models import MODELS
from dyssync.models.rules import UNCHECKED
from dyssync.study.collect import silent_recordings, unchecked_rows
from dyssync.study.config import StudyConfig, build_config
from dyssync.study.plan import Material
from dyssync.study.results import TABLES, StudyResults, read_csv

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("run")


def test_run_folder_holds_everything(finished_run: Path) -> None:
    results = StudyResults.read(finished_run)
    for name, columns in TABLES.items():
        assert list(results.tables[name].columns)[: len(columns)] == list(columns), name
    predictions = results.tables["predictions"]
    assert set(predictions["model"]) == set(MODELS)
    assert predictions["p"].between(0, 1).all()
    splits = results.tables["splits"]
    for seed in (1, 2, 3, 4):
        expected = splits[(splits["seed"] == seed) & (splits["part"] == "test")]["patient_id"]
        for _, held in predictions[predictions["seed"] == seed].groupby("model"):
            assert sorted(held["patient_id"]) == sorted(expected)
    assert (finished_run / "report.html").stat().st_size > 10_000
    assert not (finished_run / "work").exists()


def test_maps_belong_to_the_rows_of_lead_regions(finished_run: Path) -> None:
    results = StudyResults.read(finished_run)
    regions = results.explanations["lead_regions"]
    test = results.tables["splits"].query("part == 'test' and responder == 1")
    for model, cams in results.maps.items():
        rows = regions[regions["model"] == model]
        assert len(cams.maps) == len(cams.pictures) == len(rows) == len(test)
        empty = cams.maps.reshape(len(rows), -1).max(axis=1) == 0
        np.testing.assert_array_equal(empty, rows["zero_map"].to_numpy())
    counts = results.explanations["region_counts"]
    for share in ("share", "null_share"):
        assert counts.groupby("model")[share].sum().round(9).eq(1).all()
    agreement = results.explanations["region_agreement"].set_index("model")
    assert set(agreement.index) == set(results.maps)
    named = regions[regions["region"] != "none"].groupby(["model", "patient_id"]).size()
    # two seeds: a patient has one pair of networks or none
    pairs = named.eq(2).groupby("model").sum().reindex(agreement.index)
    np.testing.assert_array_equal(agreement["n_pairs"], pairs)


def test_contributions_are_kept_with_every_test_prediction(finished_run: Path) -> None:
    results = StudyResults.read(finished_run)
    predictions = results.tables["predictions"]
    assert set(results.contributions) == {"combined", "lightgbm", "logistic", "ridge"}
    for model, kept in results.contributions.items():
        expected = predictions[predictions["model"] == model]
        merged = expected.merge(kept, on=["model", "seed", "patient_id"], validate="1:1")
        assert len(merged) == len(expected) == len(kept)
        features = [c for c in kept.columns if c not in ("model", "seed", "patient_id", "base")]
        log_odds = merged["base"] + merged[features].sum(axis=1)
        np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), merged["p"], atol=1e-3)
    importances = results.explanations["importances"]
    assert (
        importances.groupby("model")["mean_abs_log_odds"]
        .apply(lambda held: held.is_monotonic_decreasing)
        .all()
    )
    page = (finished_run / "report.html").read_text()
    for model in ("lightgbm", "logistic"):
        most = importances[importances["model"] == model]["feature"].iloc[0]
        assert f"<code>{most}</code>" in page
    rules = results.explanations["rules"]
    assert rules.groupby("model")["patient_id"].nunique().eq(48).all()
    cautions = " ".join(results.cautions)
    assert "guideline-esc-2021: not known for some patients" in cautions


def test_rows_that_nobody_compared_with_their_source_are_a_caution() -> None:
    rules = pd.DataFrame(
        {
            "model": ["a", "a", "b"],
            "patient_id": ["1", "2", "1"],
            "statement": [f"class I; {UNCHECKED}", "class III", "class III"],
        }
    )
    assert unchecked_rows(rules) == (f"a: 1 of 2 recordings fall on a {UNCHECKED}.",)


def test_tables_survive_reading_and_writing(finished_run: Path, tmp_path: Path) -> None:
    results = StudyResults.read(finished_run)
    results.write(tmp_path)
    for name in TABLES:
        assert (tmp_path / f"{name}.csv").read_bytes() == (
            finished_run / f"{name}.csv"
        ).read_bytes()


def test_killed_study_goes_on_and_ends_with_the_same_numbers(
    toy_cohort: Path,
    finished_run: Path,
    tiny_study: Callable[[Sequence[str]], list[str]],
    tmp_path: Path,
) -> None:
    # one that learns an encoder first, one of trees, and a rule: each kind of task there is
    models = ("ssl-resnet18", "lightgbm", "guideline-esc-2021")
    out = tmp_path / "run"
    call = ["study", "--cohort", str(toy_cohort / "cohort.csv"), "--out", str(out)]
    call += tiny_study(models)
    process = subprocess.Popen(
        [sys.executable, "-m", "dyssync", *call],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None and not any((out / "work").glob("[!.]*")):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = {path.name for path in (out / "work").glob("[!.]*")}
    assert finished, "killed before anything was finished"
    assert main(call) == 0
    tables = ("lead_regions", "importances", "rules", "contributions-lightgbm")
    for name in ("predictions.csv", "metrics.csv", *(f"explanations/{t}.csv" for t in tables)):
        mine = lines_of(out / name, models)
        assert len(mine) > 1, name
        assert mine == lines_of(finished_run / name, models), name


def lines_of(table: Path, models: Sequence[str]) -> list[str]:
    """Return the head of a table of a run, and its rows of some models."""
    head, *rows = table.read_text().splitlines()
    assert head.startswith("model,")
    return [head, *(row for row in rows if row.split(",")[0] in models)]


def test_one_process_gives_the_numbers_of_two(
    toy_cohort: Path, finished_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    arguments = ["--workers", "1", "--models", "lightgbm", "--repeats", "1", "--folds", "2"]
    arguments += ["--set", "lightgbm.rounds=30", "--set", "lightgbm.min_leaf=3"]
    arguments += ["--preset", "quick", "--set", "refits=0"]
    cohort = str(toy_cohort / "cohort.csv")
    assert main(["study", "--cohort", cohort, "--out", str(out), *arguments]) == 0
    alone = read_csv(out / "predictions.csv")
    both = read_csv(finished_run / "predictions.csv")
    both = both[(both["model"] == "lightgbm") & (both["seed"] <= 2)].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, both)


def test_the_printed_table_and_the_cautions_are_those_of_the_run(
    toy_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort, out = str(toy_cohort / "cohort.csv"), tmp_path / "run"
    arguments = ["--models", "prevalence,qrs-area", "--protocol", "independent", "--seeds", "2"]
    arguments += ["--workers", "1", "--set", "refits=0"]
    assert main(["study", "--cohort", cohort, "--out", str(out), *arguments]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    means = read_csv(out / "summary.csv")
    for model in ("prevalence", "qrs-area"):
        printed, _ = [row for row in rows if row.startswith(f"{model} ")]
        cells = re.findall(r"undefined|[\d.]+(?= \+/-)", printed)
        for metric, cell in zip(head.split()[1:], cells, strict=True):
            mean = means.query("model == @model and metric == @metric")["mean"].item()
            assert cell == ("undefined" if np.isnan(mean) else f"{mean:.3f}"), (model, metric)
    cautions = StudyResults.read(out).cautions
    assert any(caution.startswith("2 fits; the study has 10") for caution in cautions)
    # a fifth of 48 patients; the SD of a share of n is at most 0.5 / sqrt(n)
    assert any("10 test patients a fit" in text and "by 16 points" in text for text in cautions)


def test_run_folder_is_never_overwritten_unasked(
    toy_cohort: Path, finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = ["study", "--cohort", str(toy_cohort / "cohort.csv"), "--models", "prevalence"]
    assert main([*cohort, "--out", str(finished_run)]) == 2
    assert "holds a finished study" in capsys.readouterr().err
    (tmp_path / "mine.txt").write_text("mine")
    assert main([*cohort, "--out", str(tmp_path), "--force"]) == 2
    assert (tmp_path / "mine.txt").read_text() == "mine"
    unfinished = tmp_path / "unfinished"
    shutil.copytree(finished_run, unfinished)
    (unfinished / "finished.json").unlink()
    assert main([*cohort, "--out", str(unfinished)]) == 2
    assert "other settings or data (" in capsys.readouterr().err


def test_corpus_with_a_patient_of_the_cohort_is_refused(
    toy_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["study", "--cohort", str(toy_cohort / "cohort.csv"), "--out", str(tmp_path / "run")]
    corpus = str(toy_cohort / "cohort.csv")
    assert main([*call, "--corpus", corpus, "--models", "ssl-resnet18"]) == 2
    assert "48 patients are also in a test part" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_missing_corpus_is_told_before_the_cohort_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere, cohort = str(tmp_path / "nowhere"), str(tmp_path / "cohort.csv")
    call = ["study", "--cohort", cohort, "--corpus", nowhere, "--out", str(tmp_path / "run")]
    assert main([*call, "--models", "ssl-resnet18"]) == 2
    assert "nowhere: no such file or folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        (["resnet18.epoch=3"], "unknown parameter of resnet18 'epoch'.*Nearest: epochs"),
        (["resnet18.epochs=many"], "resnet18.epochs is 'many'; int is needed"),
        (["seed=3"], "unknown setting 'seed'"),
        (["lightbgm.rounds=3"], "unknown model 'lightbgm'"),
        (["seeds=0", "threshold=2"], "seeds: .*; threshold: "),
        (["seeds=3"], "seeds belong to protocol independent, this is cross-fit"),
        (["protocol=independent", "folds=3"], "folds belong to protocol cross-fit"),
        (["protocol=independent", "fractions=[0.5, 0.5, 0.5]"], "sum 1"),
        (["preset=fast"], "unknown preset 'fast'. Choices: paper, quick"),
    ],
)
def test_wrong_settings_are_named(settings_: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_config({"cohort": Path("c.csv")}, None, settings_)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 100), st.floats(0.01, 0.99), st.sampled_from(["paper", "quick"]))
def test_config_survives_json(seeds: int, threshold: float, preset: str) -> None:
    config = StudyConfig(cohort=Path("c.csv"), repeats=seeds, threshold=threshold, preset=preset)
    assert StudyConfig.model_validate_json(config.model_dump_json()) == config


def test_toml_file_and_command_line_meet(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('models = ["lightgbm"]\nfolds = 3\n[lightgbm]\nrounds = 50\n')
    config = build_config({"cohort": Path("c.csv"), "folds": 4}, file, ["lightgbm.leaves=5"])
    assert config.folds == 4
    held = config.parameters_of("lightgbm")
    assert (held["rounds"], held["leaves"]) == (50, 5)
    assert config.differs_from_paper()["lightgbm.rounds"] == [100, 50]


def test_shuffled_labels_keep_their_share(toy_cohort: Path) -> None:
    from dyssync.cohort.cohort import read_cohort
    from dyssync.study.run import shuffle_labels

    cohort = read_cohort(toy_cohort / "cohort.csv")
    shuffled = shuffle_labels(cohort)
    assert shuffled.responses.sum() == cohort.responses.sum()
    assert (shuffled.responses != cohort.responses).any()
    # the volumes, which models may learn from, go with the response
    assert ((shuffled.falls >= 15) == shuffled.table["responder"]).all()


def test_unfinished_run_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({}))
    with pytest.raises(InputError, match=r"cohort\.csv, .*missing"):
        StudyResults.read(tmp_path)


def test_recordings_without_a_heartbeat_are_counted(toy: tuple[list[ECG], np.ndarray]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (12, 5000)).astype(np.float32)
    assert silent_recordings(toy[0][:3]) == ()
    (said,) = silent_recordings([*toy[0][:3], ECG(noise, 500.0)])
    assert said.startswith("No heartbeat was found in 1 of 4 recordings")


def test_early_stopping_looks_at_each_patient_once(toy_cohort: Path, tmp_path: Path) -> None:
    table = pd.read_csv(toy_cohort / "cohort.csv")
    table.loc[[2, 4], "patient_id"] = table.loc[0, "patient_id"]
    table.to_csv(toy_cohort / "thrice.csv", index=False)
    cohort = read_cohort(toy_cohort / "thrice.csv")
    material = Material(StudyConfig(), cohort, None, (), tmp_path, tmp_path)
    assert len(material.labelled(["P00", "P01"]).inputs) == 4
    once = material.once(["P00", "P01"])
    assert once.inputs == [cohort.inputs[0], cohort.inputs[1]]
    assert once.responses.tolist() == [0, 1]
