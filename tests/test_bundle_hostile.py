"""Bundles by somebody else: whatever was changed and sealed again ends in one ModelError."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dyssync.cli import main
from dyssync.ecg import ECG
from dyssync.errors import ConfigError, ModelError
from dyssync.formats import write_ecg
from dyssync.learning.network import build_network, pack_weights
from dyssync.learning.network_file import network_file
from dyssync.learning.tree_text import check_trees
from dyssync.models import MODELS
from dyssync.models.protocols import State
from dyssync.models.resnet import ResNet18
from dyssync.prediction.bundle import load_bundle
from dyssync.prediction.predictor import Predictor
from dyssync.prediction.saved import SavedModel, load_model, save_model
from dyssync.web.answers import Answers
from dyssync.web.readers import Readers
from small_bundle import make_bundle, seal, sign

# each opens a bundle of five models, which is made once
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile")]

Edit = Callable[[Path], None]


@pytest.fixture(scope="session")
def made(toy: tuple[list[ECG], np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of models that are fitted in a moment, two members each."""
    return make_bundle(*toy, tmp_path_factory.mktemp("made"))


def answers(bundle: Path, ecg: ECG) -> None:
    Predictor(load_bundle(bundle)).predict(ecg)


def refusal(bundle: Path, ecg: ECG) -> str:
    """Return the one line in which a bundle is refused."""
    with pytest.raises(ModelError) as refused:
        answers(bundle, ecg)
    assert str(refused.value).isprintable()
    return str(refused.value)


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def ecg(toy: tuple[list[ECG], np.ndarray]) -> ECG:
    return toy[0][0]


def test_a_whole_bundle_answers_also_sealed_again(bundle: Path, ecg: ECG) -> None:
    answers(bundle, ecg)
    seal(bundle)
    answers(bundle, ecg)


def booster_of(bundle: Path) -> Path:
    saved = json.loads((bundle / "models" / "lightgbm" / "fit-01" / "model.json").read_bytes())
    return bundle / "files" / saved["files"]["booster.txt"]


def cut_at(share: float) -> Callable[[str], str]:
    return lambda text: text[: int(share * len(text))]


TREES: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "cut early": cut_at(0.02),
    "cut in a tree": cut_at(0.3),
    "cut in the tail": cut_at(0.95),
    "a feature there is none of": lambda t: t.replace("split_feature=", "split_feature=99999 ", 1),
    "a child of itself": lambda t: t.replace("left_child=1", "left_child=0").replace(
        "left_child=-1", "left_child=0"
    ),
    "a billion leaves": lambda t: t.replace("num_leaves=", "num_leaves=1000000", 1),
    "no leaves": lambda t: t.replace("num_leaves=", "num_leaves=-", 1),
    "sizes that lie": lambda t: t.replace("tree_sizes=", "tree_sizes=1", 1),
    "a value that is none": lambda t: t.replace("leaf_value=", "leaf_value=nan ", 1),
    "another class": lambda t: t.replace("num_class=1", "num_class=1000000"),
    "another objective": lambda t: t.replace("objective=", "objective=custom ", 1),
    "categories": lambda t: t.replace("num_cat=0", "num_cat=5"),
    "linear leaves": lambda t: t.replace("is_linear=0", "is_linear=1"),
    "a name of a feature": lambda t: t.replace("feature_names=", "feature_names=x", 1),
    "a parameter without a value": lambda t: t.replace("[boosting: gbdt]", "[boosting]"),
    "more after the end": lambda t: t + "Tree=0\n",
    "null bytes": lambda t: t.replace("Tree=3", "Tree=\0"),
}


@pytest.mark.parametrize("change", TREES)
def test_damaged_trees_end_in_one_line_and_no_crash(bundle: Path, ecg: ECG, change: str) -> None:
    path = booster_of(bundle)
    text = path.read_text()
    assert TREES[change](text) != text
    path.write_text(TREES[change](text))
    seal(bundle)
    assert "the trees are damaged" in refusal(bundle, ecg)


def test_trees_that_lightgbm_writes_are_whole(toy: tuple[list[ECG], np.ndarray]) -> None:
    for params in (
        {"rounds": 5},
        {"rounds": 300, "min_leaf": 1, "leaves": 40, "target": "response"},
    ):
        model = MODELS["lightgbm"](**params).fit(*toy)
        text = model.state().files["booster.txt"].decode()
        check_trees(text, model.feature_names_, rounds=model.rounds, leaves=model.leaves)
        assert type(model)(**params).restore(model.state()).state() == model.state()


