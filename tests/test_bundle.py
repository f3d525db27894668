"""Bundles: a whole one predicts what the study's models predict; a damaged one is refused."""

import gc
import hashlib
import json
import shutil
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dyssync.ecg import ECG
from dyssync.errors import ModelError
from dyssync.formats import read_ecg
from dyssync.prediction.bundle import load_bundle
from dyssync.prediction.predictor import Predictor
from dyssync.prediction.saved import load_model
from dyssync.study.results import read_csv

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("run")


def test_bundled_seed_models_repeat_the_study_s_predictions(
    finished_run: Path, toy_cohort: Path
) -> None:
    predictions = read_csv(finished_run / "predictions.csv")
    bundle = load_bundle(finished_run / "bundle")
    for name in bundle.members:
        held = predictions[(predictions["model"] == name) & (predictions["seed"] == 2)]
        files = [toy_cohort / f"rec{patient[1:]}.hea" for patient in held["patient_id"]]
        p = bundle.model(name, "fit-02").response_probability([read_ecg(f) for f in files])
        # bf16 sums depend on the place in a batch
        np.testing.assert_allclose(p, held["p"], atol=2e-3, err_msg=name)


def test_prediction_gives_context(finished_run: Path, toy_cohort: Path) -> None:
    predictor = Predictor(load_bundle(finished_run), ["lightgbm", "prevalence"])
    prediction = predictor.predict(read_ecg(toy_cohort / "rec01.hea"))
    held = json.loads(json.dumps(prediction.to_dict()))
    assert held["file"] == "rec01.hea"
    assert held["base_rate"] == 0.5
    assert set(held["models"]) == {"lightgbm", "prevalence"}
    assert held["models"]["prevalence"]["probability"] == 0.5
    assert held["models"]["prevalence"]["basis"] == "base rate"
    trees = held["models"]["lightgbm"]
    assert 0 <= trees["venn_abers_low"] <= trees["venn_abers_high"] <= 1
    assert {trees["set_80"], trees["set_90"]} <= {"responder", "non-responder", "defer"}
    assert held["cautions"] == []


TOO_HEAVY_TO_PREDICT = {
    "torch", "monai", "lightning_fabric", "onnx", "lightgbm", "sklearn", "pandas", "pyarrow",
    "numba", "matplotlib", "scipy",
    "http", "ssl", "xml",  # 40 ms, of a second
}  # fmt: skip


