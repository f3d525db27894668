"""What every pretraining method must do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from dyssync.ecg import ECG
from dyssync.learning.network import build_network
from dyssync.learning.network_input import stack
from dyssync.learning.picture_config import PictureConfig, named_layouts
from dyssync.pretraining import METHODS
from dyssync.pretraining.simclr import TEMPERATURE

Toy = tuple[list[ECG], np.ndarray]
SIZE = (64, 64)
PICTURES = PictureConfig(
    SIZE, gain=2.0, training_layouts=named_layouts("mixed", "3x4+II"), papers="mixed", wear=2.0
)
UNDER_CONTRACT = ("waveform", "simclr")


@pytest.fixture(params=UNDER_CONTRACT)
def method(request: pytest.FixtureRequest, toy: Toy) -> Any:
    made = METHODS[request.param](PICTURES)
    made.prepare(toy[0][:8])
    return made


def test_every_method_is_under_contract() -> None:
    assert set(UNDER_CONTRACT) == set(METHODS)


def test_draw_is_replayable_and_seeds_differ(method: Any) -> None:
    batch = np.arange(4)
    first, targets = method.draw(batch, np.random.default_rng(1))
    again, same = method.draw(batch, np.random.default_rng(1))
    other, _ = method.draw(batch, np.random.default_rng(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(targets, same)
    assert not np.array_equal(first, other)
    assert all(p.shape == SIZE and p.dtype == np.uint8 for p in first)


def test_wear_changes_the_picture_and_not_the_question(method: Any, toy: Toy) -> None:
    clean = type(method)(replace(PICTURES, wear=0.0))
    clean.prepare(toy[0][:8])
    one = np.array([0])
    worn_picture, asked = method.draw(one, np.random.default_rng(1))
    clean_picture, same = clean.draw(one, np.random.default_rng(1))
    assert not np.array_equal(worn_picture[0], clean_picture[0])
    np.testing.assert_array_equal(asked, same)


def test_gradient_reaches_the_encoder(method: Any) -> None:
    network = build_network(method.outputs())
    pictures, targets = method.draw(np.arange(2), np.random.default_rng(1))
    loss = method.loss(network(torch.from_numpy(stack(pictures))), torch.from_numpy(targets))
    loss.backward()
    assert torch.isfinite(loss)
    assert float(network.get_parameter("encoder.conv1.weight").grad.abs().sum()) > 0


def test_loss_is_lower_when_matched(method: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    if isinstance(method, METHODS["simclr"]):
        z = torch.randn(8, method.outputs(), generator=generator)
        matched, mismatched = torch.cat([z, z]), torch.cat([z, z.roll(1, 0)])
        nothing = torch.zeros(16, 0)
        assert method.loss(matched, nothing) < method.loss(mismatched, nothing)
    else:
        targets = torch.randn(8, method.outputs(), generator=generator)
        assert method.loss(targets, targets) == 0
        assert method.loss(targets.roll(1, 0), targets) > 0


def test_simclr_loss_equals_the_formula_written_naively(toy: Toy) -> None:
    method = METHODS["simclr"](PICTURES)
    z = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    total = 0.0
    for i in range(6):  # equation 1 of arXiv 2002.05709
        j = (i + 3) % 6
        similar = [
            float(torch.exp(functional.cosine_similarity(z[i], z[k], dim=0) / TEMPERATURE))
            for k in range(6)
        ]
        total -= np.log(similar[j] / (sum(similar) - similar[i]))
    assert float(method.loss(z, torch.zeros(6, 0))) == pytest.approx(total / 6)
    swapped = torch.cat([z[3:], z[:3]])
    assert float(method.loss(swapped, torch.zeros(6, 0))) == pytest.approx(total / 6)


def test_waveform_targets_are_components_of_the_turned_beat(toy: Toy) -> None:
    method = METHODS["waveform"](PICTURES)
    method.prepare(toy[0])
    flat = method.beats.reshape(len(method), -1)
    targets = (flat - method.mean) @ method.projection
    # components are uncorrelated over the corpus, the first has unit variance
    covariance = targets.T @ targets / len(method)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-4)
    assert covariance[0, 0] == pytest.approx(1.0, rel=1e-3)
