"""What every pretraining method must do; a method that is added is under contract at once."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dyssync.cohort.shards import HEARTS
from dyssync.ecg import ECG
from dyssync.errors import CohortError, ConfigError
from dyssync.learning import checkpoint
from dyssync.learning.network import build_encoder
from dyssync.learning.network_input import stack
from dyssync.learning.training import Watch, make_fabric
from dyssync.pretraining import METHODS, Method
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.loop import pretrain
from dyssync.pretraining.material import Material
from dyssync.pretraining.method import NOTHING, SIMULATION

Toy = tuple[list[ECG], np.ndarray]
SIZE = (64, 64)
STEPS = 8
DOCS = Path(__file__).parents[2] / "docs" / "pretraining.md"


@pytest.fixture(params=METHODS.names())
def config(request: pytest.FixtureRequest) -> PretrainingConfig:
    return PretrainingConfig(
        method=request.param, height=SIZE[0], width=SIZE[1], papers="mixed", wear=2.0,
        passes=2, batch_size=4, precision="32-true",
    )  # fmt: skip


@pytest.fixture(scope="module")
def material(toy: Toy) -> Material:
    """Eight formula ECGs with hearts, of which half are known, and those not in all."""
    hearts = np.random.default_rng(3).normal(size=(8, len(HEARTS)))
    hearts[::2] = hearts[1, 2] = np.nan
    return Material.of(toy[0][:8], hearts)


def prepared(config: PretrainingConfig, material: Material) -> Method:
    method = config.make_method()
    method.prepare(material)
    return method


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_draw_is_replayable_and_seeds_differ(config: PretrainingConfig, material: Material) -> None:
    method, batch = prepared(config, material), np.arange(4)
    first, targets = method.draw(batch, rng())
    again, same = method.draw(batch, rng())
    other, _ = method.draw(batch, rng(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(targets, same)
    assert targets.dtype == np.float32
    assert not np.array_equal(first, other)
    assert all(p.shape == SIZE and p.dtype == np.uint8 for p in first)


def test_a_share_of_a_batch_has_as_many_pictures_of_each_recording(
    config: PretrainingConfig, material: Material
) -> None:
    method = prepared(config, material)
    views = set()
    for n in (1, 3):  # what one of several processes may have
        pictures, targets = method.draw(np.arange(n), rng())
        views.add((len(pictures) / n, len(targets) / n))
        # all first pictures come before all second ones: those of others are put between
        first, _ = method.draw(np.arange(1), rng())
        np.testing.assert_array_equal(pictures[0], first[0])
    assert len(views) == 1
    assert all(float(number).is_integer() for number in views.pop())


def test_pictures_are_worn_as_the_config_says(
    config: PretrainingConfig, material: Material
) -> None:
    worn, clean = prepared(config, material), prepared(replace(config, wear=0.0), material)
    drawn = [m.draw(np.array([0]), rng())[0][0] for m in (worn, clean)]
    assert not np.array_equal(*drawn)


def test_a_method_says_what_it_is_supervised_by_and_only_simulation_asks_for_hearts(
    config: PretrainingConfig, toy: Toy
) -> None:
    unknown = Material.of(toy[0][:8])
    if METHODS[config.method].SUPERVISED == SIMULATION:
        with pytest.raises(CohortError, match="measurements learns from any ECG") as caught:
            prepared(config, unknown)
        assert "\n" not in str(caught.value)
    else:
        assert METHODS[config.method].SUPERVISED == NOTHING
        assert len(prepared(config, unknown)) == 8


def test_nothing_that_the_chart_says_changes_what_is_asked(
    config: PretrainingConfig, material: Material, toy: Toy
) -> None:
    told = [replace(e, clinical={"lvef": 20.0 + k}) for k, e in enumerate(toy[0][:8])]
    charted = Material.of(told, material.hearts(np.arange(8)))
    seen, same = (prepared(config, m).draw(np.arange(8), rng()) for m in (material, charted))
    np.testing.assert_array_equal(seen[0], same[0])
    np.testing.assert_array_equal(seen[1], same[1])


def test_what_is_not_known_has_no_gradient(config: PretrainingConfig, material: Material) -> None:
    method = prepared(config, material)
    pictures, targets = method.draw(np.arange(8), rng())
    asked = torch.from_numpy(targets)
    shape = (len(pictures), asked.shape[1] or 5)
    outputs = torch.randn(shape, generator=torch.Generator().manual_seed(1), requires_grad=True)
    method.loss(outputs, asked).backward()
    assert outputs.grad is not None
    if asked.shape[1]:
        assert ((outputs.grad == 0) == asked.isnan()).all()
    assert torch.isfinite(outputs.grad).all()


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_two_recordings_give_a_finite_loss_whose_gradient_reaches_the_encoder(
    config: PretrainingConfig, precision: str, material: Material
) -> None:
    method, encoder = prepared(config, material), build_encoder()
    network = method.network(encoder)
    pictures, targets = method.draw(np.arange(2), rng())
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
    config: PretrainingConfig, material: Material
) -> None:
    torch.manual_seed(0)
    method = prepared(config, material)
    network = method.network(build_encoder())
    optimizer = torch.optim.AdamW(p for p in network.parameters() if p.requires_grad)
    pictures, targets = method.draw(np.arange(8), rng())
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
    config: PretrainingConfig, material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_EVERY_S", 0.0)

    def stop_in_second_pass(done: int, of: int) -> None:
        if done == 2:
            raise Stop

    whole = pretrain(material, config, seed=1)
    with pytest.raises(Stop):
        pretrain(material, config, seed=1, watch=Watch(stop_in_second_pass, tmp_path))
    resumed = pretrain(material, config, seed=1, watch=Watch(checkpoint=tmp_path))
    assert resumed == whole
    assert pretrain(material, config, seed=2).weights != whole.weights


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
    assert found, f"docs/pretraining.md has no item {begin}"
    item = item.split("\n- ")[0].split("\n\n")[0]
    missing = [name for name in settings(METHODS[config.method]) if f"`{name}`" not in item]
    assert not missing, f"docs/pretraining.md does not say what {missing} of {config.method} do"


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


def test_a_setting_changes_the_name_of_the_encoder(config: PretrainingConfig) -> None:
    method = METHODS[config.method]
    for name, default in settings(method).items():
        limits = method.RANGES.get(name, method.CHOICES.get(name, (False, True)))
        other = next(value for value in limits if value != default)
        changed = replace(config, settings={name: type(default)(other)})
        assert changed.digest("corpus") != config.digest("corpus")
