"""What the command line says is harmless, and numbers that are none are refused at its door."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import get_type_hints

import pytest

import dyssync.cli
from dyssync.cli import main
from dyssync.cli.app import make_app
from dyssync.cli.terminal import harmless
from dyssync.errors import ConfigError
from dyssync.pretraining.config import PretrainingConfig
from dyssync.study.config import build_config

HOME = Path(dyssync.cli.__file__).parent
GOLDEN = Path(__file__).parent / "golden" / "formats"
FLOATS = [
    (verb.name, f"--{name.replace('_', '-')}")
    for verb in make_app().registered_commands
    for name, kind in get_type_hints(verb.callback).items()
    if "float" in str(kind)
]


def test_only_one_module_prints() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in HOME.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    assert [place.partition(":")[0] for place in found] == ["terminal.py"]


def test_no_name_of_a_file_or_patient_controls_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    evil = "a\x1b[2J\x07\u202eb"
    shutil.copy(GOLDEN / "golden.edf", tmp_path / f"{evil}.edf")
    (tmp_path / f"{evil}.xml").write_bytes(b"<RestingECG>")
    table = tmp_path / "t.csv"
    table.write_text(f"patient_id,ecg,responder\n{evil},{evil}.edf,1\n{evil}2,x.hea,0\n")
    for call in (
        ["measure", str(tmp_path)],
        ["inspect", str(tmp_path / f"{evil}.edf")],
        ["inspect", str(tmp_path / f"{evil}.xml")],
        ["convert", str(tmp_path), "--to", "csv", "-o", str(tmp_path / evil)],
        ["check", str(table)],
    ):
        main(call)
        said = "".join(capfd.readouterr())
        assert "a?[2J" in said, call
        assert said == harmless(said), call


@pytest.mark.parametrize(("verb", "option"), FLOATS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_numbers_that_are_none_are_refused_in_one_line(
    verb: str, option: str, value: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    needed = {
        "check": ["t.csv"],
        "study": ["--out", str(tmp_path / "out")],
        "pretrain": ["corpus", "--out", str(tmp_path / "out")],
        "validate": ["bundle", "t.csv", "--out", str(tmp_path / "out")],
        "predict": ["bundle", "x.hea"],
        "simulate": ["--out", str(tmp_path / "out")],
        "inspect": ["x.hea"],
        "measure": ["x.hea"],
        "convert": ["x.hea", "--to", "csv", "-o", str(tmp_path / "out")],
        "digitise": ["x.png", "-o", str(tmp_path / "out")],
        "render": ["x.hea", "-o", str(tmp_path / "out")],
    }[verb]
    assert main([verb, *needed, f"{option}={value}"]) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert any(word in said for word in ("finite", "range", "Input should be"))


@pytest.mark.parametrize(
    "setting",
    [
        "threshold=nan", "seconds=nan", "fractions=[nan, 0.2, 0.2]", "region_cut=inf",
        "lightgbm.learning_rate=nan", "ridge.favour=inf", "resnet18.gain=nan",
        "ssl-resnet18.method_settings={rate = nan}",
    ],
)  # fmt: skip
def test_settings_that_are_no_number_are_refused(setting: str) -> None:
    models = ("lightgbm", "ridge", "resnet18", "ssl-resnet18")
    with pytest.raises(ConfigError, match=r"finite|needed"):
        build_config({"models": models, "protocol": "independent"}, None, [setting])


@pytest.mark.parametrize("name", ["learning_rate", "gain", "wear", "weight_decay"])
def test_settings_of_a_pretraining_are_numbers(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is nan"):
        PretrainingConfig(**{name: float("nan")})
