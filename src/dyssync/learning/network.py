"""ResNet-18 of MONAI as encoder and head, its weights in and out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dyssync.errors import FAULTS, ModelError

if TYPE_CHECKING:
    import torch

FEATURES = 512  # channels of the last stage of ResNet-18
STAGES = ("layer1", "layer2", "layer3", "layer4")
SCALE = ".scale"  # of a matrix in whole numbers; its key ends so
# Numbers in a matrix below which it keeps half precision: conv1 and the first stage of a ResNet-18
# are 1.4 % of its weights, and rounding them to 8 bits makes two thirds of the change of features.
SMALL = 50_000


def build_encoder() -> torch.nn.Module:
    """Return a freshly initialised trunk: grey pictures to :data:`FEATURES` numbers, channels-last.

    `bias_downsample=False` and `conv1_t_stride=2` give the 11.2 million parameters and the names of
    the ImageNet checkpoints of torchvision and timm, so that those weights load.
    """
    import torch
    from monai.networks.nets.resnet import resnet18

    encoder: torch.nn.Module = resnet18(
        spatial_dims=2,
        n_input_channels=1,
        conv1_t_stride=2,
        bias_downsample=False,
        feed_forward=False,
    )
    return encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def build_network(outputs: int, dropout: float = 0.0) -> torch.nn.Sequential:
    """Return a freshly initialised (encoder, head), channels-last; the encoder draws first."""
    import torch

    encoder = build_encoder()
    head = torch.nn.Sequential(torch.nn.Dropout(dropout), torch.nn.Linear(FEATURES, outputs))
    network = torch.nn.Sequential()
    network.add_module("encoder", encoder)
    network.add_module("head", head)
    return network


def load_image_weights(encoder: torch.nn.Module, path: Path) -> None:
    """Load an ImageNet ResNet-18 state dict; the three colour channels are summed into one.

    Raises:
        ModelError: it is no safetensors file of a ResNet-18.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise ModelError(f"{path}: no such file; weights= takes a local safetensors file")
    try:
        tensors = load_file(path)
    except OSError as error:
        raise ModelError(f"{path.name}: cannot be read ({error.strerror})") from error
    except SafetensorError as error:
        text = "no safetensors file; pickled checkpoints are not loaded, convert it"
        raise ModelError(f"{path.name}: {text} ({error})") from error
    own = encoder.state_dict()
    given = {k: v for k, v in tensors.items() if not k.startswith("fc.")}
    if "conv1.weight" in given and given["conv1.weight"].ndim == 4:
        given["conv1.weight"] = given["conv1.weight"].sum(dim=1, keepdim=True)
    wrong = sorted(k for k in own.keys() | given.keys() if _differs(k, own, given))
    if wrong:
        raise ModelError(f"{path.name}: no ResNet-18 weights; differing: {', '.join(wrong[:5])}")
    encoder.load_state_dict(given, strict=False)


def _differs(key: str, own: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> bool:
    if key.endswith("num_batches_tracked"):  # older checkpoints lack it
        return False
    return key not in own or key not in given or own[key].shape != given[key].shape


def round_weights(module: torch.nn.Module) -> None:
    """Round convolution and linear weights to half precision, in place.

    A bundle keeps them in 2 bytes each; rounding before the first prediction makes the stored model
    the very one that was evaluated. Batch norm's statistics keep 4 bytes: variances can be tiny.
    """
    import torch

    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.copy_(parameter.half().float())


def pack_weights(module: torch.nn.Module, *, bits: int = 16) -> bytes:
    """Return all weights as safetensors bytes; what is no matrix keeps 4 bytes.

    Args:
        module: the network.
        bits: of each number of a matrix: 16, half precision; or 8, whole numbers from -127 to 127
            and one scale for each output channel, if the matrix is not :data:`SMALL`.
    """
    from safetensors.torch import save

    tensors = {k: v.detach().cpu() for k, v in module.state_dict().items()}
    packed: dict[str, torch.Tensor] = {}
    for key, values in tensors.items():
        if values.ndim <= 1:
            packed[key] = values
        elif bits == 8 and values.numel() >= SMALL:
            packed[key], packed[key + SCALE] = _whole_numbers(values.float())
        else:
            packed[key] = values.half()
    return save({k: v.contiguous() for k, v in packed.items()})


def repack_weights(data: bytes) -> bytes:
    """Return the weights of an encoder, as :func:`pack_weights` made them, packed in 8 bits.

    Raises:
        ModelError: as :func:`unpack_weights`.
    """
    encoder = build_encoder()
    unpack_weights(encoder, data)
    return pack_weights(encoder, bits=8)


def _whole_numbers(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (out, ...) float32 as int8, and scales (out,) float32 that multiply them."""
    import torch

    scales = values.flatten(1).abs().amax(1).clamp(min=1e-12) / 127
    whole = (values / _along(scales, values)).round()
    return whole.to(torch.int8), scales


def _along(scales: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return scales (out,) in a shape that multiplies (out, ...)."""
    return scales.reshape(-1, *[1] * (values.ndim - 1))


def unpack_weights(module: torch.nn.Module, data: bytes) -> None:
    """Load what :func:`pack_weights` returned, in either number of bits.

    Raises:
        ModelError: the bytes are damaged or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    raised: tuple[type[Exception], ...] = (*FAULTS, SafetensorError)
    try:
        packed = load(data)
        scales = {k: packed.pop(k) for k in [*packed] if k.endswith(SCALE)}
        weights = {k: v.float() if v.is_floating_point() else v for k, v in packed.items()}
        for key, scale in scales.items():
            held = weights[key.removesuffix(SCALE)]
            weights[key.removesuffix(SCALE)] = held.float() * _along(scale, held)
        whole = all(bool(v.isfinite().all()) for v in weights.values() if v.is_floating_point())
        module.load_state_dict(weights)
    except raised as error:
        raise ModelError(f"network weights do not fit ({type(error).__name__})") from error
    if not whole:
        raise ModelError("network weights are not all numbers")