def test_a_damaged_network_ends_in_one_line(tmp_path: Path) -> None:
    weights = build_network(1)
    whole = network_file(pack_weights(weights))
    values = {"base_rate": 0.6, "best_epoch": 1}
    model = ResNet18(height=64, width=80).restore(State(values, {"network.onnx": whole}))
    folder = tmp_path / "member"
    save_model(model, "resnet18", folder)
    assert load_model(folder).state() == model.state()
    trunk = network_file(pack_weights(weights.get_submodule("encoder")))
    for data in (b"", whole[:-1], whole + whole, trunk, whole.replace(b"Conv", b"Loop")):
        (folder / "network.onnx").write_bytes(data)
        with pytest.raises(ModelError, match=r"network\.onnx was changed"):
            load_model(folder)
        saved = json.loads((folder / "model.json").read_bytes())
        saved["files"]["network.onnx"] = hashlib.sha256(data).hexdigest()
        (folder / "model.json").write_text(json.dumps(saved))
        with pytest.raises(ModelError, match="the network is damaged"):
            load_model(folder)


def edit_member(name: str, key: str, value: object) -> Edit:
    def edit(bundle: Path) -> None:
        path = bundle / "models" / name / "fit-01" / "model.json"
        saved = json.loads(path.read_bytes())
        inner = saved
        *home, last = key.split(".")
        for part in home:
            inner = inner[part]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
        path.write_text(json.dumps(saved))

    return edit


def edit_answers(key: str, value: object) -> Edit:
    def edit(bundle: Path) -> None:
        path = bundle / "models" / "ridge" / "answering.json"
        saved = json.loads(path.read_bytes())
        saved["usual"][key] = value
        path.write_text(json.dumps(saved))

    return edit


def deep(bundle: Path) -> None:
    path = bundle / "models" / "ridge" / "fit-01" / "model.json"
    text = path.read_text()
    path.write_text(
        text.replace('"values": {', '"values": {"deep": ' + "[" * 300 + "]" * 300 + ",", 1)
    )


MEMBERS: dict[str, Edit] = {
    "weights too few": edit_member("ridge", "values.weights", [1.0, 2.0]),
    "weights that are none": edit_member("ridge", "values.weights", [float("nan")] * 260),
    "weights as text": edit_member("logistic", "values.weights", "abcdef"),
    "no weights": edit_member("logistic", "values.weights", None),
    "scale of nothing": edit_member("logistic", "values.scale", [0.0] * 6),
    "an infinite curve": edit_member("qrs-area", "values.slope", float("inf")),
    "a curve of another name": edit_member("qrs-area", "values", {"score": 1, "base_rate": 0.5}),
    "a rate above 1": edit_member("prevalence", "values.base_rate", 1.5),
    "a rate that is a list": edit_member("prevalence", "values.base_rate", [0.5]),
    "median of words": edit_member("lightgbm", "values.median", ["a"]),
    "more trees than rounds": edit_member("lightgbm", "params.rounds", 3),
    "another model": edit_member("ridge", "model", "logistic"),
    "no such model": edit_member("ridge", "model", "../../x"),
    "a parameter of another type": edit_member("lightgbm", "params.leaves", "many"),
    "a parameter out of range": edit_member("lightgbm", "params.leaves", 10**9),
    "an unknown parameter": edit_member("ridge", "params.power", 2),
    "a file elsewhere": edit_member("lightgbm", "files", {"../../x": "0" * 64}),
    "a file not listed": edit_member("lightgbm", "files", {"booster.txt": "0" * 64}),
    "values in a depth": deep,
    "members that are none": edit_answers("members", []),
    "members twice": edit_answers("members", ["fit-01", "fit-01"]),
    "members missing": edit_answers("members", ["fit-01", "fit-77"]),
    "scales of 0": edit_answers("scales", [0.0, 0.0]),
    "centres too few": edit_answers("centres", [0.0]),
    "a slope that is none": edit_answers("slope", float("nan")),
    "outcomes of 2": edit_answers("outcomes", [2] * 48),
    "tested by nobody": edit_answers("tested_by", [[]] * 48),
    "tested by a hundredth": edit_answers("tested_by", [[100]] * 48),
    "scores of others": edit_answers("scores", [[1.0, 2.0, 3.0]] * 48),
}


