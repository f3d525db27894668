"""A network as one ONNX file: written where it has learnt, run where it predicts.

The file keeps weights as :func:`~dyssync.learning.network.pack_weights` packed them, in 8 or 16
bits, and the graph widens them: the runtime does that once, and folds the batch norms, when it
loads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dyssync.errors import ModelError
from dyssync.learning.network import FEATURES, SCALE, STAGES

if TYPE_CHECKING:
    Packed = Mapping[str, np.ndarray]

OPSET, IR_VERSION = 17, 9  # read by every ONNX Runtime since 1.16
PICTURES, MAPS, SEEN = "pictures", "maps", "features"
LOGITS, WEIGHTS = "logits", "weights"
ENCODER, HEAD = "encoder.", "head.1"  # names in a network with a head; a trunk has neither
EPSILON = 1e-5  # of the batch norms, torch's default


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
        packed = {k: v for k, v in load(weights).items() if not k.endswith("num_batches_tracked")}
        graph = _Graph(packed)
        graph.resnet(ENCODER if any(k.startswith(ENCODER) for k in packed) else "")
        return graph.file()
    except (SafetensorError, KeyError) as error:
        raise ModelError(f"network weights do not fit: {error}") from error


class _Graph:
    """ResNet-18 (He 2016, 10.1109/CVPR.2016.90) in the making; torch's names and sizes."""

    def __init__(self, packed: Packed) -> None:
        self.left = dict(packed)
        self.nodes: list[Any] = []
        self.held: list[Any] = []

    def resnet(self, prefix: str) -> None:
        """Add trunk and, where its weights are there, head."""
        x = self._relu(self._conv(PICTURES, f"{prefix}conv1", f"{prefix}bn1", size=7, stride=2))
        x = self._node("MaxPool", [x], "pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        for stage in STAGES:
            for block in range(2):
                halves = block == 0 and stage != STAGES[0]
                x = self._block(x, f"{prefix}{stage}.{block}", stride=2 if halves else 1)
        x = self._node("Identity", [x], MAPS)
        self._node("Flatten", [self._node("GlobalAveragePool", [x], "means")], SEEN)
        if f"{HEAD}.weight" in self.left:
            head = [self._weights(f"{HEAD}.weight"), self._weights(f"{HEAD}.bias")]
            self._node("Gemm", [SEEN, *head], LOGITS, transB=1)
            self._node("Identity", [head[0]], WEIGHTS)

    def file(self) -> bytes:
        """Return the file.

        Raises:
            KeyError: there are weights without a place.
        """
        from onnx import TensorProto, helper

        if self.left:
            raise KeyError(", ".join(sorted(self.left)[:5]))

        def shape(name: str, *sizes: int | str) -> Any:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)

        outputs = [shape(MAPS, "n", FEATURES, "rows", "columns"), shape(SEEN, "n", FEATURES)]
        if any(LOGITS in node.output for node in self.nodes):
            outputs += [shape(LOGITS, "n", 1), shape(WEIGHTS, 1, FEATURES)]
        pictures = shape(PICTURES, "n", 1, "height", "width")
        graph = helper.make_graph(self.nodes, "ResNet-18", [pictures], outputs, self.held)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="dyssync"
        )
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def _block(self, x: str, name: str, stride: int) -> str:
        held = self._relu(self._conv(x, f"{name}.conv1", f"{name}.bn1", stride=stride))
        held = self._conv(held, f"{name}.conv2", f"{name}.bn2")
        if stride > 1:
            down = f"{name}.downsample"
            x = self._conv(x, f"{down}.0", f"{down}.1", size=1, stride=stride)
        return self._relu(self._node("Add", [held, x], f"{name}.sum"))

    def _conv(self, x: str, conv: str, norm: str, size: int = 3, stride: int = 1) -> str:
        """Add a convolution without bias and its batch norm."""
        held = self._node(
            "Conv",
            [x, self._weights(f"{conv}.weight")],
            conv,
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[size // 2] * 4,
        )
        parts = ("weight", "bias", "running_mean", "running_var")
        numbers = [self._weights(f"{norm}.{part}") for part in parts]
        return self._node("BatchNormalization", [held, *numbers], norm, epsilon=EPSILON)

    def _weights(self, name: str) -> str:
        """Add numbers as they are kept, and what makes 32 bits of them."""
        from onnx import TensorProto

        values = self.left.pop(name)
        if values.dtype == np.float32:
            return self._numbers(name, values)
        kept = self._numbers(f"{name}.kept", values)
        if values.dtype == np.float16:
            return self._node("Cast", [kept], name, to=TensorProto.FLOAT)
        scale = self.left.pop(name + SCALE).reshape(-1, *[1] * (values.ndim - 1))
        whole = self._node("Cast", [kept], f"{name}.whole", to=TensorProto.FLOAT)
        return self._node("Mul", [whole, self._numbers(name + SCALE, scale)], name)

    def _numbers(self, name: str, values: np.ndarray) -> str:
        from onnx import numpy_helper

        self.held.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _relu(self, x: str) -> str:
        return self._node("Relu", [x], f"{x}.relu")

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output
