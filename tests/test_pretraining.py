"""What is particular to each pretraining method."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from dyssync.ecg import ECG
from dyssync.errors import ConfigError
from dyssync.learning.picture_config import PictureConfig
from dyssync.models.self_supervised import SelfSupervisedResNet18
from dyssync.pretraining.simclr import SimCLR
from dyssync.pretraining.waveform import Waveform

Toy = tuple[list[ECG], np.ndarray]
PICTURES = PictureConfig((64, 64), gain=2.0, papers="mixed", wear=2.0)


def test_model_gives_the_method_its_settings() -> None:
    model = SelfSupervisedResNet18(method="simclr", method_settings={"temperature": 0.5})
    assert model.pretraining_config().settings == {"temperature": 0.5, "projection": 128}
    with pytest.raises(ConfigError, match=r"simclr: temperature is 0; 0\.001 to 100 is needed"):
        model.set_params(method_settings={"temperature": 0}).pretraining_config()


def test_simclr_loss_equals_the_formula_written_naively() -> None:
    method = SimCLR(PICTURES, temperature=0.3)
    z = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    total = 0.0
    for i in range(6):  # equation 1 of arXiv 2002.05709
        j = (i + 3) % 6
        similar = [
            float(torch.exp(functional.cosine_similarity(z[i], z[k], dim=0) / 0.3))
            for k in range(6)
        ]
        total -= np.log(similar[j] / (sum(similar) - similar[i]))
    assert float(method.loss(z, torch.zeros(6, 0))) == pytest.approx(total / 6)
    swapped = torch.cat([z[3:], z[:3]])
    assert float(method.loss(swapped, torch.zeros(6, 0))) == pytest.approx(total / 6)


def test_waveform_targets_are_components_of_the_turned_beat(toy: Toy) -> None:
    method = Waveform(PICTURES)
    method.prepare(toy[0])
    flat = method.beats.reshape(len(method), -1)
    targets = (flat - method.mean) @ method.projection
    # components are uncorrelated over the corpus, the first has unit variance
    covariance = targets.T @ targets / len(method)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-4)
    assert covariance[0, 0] == pytest.approx(1.0, rel=1e-3)


def test_waveform_whitens_as_far_as_it_is_told(toy: Toy) -> None:
    variances = {}
    for whitening in (0.0, 1.0):
        method = Waveform(PICTURES, components=4, whitening=whitening)
        method.prepare(toy[0])
        flat = method.beats.reshape(len(method), -1)
        variances[whitening] = ((flat - method.mean) @ method.projection).var(axis=0)
    np.testing.assert_allclose(variances[1.0], np.ones(4), rtol=1e-3)
    assert (np.diff(variances[0.0]) < 0).all()


def test_wear_changes_the_picture_and_not_the_waveform_that_is_asked_for(toy: Toy) -> None:
    drawn = []
    for pictures in (PICTURES, replace(PICTURES, wear=0.0)):
        method = Waveform(pictures)
        method.prepare(toy[0][:8])
        drawn.append(method.draw(np.array([0]), np.random.default_rng(1)))
    (worn, asked), (clean, same) = drawn
    assert not np.array_equal(worn[0], clean[0])
    np.testing.assert_array_equal(asked, same)
