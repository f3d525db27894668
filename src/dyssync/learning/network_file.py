"""A network as one ONNX file: written where it has learnt, run where it predicts.

The file keeps weights as :func:`~dyssync.learning.network.pack_weights` packed them, in 8 or 16
bits, and the graph widens them: the runtime does that once, and folds the batch norms, when it
loads.

ONNX can say anything: other files to read, loops without an end, sizes that no machine has. So a
file that comes back is taken apart into its weights and put together again; where the bytes differ,
it is none of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from dyssync.errors import ModelError
from dyssync.learning import onnx_messages as onnx
from dyssync.learning.network import FEATURES, SCALE, STAGES

Packed: TypeAlias = Mapping[str, np.ndarray]

OPSET, IR_VERSION = 17, 9  # read by every ONNX Runtime since 1.16
PICTURES, MAPS, SEEN = "pictures", "maps", "features"
LOGITS, WEIGHTS = "logits", "weights"
ENCODER, HEAD = "encoder.", "head.1"  # names in a network with a head; a trunk has neither
EPSILON = 1e-5  # of the batch norms, torch's default
KEPT = ".kept"  # numbers as they stand in the file, before they are widened
MAX_BYTES = 60_000_000  # a ResNet-18 in 32 bits has 45 MB
AS_FLOAT = 1  # what Cast makes
HALF_INFINITE = 0x7C00  # exponent of infinity and NaN in 16 bits
BLOCK = 32_768  # numbers that are looked at together: what that takes stays in the cache
FIRST = 64  # channels of the first stage; each further stage has twice as many


def network_file(weights: bytes) -> bytes:
    """Return packed weights as an ONNX file; the same weights give the same bytes.

    The file maps `pictures` (n, 1, H, W) to `maps` (n, 512, h, w) of the last stage, `features`
    (n, 512), their means, and where there is a head to `logits` (n, 1) and its `weights` (1, 512).

    Args:
        weights: of :func:`~dyssync.learning.network.pack_weights`, of a trunk, or of encoder and
            head.

    Raises:
        ModelError: they are of another network.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        kept = {k: v for k, v in load(weights).items() if "num_batches" not in k}
        return b"".join(_file(kept))
    except SafetensorError as error:
        raise ModelError("network weights do not fit: no safetensors") from error
    except ValueError as error:
        raise ModelError(f"network weights do not fit: {error}") from error


def has_head(data: bytes) -> bool:
    """Return whether the network of a file has a head.

    Raises:
        ModelError: :func:`network_file` does not write such a file, of whatever weights, or not all
            of them are numbers.
    """
    if len(data) > MAX_BYTES:
        raise damaged()
    try:
        packed = {k.removesuffix(KEPT): v for k, v in onnx.tensors_of(data).items()}
        again = _file(packed)
    except ValueError as error:
        raise damaged() from error
    if not onnx.is_made_of(data, again) or not all(map(_sound, packed, packed.values())):
        raise damaged()
    return f"{HEAD}.weight" in packed


def damaged() -> ModelError:
    """Return the error of a network that is none."""
    return ModelError("the network is damaged; copy the bundle again")


def _sound(name: str, values: np.ndarray) -> bool:
    """Say whether weights are numbers, and those that are variances not below 0."""
    if values.dtype == np.int8:
        return True
    if values.dtype == np.float16:  # by their bits: NumPy widens each to compare it
        bits = values.reshape(-1).view(np.uint16)
        blocks = (bits[k : k + BLOCK] for k in range(0, len(bits), BLOCK))
        return all(((block & HALF_INFINITE) != HALF_INFINITE).all() for block in blocks)
    return bool(np.isfinite(values).all()) and not (name.endswith("var") and values.min() < 0)


def _file(packed: Packed) -> onnx.Pieces:
    """Return the file in pieces.

    Raises:
        ValueError: they are of another network.
    """
    graph = _Graph(packed)
    graph.resnet(ENCODER if any(k.startswith(ENCODER) for k in packed) else "")
    return graph.file()


