"""A network in a file says what it said in torch: in all layouts, of pictures, where it looked."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.numpy import load, save

from dyssync.ecg import ECG
from dyssync.errors import ModelError
from dyssync.explanation.evidence import evidence_of
from dyssync.explanation.explain import explain
from dyssync.explanation.gradcam import gradcam
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.learning.ahead import looking_ahead, seen_ahead
from dyssync.learning.network import build_network, pack_weights, round_weights, unpack_weights
from dyssync.learning.network_file import network_file
from dyssync.learning.network_input import asked_pictures, stack
from dyssync.learning.picture_config import PictureConfig
from dyssync.learning.stored import StoredNetwork, restored_network, stored_network
from dyssync.learning.trained import TrainedNetwork
from dyssync.models.head import Head
from dyssync.models.protocols import State
from dyssync.models.resnet import ResNet18
from dyssync.models.simulation_supervised import SimulationResNet18

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
    for x in (*toy[0][:2], *[page] * model.takes_pictures()):
        seen = stack(asked_pictures(x, model.picture_config(), model.test_views))
        with torch.no_grad():
            expected = network(torch.from_numpy(seen)).mean().item() + model.log_odds_
        assert model.logits([x]) == pytest.approx(expected, abs=TOLERANCE)


def test_of_a_page_a_network_on_median_beats_sees_what_was_read_off_it(
    network: torch.nn.Module, toy: Toy, page: ECGImage
) -> None:
    read, unread = replace(page, ecg=toy[0][1]), replace(page, unread="no grid was found")
    assert model_of(network, "3x4+II").takes_pictures()
    model = model_of(network, "tiles")
    assert not model.takes_pictures()
    logits = model.logits([toy[0][0], read, unread])
    np.testing.assert_array_equal(logits[:2], model.logits(toy[0][:2]))
    assert np.isnan(logits[2])
    assert model.response_probability([unread]) == pytest.approx(0.6)


def test_a_fit_on_median_beats_leaves_out_pages_that_were_not_read(
    toy: Toy, page: ECGImage
) -> None:
    x, y = toy[0][:8], toy[1][:8]
    unread = replace(page, unread="no grid was found")
    settings = {"layout": "tiles", "height": 32, "width": 40, "epochs": 1}
    alone = ResNet18(**settings).fit(x, y)
    beside = ResNet18(**settings).fit([unread, *x, unread], np.array([0, *y, 1]))
    np.testing.assert_array_equal(alone.logits(x), beside.logits(x))


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
    model = SimulationResNet18().fit(toy[0][:16], toy[1][:16])
    back = SimulationResNet18(**model.get_params()).restore(model.state())
    asked = toy[0][16:20]
    x = torch.from_numpy(stack([model.picture(ecg).image for ecg in asked]))
    with torch.no_grad():
        expected = model.fitted_network()(x)[:, 0].numpy() + model.log_odds_
    np.testing.assert_allclose(back.logits(asked), expected, atol=TOLERANCE)
    maps = gradcam(model.fitted_network(), x, "encoder.layer4")
    np.testing.assert_allclose(np.maximum(back.evidence(asked), 0), maps, atol=1e-5)


def edited(data: bytes, edit: Callable[[onnx.ModelProto], object]) -> bytes:
    model = onnx.load_model_from_string(data)
    edit(model)
    return model.SerializeToString(deterministic=True)


def huge(model: onnx.ModelProto) -> None:
    """Numbers that claim a size which no machine has."""
    model.graph.initializer[0].dims[0] = 2**40


def elsewhere(model: onnx.ModelProto) -> None:
    """Weights that stand in another file of whoever loads them."""
    kept = model.graph.initializer[0]
    kept.ClearField("raw_data")
    kept.data_location = onnx.TensorProto.EXTERNAL
    kept.external_data.add(key="location", value="/etc/passwd")


def endless(model: onnx.ModelProto) -> None:
    body = onnx.helper.make_graph([], "body", [], [])
    model.graph.node.append(onnx.helper.make_node("Loop", [], ["again"], body=body))


def set_numbers(name: str, value: float) -> Callable[[onnx.ModelProto], None]:
    def edit(model: onnx.ModelProto) -> None:
        kept = next(one for one in model.graph.initializer if one.name.endswith(name))
        held = onnx.numpy_helper.to_array(kept).copy()
        held.flat[0] = value
        kept.raw_data = held.tobytes()

    return edit


EDITS: dict[str, Callable[[onnx.ModelProto], object]] = {
    "numbers of no size": huge,
    "numbers elsewhere": elsewhere,
    "a loop": endless,
    "another output": lambda m: m.graph.output.append(m.graph.input[0]),
    "another operation": lambda m: setattr(m.graph.node[1], "op_type", "ConvTranspose"),
    "a stride of millions": lambda m: m.graph.node[1].attribute[-1].ints.__setitem__(0, 10**6),
    "a function": lambda m: m.functions.add(name="Conv"),
    "another version": lambda m: setattr(m.opset_import[0], "version", 1),
    "a remark": lambda m: setattr(m, "doc_string", "x" * 1000),
    "less": lambda m: m.graph.node.pop(),
    "an infinite weight": set_numbers("conv1.weight.kept", float("inf")),
    "a weight that is none": set_numbers("bn1.bias", float("nan")),
    "a variance below 0": set_numbers("bn1.running_var", -1.0),
}


@pytest.fixture(scope="module")
def trunk_file() -> bytes:
    return network_file(pack_weights(lively().get_submodule("encoder")))


def test_files_are_those_that_onnx_writes_itself(
    trunk_file: bytes, network: torch.nn.Module
) -> None:
    for data in (trunk_file, network_file(pack_weights(network))):
        onnx.checker.check_model(data, full_check=True)
        assert edited(data, lambda model: None) == data


@pytest.mark.parametrize("edit", EDITS)
def test_a_file_that_was_changed_never_reaches_the_runtime(
    trunk_file: bytes, edit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reached(*_: object, **__: object) -> None:
        raise AssertionError("the runtime saw it")

    monkeypatch.setattr(onnxruntime, "InferenceSession", reached)
    data = edited(trunk_file, EDITS[edit])
    assert data != trunk_file
    with pytest.raises(ModelError, match="the network is damaged"):
        restored_network(data, None, head=False)
    with pytest.raises(ModelError, match="the network is damaged"):
        stored_network(data).look(np.zeros((1, 1, 64, 80), dtype=np.float32))


def test_bytes_that_are_no_network_are_one_error(trunk_file: bytes) -> None:
    bad = [b"", trunk_file[:1000], trunk_file[: len(trunk_file) // 2], b"\x00" * 100]
    bad += [b"\xff" * 3000, np.random.default_rng(0).bytes(5000), bytes(61_000_000)]
    bad.append(b"\x3a\x02" * 1_000_000)  # a million graphs
    for where in (1, 3, 40, len(trunk_file) - 4):  # of what stands about the weights
        held = bytearray(trunk_file)
        held[where] ^= 255
        bad.append(bytes(held))
    for data in bad:
        with pytest.raises(ModelError, match="the network is damaged"):
            restored_network(data, None, head=False)
    with pytest.raises(ModelError, match="the network is damaged"):
        restored_network(trunk_file, None, head=True)
    with pytest.raises(ModelError, match="do not fit"):
        network_file(b"no tensors")
    with pytest.raises(ModelError, match="do not fit"):
        network_file(pack_weights(torch.nn.Linear(3, 4)))


@pytest.mark.parametrize("kind", [np.float16, np.int8, np.float64])
@pytest.mark.parametrize("name", ["layer4.0.conv1.weight.scale", "bn1.running_var"])
def test_what_is_never_packed_has_32_bits(name: str, kind: type[np.generic]) -> None:
    packed = load(pack_weights(lively().get_submodule("encoder"), bits=8))
    network_file(save(packed))
    with pytest.raises(ModelError, match=f"do not fit: {name} of another type"):
        network_file(save({**packed, name: packed[name].astype(kind)}))


def test_networks_that_look_ahead_say_the_same_and_look_once(
    network: torch.nn.Module, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, ecg = model_of(network, "3x4+II"), toy[0][0]
    here = model.logits([ecg])
    calls: list[int] = []
    look = StoredNetwork.look

    def counted(self: StoredNetwork, pictures: np.ndarray, **how: bool) -> object:
        calls.append(len(pictures))
        return look(self, pictures, **how)

    monkeypatch.setattr(StoredNetwork, "look", counted)
    with looking_ahead(ecg) as begin:
        begin([*model.looks(), *model.looks()])
        np.testing.assert_array_equal(model.logits([ecg]), here)
        evidence = model.evidence([ecg])
    assert calls == [model.test_views], "of members and for the explanation together"
    np.testing.assert_allclose(model.evidence([ecg]), evidence, atol=1e-5)
    assert seen_ahead(model.looks()[0], ecg) is None, "nothing outlives its owner"
    fresh = StoredNetwork("fresh", model.stored_.data)
    with looking_ahead(ecg, once=True) as begin:
        begin([replace(model.looks()[0], network=fresh)])
    assert "_session" not in vars(fresh), "closed after its look"


def test_what_a_network_cannot_do_is_told_to_who_asks_for_it(
    network: torch.nn.Module, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, ecg = model_of(network, "3x4+II"), toy[0][0]

    def fails(self: StoredNetwork, pictures: np.ndarray, **how: bool) -> object:
        raise ModelError("damaged")

    monkeypatch.setattr(StoredNetwork, "look", fails)
    with looking_ahead(ecg) as begin:
        begin(model.looks())
        with pytest.raises(ModelError, match="damaged"):
            model.logits([ecg])