def test_predicting_imports_nothing_that_only_learning_needs(
    finished_run: Path, toy_cohort: Path
) -> None:
    call = ["predict", str(finished_run), str(toy_cohort / "rec01.hea"), "--all"]
    script = (
        "import sys; from dyssync.cli import main\n"
        f"assert main({call!r}) == 0\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert "onnxruntime" in done.stderr.split(), "a network was asked"
    assert TOO_HEAVY_TO_PREDICT & set(done.stderr.split()) == set()


def test_the_answer_is_the_same_to_the_byte_on_one_core_or_two_and_asked_once_or_often(
    finished_run: Path, toy_cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, ecg = load_bundle(finished_run), read_ecg(toy_cohort / "rec01.hea")
    known = replace(ecg, age=70.0, sex="F", clinical={"lvef": 25.0, "nyha": 3.0})
    said: dict[int, set[str]] = {0: set(), 1: set()}
    for cores in (1, 2):
        monkeypatch.setattr("dyssync.learning.ahead.available_cores", lambda cores=cores: cores)
        monkeypatch.setattr("dyssync.learning.stored.available_cores", lambda cores=cores: cores)
        for once in (False, True):
            predictor = Predictor(bundle, once=once)
            for k, x in enumerate((ecg, known)):
                said[k].add(json.dumps(predictor.predict(x).to_dict()))
    assert [len(answers) for answers in said.values()] == [1, 1]


def test_prediction_says_what_moved_it_and_what_a_rule_says(
    finished_run: Path, toy_cohort: Path
) -> None:
    predictor = Predictor(load_bundle(finished_run), ["lightgbm", "guideline-esc-2021"])
    held = predictor.predict(read_ecg(toy_cohort / "rec01.hea")).to_dict()["models"]
    trees = held["lightgbm"]
    sizes = [abs(c["log_odds"]) for c in trees["contributions"]]
    assert sizes == sorted(sizes, reverse=True)
    log_odds = trees["base_log_odds"] + sum(c["log_odds"] for c in trees["contributions"])
    assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(trees["probability"], abs=1e-9)
    assert "class" in held["guideline-esc-2021"]["statement"]
    assert held["guideline-esc-2021"]["contributions"] == ()


def test_recording_unlike_the_training_ones_gets_a_caution(
    finished_run: Path, shared_data: Path
) -> None:
    predictor = Predictor(load_bundle(finished_run), ["prevalence"])
    (caution,) = predictor.predict(read_ecg(shared_data / "ludb" / "records" / "1.hea")).cautions
    assert "500 Hz" in caution
    noise = np.random.default_rng(0).normal(0, 0.3, (12, 1000)).astype(np.float32)
    cautions = predictor.predict(ECG(noise, 100.0)).cautions
    assert any("no heartbeat was found" in said for said in cautions)


def test_bundle_names_no_patient_and_no_folder(finished_run: Path, toy_cohort: Path) -> None:
    for path in (finished_run / "bundle").rglob("*.json"):
        text = path.read_text()
        assert '"P0' not in text
        assert str(toy_cohort) not in text
        assert str(finished_run) not in text


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256", "files/*", "model.json"])
def test_bundle_with_one_byte_changed_is_refused(
    finished_run: Path, tmp_path: Path, name: str
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(finished_run / "bundle", bundle, ignore=shutil.ignore_patterns("files"))
    with pytest.raises(ModelError, match="is missing"):
        load_bundle(bundle)
    shutil.rmtree(bundle)
    shutil.copytree(finished_run / "bundle", bundle)
    load_bundle(bundle)
    path = next(p for p in bundle.rglob(name))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="was changed"):
        load_bundle(bundle)
    if name in ("files/*", "model.json"):  # or by whoever comes to read it
        opened = load_bundle(bundle, check_all=False)
        with pytest.raises(ModelError, match="was changed"):
            Predictor(opened)


def test_the_trunk_that_all_members_share_is_kept_once(finished_run: Path) -> None:
    bundle = load_bundle(finished_run)
    members = bundle.members["sim-resnet18"]
    trunks = {bundle.model("sim-resnet18", member).trunk_.digest for member in members}
    assert len(members) == 4
    assert len(trunks) == 1
    large = [p for p in (bundle.folder / "files").iterdir() if p.stat().st_size > 5e6]
    # two by two of resnet18 and of ssl-resnet18 pretrained on each fold, and one trunk
    assert len(large) == 9


def test_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no bundle"):
        load_bundle(tmp_path)


def reseal(bundle: Path, manifest: dict[str, Any]) -> None:
    """Write a changed manifest with the digest that belongs to it, as a careless hand would."""
    text = json.dumps(manifest).encode()
    (bundle / "manifest.json").write_bytes(text)
    (bundle / "manifest.sha256").write_text(hashlib.sha256(text).hexdigest() + "\n")


@pytest.fixture
def small_bundle(finished_run: Path, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A bundle of the logistic model alone, resealed, and its manifest."""
    bundle = tmp_path / "bundle"
    shutil.copytree(finished_run / "bundle" / "models" / "logistic", bundle / "models" / "logistic")
    manifest = json.loads((finished_run / "bundle" / "manifest.json").read_text())
    manifest["models"] = {"logistic": manifest["models"]["logistic"]}
    manifest["files"] = {n: d for n, d in manifest["files"].items() if "/logistic/" in n}
    reseal(bundle, manifest)
    return bundle, manifest


def test_bundle_of_another_version_is_refused_by_its_version(
    small_bundle: tuple[Path, dict[str, Any]],
) -> None:
    bundle, _ = small_bundle
    load_bundle(bundle)
    reseal(bundle, {"format": 2, "dyssync": "0.0.9", "about": {}, "models": {}, "files": {}})
    with pytest.raises(ModelError, match=r"bundle format 2, this version reads 7.*0\.0\.9"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("about", "base_rate"), "half", "about.base_rate: Input should be a valid number"),
        (("about", "threshold"), None, "about.threshold"),
        (("about", "training", "signals", "fs_range"), [500.0], "fs_range"),
        (("models",), [], "models"),
        (("surprise",), 1, "surprise"),
    ],
)
def test_resealed_manifest_with_wrong_fields_is_one_error(
    small_bundle: tuple[Path, dict[str, Any]], place: tuple[str, ...], value: object, message: str
) -> None:
    bundle, manifest = small_bundle
    inner = manifest
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    reseal(bundle, manifest)
    with pytest.raises(ModelError, match="damaged or of another version") as refused:
        load_bundle(bundle)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "no-such-model"},
        {"params": {"inverse_penalty": 0.5, "power": 2}},
        {"values": {}},
        {"values": {"intercept": "high"}},
        {"files": {"missing.bin": "0" * 64}},
        {"params": 3},
    ],
)
def test_damaged_model_is_a_model_error(
    finished_run: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    folder = tmp_path / "member"
    shutil.copytree(finished_run / "bundle" / "models" / "logistic" / "fit-01", folder)
    load_model(folder)
    saved = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**saved, **change}))
    with pytest.raises(ModelError):
        load_model(folder)


def test_no_recording_outlives_its_prediction(finished_run: Path, toy_cohort: Path) -> None:
    predictor = Predictor(load_bundle(finished_run), ["resnet18", "qrs-area", "logistic"])
    ecg = read_ecg(toy_cohort / "rec01.hea")
    left = weakref.ref(ecg)
    first = predictor.predict(ecg)
    assert predictor.predict(ecg) == first
    del ecg
    gc.collect()
    assert left() is None, "an ECG outlives its prediction"