class _Graph:
    """ResNet-18 (He 2016, 10.1109/CVPR.2016.90) in the making; torch's names and sizes."""

    def __init__(self, packed: Packed) -> None:
        self.left = dict(packed)
        self.nodes: list[bytes] = []
        self.held: list[onnx.Pieces] = []
        self.has_head = f"{HEAD}.weight" in packed

    def resnet(self, prefix: str) -> None:
        """Add trunk and, where its weights are there, head."""
        x = self._conv(PICTURES, f"{prefix}conv1", f"{prefix}bn1", (1, FIRST), size=7, stride=2)
        x = self._relu(x)
        x = self._node("MaxPool", [x], "pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        given = FIRST
        for k, stage in enumerate(STAGES):
            made = FIRST << k
            for block in range(2):
                x = self._block(x, f"{prefix}{stage}.{block}", (given, made))
                given = made
        x = self._node("Identity", [x], MAPS)
        self._node("Flatten", [self._node("GlobalAveragePool", [x], "means")], SEEN)
        if self.has_head:
            head = [
                self._weights(f"{HEAD}.weight", (1, FEATURES)),
                self._weights(f"{HEAD}.bias", (1,)),
            ]
            self._node("Gemm", [SEEN, *head], LOGITS, transB=1)
            self._node("Identity", [head[0]], WEIGHTS)

    def file(self) -> onnx.Pieces:
        """Return the file in pieces.

        Raises:
            ValueError: there are weights without a place.
        """
        if self.left:
            raise ValueError(f"no place for {', '.join(sorted(self.left)[:5])}")
        outputs = [
            onnx.floats(MAPS, ["n", FEATURES, "rows", "columns"]),
            onnx.floats(SEEN, ["n", FEATURES]),
        ]
        if self.has_head:
            outputs += [onnx.floats(LOGITS, ["n", 1]), onnx.floats(WEIGHTS, [1, FEATURES])]
        pictures = onnx.floats(PICTURES, ["n", 1, "height", "width"])
        graph = onnx.graph("ResNet-18", self.nodes, self.held, [pictures], outputs)
        return onnx.model(graph, ir_version=IR_VERSION, opset=OPSET, producer="dyssync")

    def _block(self, x: str, name: str, channels: tuple[int, int]) -> str:
        stride = 1 if channels[0] == channels[1] else 2
        made = (channels[1], channels[1])
        held = self._relu(self._conv(x, f"{name}.conv1", f"{name}.bn1", channels, stride=stride))
        held = self._conv(held, f"{name}.conv2", f"{name}.bn2", made)
        if stride > 1:
            down = f"{name}.downsample"
            x = self._conv(x, f"{down}.0", f"{down}.1", channels, size=1, stride=stride)
        return self._relu(self._node("Add", [held, x], f"{name}.sum"))

    def _conv(
        self,
        x: str,
        conv: str,
        norm: str,
        channels: tuple[int, int],
        size: int = 3,
        stride: int = 1,
    ) -> str:
        """Add a convolution without bias from so many channels to so many, and its batch norm."""
        given, made = channels
        held = self._node(
            "Conv",
            [x, self._weights(f"{conv}.weight", (made, given, size, size))],
            conv,
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[size // 2] * 4,
        )
        parts = ("weight", "bias", "running_mean", "running_var")
        numbers = [self._weights(f"{norm}.{part}", (made,)) for part in parts]
        return self._node("BatchNormalization", [held, *numbers], norm, epsilon=EPSILON)

    def _weights(self, name: str, shape: tuple[int, ...]) -> str:
        """Add numbers as they are kept, and what makes 32 bits of them.

        Raises:
            ValueError: they are missing, or of another shape or type.
        """
        values = self._take(name, shape)
        if values.dtype == np.float32:
            return self._numbers(name, values)
        # what is no matrix is never packed, and ONNX multiplies numbers of one type alone
        if len(shape) == 1 or values.dtype not in (np.float16, np.int8):
            raise ValueError(f"{name} of another type")
        kept = self._numbers(f"{name}{KEPT}", values)
        if values.dtype == np.float16:
            return self._node("Cast", [kept], name, to=AS_FLOAT)
        along = (shape[0], *[1] * (len(shape) - 1))
        scale = self._take(name + SCALE, along)
        if scale.dtype != np.float32:
            raise ValueError(f"{name}{SCALE} of another type")
        whole = self._node("Cast", [kept], f"{name}.whole", to=AS_FLOAT)
        return self._node("Mul", [whole, self._numbers(name + SCALE, scale)], name)

    def _take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        values = self.left.pop(name, None)
        if values is None or values.size != np.prod(shape):
            raise ValueError(f"{name} is missing, or of another size")
        return values.reshape(shape)

    def _numbers(self, name: str, values: np.ndarray) -> str:
        self.held.append(onnx.tensor(name, values))
        return name

    def _relu(self, x: str) -> str:
        return self._node("Relu", [x], f"{x}.relu")

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: onnx.Attribute) -> str:
        self.nodes.append(onnx.node(kind, inputs, output, **attributes))
        return output
