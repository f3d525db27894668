"""A network in a file says what it said in torch: in all layouts, of pictures, where it looked."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dyssync.ecg import ECG
from dyssync.errors import ModelError
from dyssync.explanation.evidence import evidence_of
from dyssync.explanation.explain import explain
from dyssync.explanation.gradcam import gradcam
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.learning.network import build_network, pack_weights, round_weights, unpack_weights
from dyssync.learning.network_file import network_file
from dyssync.learning.network_input import asked_pictures, stack
from dyssync.learning.picture_config import PictureConfig
from dyssync.learning.stored import StoredNetwork, stored_network
from dyssync.learning.trained import TrainedNetwork
from dyssync.models.head import Head
from dyssync.models.protocols import State
from dyssync.models.resnet import ResNet18
from dyssync.models.simulation_supervised import SimulationResNet18
from dyssync.pretraining.encoder import shipped_encoder

Toy = tuple[list[ECG], np.ndarray]

# Of a log-odds: both sum the same 32-bit numbers, in another order
TOLERANCE = 2e-5


def lively(outputs: int = 1) -> torch.nn.Module:
    """A network that has not learnt, but whose batch norms are not those of the beginning."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        network = build_network(outputs)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.normal_(module.running_mean, 0, 0.1)
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.normal_(module.bias, 0, 0.1)
    round_weights(network)
    return network.eval()


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return lively()


def model_of(network: torch.nn.Module, layout: str) -> ResNet18:
    """A model around a network, read back."""
    model = ResNet18(layout=layout, height=64, width=80)
    file = {"network.onnx": network_file(pack_weights(network))}
    return model.restore(State({"base_rate": 0.6, "best_epoch": 1}, file))


@pytest.fixture(scope="module")
def page(toy: Toy) -> ECGImage:
    grey = asked_pictures(toy[0][1], PictureConfig((480, 640), gain=2.0), 1)[0]
    return ECGImage(np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_read_back_says_the_same(
    layout: str, network: torch.nn.Module, toy: Toy, page: ECGImage
) -> None:
    model = model_of(network, layout)
    for x in (*toy[0][:2], page):
        seen = stack(asked_pictures(x, model.picture_config(), model.test_views))
        with torch.no_grad():
            expected = network(torch.from_numpy(seen)).mean().item() + model.log_odds_
        assert model.logits([x]) == pytest.approx(expected, abs=TOLERANCE)


def test_maps_of_the_last_stage_are_grad_cam_without_a_gradient(
    network: torch.nn.Module, toy: Toy
) -> None:
    model = model_of(network, "3x4+II")
    x = torch.from_numpy(stack([model.picture(ecg).image for ecg in toy[0][:3]]))
    expected = gradcam(network, x, "encoder.layer4")
    assert (expected > 0).any()
    assert (expected == 0).any()
    found = model.evidence(toy[0][:3])
    np.testing.assert_allclose(np.maximum(found, 0), expected, atol=1e-6)
    # what the cells add sums to the logit but for the intercept
    with torch.no_grad():
        logits = (network(x)[:, 0] - network.get_submodule("head.1").bias).numpy()
    np.testing.assert_allclose(found.sum(axis=(1, 2)), logits, atol=TOLERANCE)
    maps = explain(model, toy[0][:3], "layer4", 0.6).maps.maps
    np.testing.assert_array_equal(maps, np.maximum(found, 0))
    with pytest.raises(ModelError, match="last stage alone"):
        explain(model, toy[0][:1], "layer3", 0.6)


def test_the_map_of_several_members_is_that_of_their_mean_logit(
    network: torch.nn.Module, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = np.random.default_rng(0).normal(size=(3, 512)).astype(np.float32)
    members = []
    for head in heads:
        model = SimulationResNet18(height=64, width=80)
        model.trunk_ = stored_network(network_file(pack_weights(network.get_submodule("encoder"))))
        model.head_ = Head(tuple(head.tolist()), (), (), (), (), 0.0, {})
        members.append(model)
    looked = []
    look = StoredNetwork.look
    monkeypatch.setattr(StoredNetwork, "look", lambda *a: looked.append(1) or look(*a))
    for response in (True, False):
        found = evidence_of(members, toy[0][0], response=response)
        each = np.array([member.evidence([toy[0][0]])[0] for member in members])
        mean = each.mean(axis=0) if response else -each.mean(axis=0)
        np.testing.assert_allclose(found, np.maximum(mean, 0), atol=1e-6)
        assert (found > 0).any()
    assert len(looked) == 2 * (1 + 3), "the members share one look"
    apart = [model_of(network, "3x4+II"), model_of(lively(), "3x4+II")]
    assert evidence_of(apart, toy[0][0]).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_a_trunk_keeps_its_bits_and_sees_the_same(bits: int, toy: Toy) -> None:
    encoder = lively().get_submodule("encoder")
    weights = pack_weights(encoder, bits=bits)
    unpack_weights(encoder, weights)
    data = network_file(weights)
    assert len(data) == pytest.approx(len(weights), rel=0.02), "as many bytes as it had"
    pictures = stack(asked_pictures(toy[0][0], PictureConfig((64, 80)), 3))
    expected = TrainedNetwork(encoder, "32-true").look(pictures)
    found = stored_network(data).look(pictures)
    np.testing.assert_allclose(found.features, expected.features, atol=TOLERANCE)
    np.testing.assert_allclose(found.maps, expected.maps, atol=10 * TOLERANCE)
    assert found.head is None


@pytest.mark.slow
def test_a_ridge_on_the_shipped_trunk_says_the_same(toy: Toy) -> None:
    model = SimulationResNet18(test_views=1).fit(toy[0][:16], toy[1][:16])
    back = SimulationResNet18(**model.get_params()).restore(model.state())
    asked = toy[0][16:20]
    x = torch.from_numpy(stack([model.picture(ecg).image for ecg in asked]))
    with torch.no_grad():
        expected = model.fitted_network()(x)[:, 0].numpy() + model.log_odds_
    np.testing.assert_allclose(back.logits(asked), expected, atol=TOLERANCE)
    maps = gradcam(model.fitted_network(), x, "encoder.layer4")
    np.testing.assert_allclose(np.maximum(back.evidence(asked), 0), maps, atol=1e-5)


def test_what_is_no_network_of_ours_is_one_error(tmp_path: Path) -> None:
    data = network_file(shipped_encoder("hearts").weights)
    picture = np.zeros((1, 1, 64, 80), dtype=np.float32)
    for damaged in (b"", data[:1000], data[: len(data) // 2], b"\x00" * 100):
        with pytest.raises(ModelError, match=r"damaged|another one"):
            stored_network(damaged).look(picture)
    with pytest.raises(ModelError, match="do not fit"):
        network_file(b"no tensors")
    with pytest.raises(ModelError, match="do not fit"):
        network_file(pack_weights(torch.nn.Linear(3, 4)))
