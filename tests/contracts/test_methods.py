"""What every pretraining method must do; a method that is added is under contract at once."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dyssync.ecg import ECG
from dyssync.errors import ConfigError
from dyssync.learning import checkpoint
from dyssync.learning.network import build_encoder
from dyssync.learning.network_input import stack
from dyssync.learning.training import Watch, make_fabric
from dyssync.pretraining import METHODS, Method
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.loop import pretrain

Toy = tuple[list[ECG], np.ndarray]
SIZE = (64, 64)
STEPS = 8
DOCS = Path(__file__).parents[2] / "docs" / "study.md"


@pytest.fixture(params=METHODS.names())
def config(request: pytest.FixtureRequest) -> PretrainingConfig:
    return PretrainingConfig(
        method=request.param, height=SIZE[0], width=SIZE[1], papers="mixed", wear=2.0,
        passes=2, batch_size=4, precision="32-true",
    )  # fmt: skip


def prepared(config: PretrainingConfig, toy: Toy) -> Method:
    method = config.make_method()
    method.prepare(toy[0][:8])
    return method


def test_draw_is_replayable_and_seeds_differ(config: PretrainingConfig, toy: Toy) -> None:
    method, batch = prepared(config, toy), np.arange(4)
    first, targets = method.draw(batch, np.random.default_rng(1))
    again, same = method.draw(batch, np.random.default_rng(1))
    other, _ = method.draw(batch, np.random.default_rng(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(targets, same)
    assert targets.dtype == np.float32
    assert not np.array_equal(first, other)
    assert all(p.shape == SIZE and p.dtype == np.uint8 for p in first)


def test_pictures_are_worn_as_the_config_says(config: PretrainingConfig, toy: Toy) -> None:
    worn, clean = prepared(config, toy), prepared(replace(config, wear=0.0), toy)
    drawn = [m.draw(np.array([0]), np.random.default_rng(1))[0][0] for m in (worn, clean)]
    assert not np.array_equal(*drawn)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_two_recordings_give_a_finite_loss_whose_gradient_reaches_the_encoder(
    config: PretrainingConfig, precision: str, toy: Toy
) -> None:
    method, encoder = prepared(config, toy), build_encoder()
    network = method.network(encoder)
    pictures, targets = method.draw(np.arange(2), np.random.default_rng(1))
    fabric = make_fabric(precision)
    outputs = fabric.setup_module(network)(torch.from_numpy(stack(pictures)).to(fabric.device))
    loss = method.loss(outputs, torch.from_numpy(targets).to(fabric.device))
    fabric.backward(loss)
    assert loss.shape == ()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    # the encoder itself is trained, no copy of it
    for weights in encoder.parameters():
        assert weights.grad is not None
        assert torch.isfinite(weights.grad).all()
    assert float(encoder.get_parameter("conv1.weight").grad.abs().sum()) > 0


@pytest.mark.slow
def test_learning_a_batch_lowers_its_loss_and_makes_others_pictures_wrong(
    config: PretrainingConfig, toy: Toy
) -> None:
    torch.manual_seed(0)
    method = prepared(config, toy)
    network = method.network(build_encoder())
    optimizer = torch.optim.AdamW(p for p in network.parameters() if p.requires_grad)
    pictures, targets = method.draw(np.arange(8), np.random.default_rng(1))
    x, asked = torch.from_numpy(stack(pictures)), torch.from_numpy(targets)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
    first = 0.0
    for step in range(STEPS):
        loss = method.loss(network(x), asked)
        first = first or float(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            method.after_step(network, (step + 1) / STEPS)
    with torch.no_grad():
        matched = float(method.loss(network(x), asked))
        mismatched = float(method.loss(network(x[order]), asked))
    assert matched < first
    assert matched < mismatched


class Stop(Exception):  # noqa: N818 - stands for a killed process
    pass


@pytest.mark.slow
def test_interrupted_pretraining_ends_with_the_same_encoder_and_two_seeds_differ(
    config: PretrainingConfig, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_EVERY_S", 0.0)

    def stop_in_second_pass(done: int, of: int) -> None:
        if done == 2:
            raise Stop

    corpus = toy[0][:8]
    whole = pretrain(corpus, config, seed=1)
    with pytest.raises(Stop):
        pretrain(corpus, config, seed=1, watch=Watch(stop_in_second_pass, tmp_path))
    resumed = pretrain(corpus, config, seed=1, watch=Watch(checkpoint=tmp_path))
    assert resumed == whole
    assert pretrain(corpus, config, seed=2).weights != whole.weights


def settings(method: type[Method]) -> dict[str, Any]:
    """The method's own settings with their defaults."""
    parameters = inspect.signature(method).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def test_every_setting_has_limits_and_its_default_is_written_out(config: PretrainingConfig) -> None:
    method = METHODS[config.method]
    own = settings(method)
    limited = {name for name, value in own.items() if not isinstance(value, bool)}
    assert {*method.RANGES, *method.CHOICES} == limited
    assert config.settings == own
    made = config.make_method()
    assert {name: getattr(made, name) for name in own} == own


def test_method_and_settings_are_documented(config: PretrainingConfig) -> None:
    begin = f"- `{config.method}`"
    _, found, item = DOCS.read_text().partition(f"\n{begin}")
    assert found, f"docs/study.md has no item {begin} under Pretraining"
    item = item.split("\n- ")[0].split("\n\n")[0]
    missing = [name for name in settings(METHODS[config.method]) if f"`{name}`" not in item]
    assert not missing, f"docs/study.md does not say what {missing} of {config.method} do"


def test_settings_that_do_not_fit_are_refused_before_anything_is_done(
    config: PretrainingConfig,
) -> None:
    method = METHODS[config.method]
    wrong: dict[str, list[Any]] = {"nonsense": [1]}
    for name, (low, high) in method.RANGES.items():
        wrong[name] = [low - 1, high + 1, float("nan"), "much", True]
    for name in method.CHOICES:
        wrong[name] = ["nonsense", 1]
    for name, values in wrong.items():
        for value in values:
            with pytest.raises(ConfigError, match=name):
                replace(config, settings={name: value})
    with pytest.raises(ConfigError, match="2 problems"):
        replace(config, settings={"nonsense": 1, "folly": 2})


def test_a_setting_changes_the_name_of_the_encoder(config: PretrainingConfig, toy: Toy) -> None:
    method, corpus = METHODS[config.method], toy[0][:2]
    for name, default in settings(method).items():
        limits = method.RANGES.get(name, method.CHOICES.get(name, (False, True)))
        other = next(value for value in limits if value != default)
        changed = replace(config, settings={name: type(default)(other)})
        assert changed.digest(corpus) != config.digest(corpus)
