"""The training loop: resumption gives the same numbers; weights survive their files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dyssync.errors import ModelError
from dyssync.learning import checkpoint
from dyssync.learning.network import (
    build_network,
    load_image_weights,
    pack_weights,
    round_weights,
    unpack_weights,
)
from dyssync.learning.training import (
    UNWATCHED,
    Objective,
    Schedule,
    Watch,
    batches,
    make_fabric,
    train,
)


class Stop(Exception):  # noqa: N818 - stands for a killed process
    pass


def learn(epochs_before_stop: int | None, folder: Path | None) -> torch.Tensor:
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 1)
    fabric = make_fabric("32-true")
    wrapped = fabric.setup_module(module)
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))

    def loss_of(batch: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        noise = torch.from_numpy(rng.normal(0, 0.1, (len(batch), 3)).astype(np.float32))
        return (wrapped(x[batch] + noise) - x[batch].sum(1, keepdim=True)).square().mean()

    def on_progress(done: int, of: int) -> None:
        assert of == 6
        if epochs_before_stop is not None and done > epochs_before_stop:
            raise Stop

    schedule = Schedule(epochs=6, batch_size=4, learning_rate=0.05, weight_decay=0.1)
    watch = Watch(on_progress, folder) if folder else UNWATCHED
    objective = Objective(
        20,
        loss_of,
        validate=lambda mean: float(mean.get_parameter("weight").detach().square().sum()),
    )
    history = train(module, objective, schedule, seed=5, fabric=fabric, watch=watch)
    assert len(history.loss) == 6
    return module.weight.detach().clone()


def test_interrupted_training_ends_with_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_EVERY_S", 0.0)
    whole = learn(None, None)
    with pytest.raises(Stop):
        learn(3, tmp_path)
    resumed = learn(None, tmp_path)
    torch.testing.assert_close(resumed, whole, rtol=0, atol=0)


def test_damaged_checkpoint_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_EVERY_S", 0.0)
    with pytest.raises(Stop):
        learn(3, tmp_path)
    path = tmp_path / checkpoint.CHECKPOINT
    whole = path.read_bytes()
    for damaged in (whole[:40], whole[:-8], b"", whole.replace(b"now.weight", b"now.height")):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"checkpoint is damaged .* remove it") as caught:
            learn(None, tmp_path)
        assert "\n" not in str(caught.value)


def test_batches_cover_everything_once_and_leave_no_single() -> None:
    held = list(batches(np.random.default_rng(0).permutation(13), 4))
    assert [len(b) for b in held] == [4, 4, 4]  # the thirteenth alone would break batch norm
    assert len(set(np.concatenate(held))) == 12


def test_rounded_weights_survive_packing_exactly() -> None:
    network = build_network(1)
    round_weights(network)
    other = build_network(1)
    unpack_weights(other, pack_weights(network))
    for key, value in network.state_dict().items():
        torch.testing.assert_close(other.state_dict()[key], value, rtol=0, atol=0)
    with pytest.raises(ModelError, match="do not fit"):
        unpack_weights(build_network(2), pack_weights(network))


def test_network_has_the_parameters_of_the_imagenet_checkpoint() -> None:
    # torchvision's ResNet-18: 11,689,512 with three colours and 1,000 classes
    encoder = build_network(1).get_submodule("encoder")
    count = sum(p.numel() for p in encoder.parameters())
    assert count + 2 * 64 * 49 + 512 * 1000 + 1000 == 11_689_512


def test_image_weights_load_with_colours_summed(tmp_path: Path) -> None:
    encoder = build_network(1).get_submodule("encoder")
    state = {k: v.clone() for k, v in encoder.state_dict().items()}
    state["conv1.weight"] = state["conv1.weight"].repeat(1, 3, 1, 1)
    state = {k: v.contiguous() for k, v in state.items()}
    state["fc.weight"] = torch.zeros(1000, 512)
    save_file(state, tmp_path / "resnet18.safetensors")
    other = build_network(1).get_submodule("encoder")
    load_image_weights(other, tmp_path / "resnet18.safetensors")
    torch.testing.assert_close(
        other.state_dict()["conv1.weight"], 3 * encoder.state_dict()["conv1.weight"]
    )
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="no ResNet-18"):
        load_image_weights(other, tmp_path / "other.safetensors")
    (tmp_path / "pickled.pth").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="pickled checkpoints are not loaded"):
        load_image_weights(other, tmp_path / "pickled.pth")