@pytest.mark.parametrize("change", MEMBERS)
def test_damaged_members_sealed_again_end_in_one_line(bundle: Path, ecg: ECG, change: str) -> None:
    MEMBERS[change](bundle)
    seal(bundle)
    refusal(bundle, ecg)


def numbers_in(held: object, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the numbers of a JSON file are: the first of each list stands for the others."""
    if isinstance(held, (dict, list)):
        for key, value in held.items() if isinstance(held, dict) else enumerate(held[:1]):
            yield from numbers_in(value, (*at, key))
    elif isinstance(held, (int, float)) and not isinstance(held, bool):
        yield at


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [1e308, -1e308, 1e-308])
def test_numbers_that_would_overflow_are_refused_and_never_warned_of(
    bundle: Path, ecg: ECG, value: float
) -> None:
    refused = 0
    models = [*bundle.glob("models/*/answering.json"), *bundle.glob("models/*/fit-01/model.json")]
    for path in models:
        data = path.read_bytes()
        for *home, last in numbers_in(json.loads(data)):
            held = inner = json.loads(data)
            for key in home:
                inner = inner[key]
            inner[last] = value
            path.write_text(json.dumps(held))
            seal(bundle)
            try:
                answers(bundle, ecg)
            except ModelError:
                refused += 1
        path.write_bytes(data)
    assert refused > 20


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("models",), {}),
        (("models", "ridge"), []),
        (("models", "../../etc"), ["fit-01"]),
        (("models", "ridge"), ["../fit-01"]),
        (("models", "ridge"), ["fit-01", "fit-01"]),
        (("models", "ridge"), ["fit-01", "fit-99"]),
        (("files",), {}),
        (("files", "../../../etc/passwd"), "0" * 64),
        (("files", "/etc/passwd"), "0" * 64),
        (("files", "models/ridge/fit-01/model.json"), "abc"),
        (("about", "base_rate"), 7.0),
        (("about", "threshold"), float("nan")),
        (("about", "n_patients"), 0),
        (("about", "best_first"), ["../../ridge"]),
        (("about", "training", "signals", "fs_range"), [500.0, 1.0]),
        (("format",), "5\x1b[2J"),
        (("x" * 100_000,), 1),
    ],
)
def test_a_manifest_that_names_what_it_should_not_is_refused(
    bundle: Path, ecg: ECG, place: tuple[str, ...], value: object
) -> None:
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    inner = manifest
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    sign(bundle, json.dumps(manifest).encode())
    assert len(refusal(bundle, ecg)) < 600


def test_deep_json_a_pipe_and_a_giant_are_refused(bundle: Path, ecg: ECG) -> None:
    path = bundle / "models" / "ridge" / "answering.json"
    path.unlink()
    os.mkfifo(path)
    assert "a pipe" in refusal(bundle, ecg)
    path.unlink()
    with path.open("wb") as file:
        file.truncate(600_000_000)
    assert "600 MB" in refusal(bundle, ecg)
    text = b"[" * 1_000_000
    with pytest.raises(ModelError, match="damaged or of another version"):
        SavedModel.from_json(text, "model.json")
    sign(bundle, text)
    assert "no manifest" in refusal(bundle, ecg)


def test_a_bundle_is_asked_for_models_that_it_has(made: Path) -> None:
    opened = load_bundle(made)
    with pytest.raises(ModelError, match="no model is named"):
        Predictor(opened, [])
    with pytest.raises(ConfigError, match="unknown model of this bundle"):
        Predictor(opened, ["../../ridge"])


def test_a_bundle_of_some_models_answers_by_those_it_has(bundle: Path, ecg: ECG) -> None:
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    for order, answer in ((["resnet18", "ridge"], "ridge"), (["resnet18"], None)):
        manifest["about"]["best_first"] = order
        sign(bundle, json.dumps(manifest).encode())
        opened = load_bundle(bundle)
        assert opened.best_first == tuple(filter(None, [answer]))
        assert Predictor(opened).predict(ecg).answer == answer
        assert Answers(opened, Readers(0)).asking.onlookers is None


def test_without_a_model_that_answers_all_are_shown(
    bundle: Path, ecg: ECG, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    manifest["about"]["best_first"] = ["resnet18"]
    sign(bundle, json.dumps(manifest).encode())
    path = write_ecg(ecg, tmp_path, "a", "edf")
    assert main(["predict", str(bundle), str(path)]) == 0
    assert "base rate" in capsys.readouterr().out
