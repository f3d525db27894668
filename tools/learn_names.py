"""Teach the network that finds names of leads on pages: `make names`.

A quarter of an hour on a core. It is written to src/dyssync/pages/digitising/names.onnx. The pages
are made (`name_tiles`), the same seed makes the same ones. What it can do is printed: of tiles that
it has not learnt from, the share of names that are found, and of what is found the share that is
right.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from name_tiles import Tile, make_tile
from torch import Tensor, nn

from dyssync.ecg import LEADS
from dyssync.learning import onnx_messages as onnx
from dyssync.pages.digitising import spotter

OUT = Path(__file__).parent.parent / "src/dyssync/pages/digitising" / spotter.NETWORK
CHANNELS = 48
# Dilations of the blocks at the cells' scale: together they see 15 mm, the longest name.
DILATIONS = (1, 1, 2, 1, 2, 1)
Weights: TypeAlias = tuple[np.ndarray, np.ndarray]
RATE = 2e-3
STEEPEST = 10.0  # norm of a gradient; the first ones would throw the network far away


class Block(nn.Module):
    """A convolution with its batch norm; added to what came in where the sizes allow."""

    def __init__(
        self, given: int, made: int, size: int = 3, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        pad = size // 2 * dilation
        self.conv = nn.Conv2d(given, made, size, stride, pad, dilation, bias=False)
        self.norm = nn.BatchNorm2d(made)
        self.adds = given == made and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """Return what it makes of maps (n, given, h, w)."""
        held = torch.relu(self.norm(self.conv(x)))
        return x + held if self.adds else held


class Network(nn.Module):
    """From a page (n, 1, h, w) to logits of each name (n, leads, h / 4, w / 4) and their sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([
            Block(1, 24, size=5, stride=2), Block(24, 32), Block(32, CHANNELS, stride=2),
            *(Block(CHANNELS, CHANNELS, dilation=d) for d in DILATIONS),
        ])  # fmt: skip
        self.last = nn.Conv2d(CHANNELS, len(LEADS) + 2, 1)
        assert self.last.bias is not None
        with torch.no_grad():
            self.last.bias[:] = torch.tensor([-4.0] * len(LEADS) + [2.0, 1.0])  # names are rare

    def forward(self, page: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of names, and half widths and heights in mm."""
        x = page
        for block in self.blocks:
            x = block(x)
        out = self.last(x)
        return out[:, : len(LEADS)], out[:, len(LEADS) :]


def focal_loss(logits: Tensor, heat: Tensor, known: Tensor) -> Tensor:
    """Return the loss of a map of peaks (Zhou 2019, arXiv:1904.07850, equation 1)."""
    p = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)
    peak = (heat == 1).float()
    at = peak * torch.log(p) * (1 - p) ** 2
    off = (1 - peak) * (1 - heat) ** 4 * torch.log(1 - p) * p**2
    return -((at + off) * known[:, None]).sum() / peak.sum().clamp(min=1)


def which_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Return the cross-entropy of which name it is, where one stands: learnt long before where."""
    sample, lead, row, column = torch.nonzero(heat == 1, as_tuple=True)
    if not len(lead):
        return logits.sum() * 0
    return nn.functional.cross_entropy(logits[sample, :, row, column], lead)


def size_loss(found: Tensor, sizes: Tensor) -> Tensor:
    """Return the mean error of half width and height where names stand, mm."""
    there = (sizes[:, :1] > 0).float()
    return ((found - sizes).abs() * there).sum() / (2 * there.sum()).clamp(min=1)


def stacked(tiles: list[Tile]) -> tuple[Tensor, ...]:
    """Return the parts of tiles as tensors."""
    parts = ("cover", "heat", "known", "sizes")
    cover, *others = (torch.from_numpy(np.stack([getattr(t, p) for t in tiles])) for p in parts)
    return cover[:, None], *others


def learn(steps: int, batch: int, seed: int) -> Network:
    """Return a network that has learnt."""
    torch.manual_seed(seed)
    network = Network()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-4)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    rng = np.random.default_rng(seed)
    network.train()
    lately: list[tuple[float, float]] = []
    for step in range(steps):
        cover, heat, known, sizes = stacked([make_tile(rng) for _ in range(batch)])
        logits, found = network(cover.to(memory_format=torch.channels_last))
        which = which_loss(logits, heat)
        loss = focal_loss(logits, heat, known) + which + 0.2 * size_loss(found, sizes)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), STEEPEST)
        optimiser.step()
        plan.step()
        lately.append((loss.item(), which.item()))
        if (step + 1) % 100 == 0:
            whole, part = np.mean(lately[-100:], axis=0)
            print(f"step {step + 1} of {steps}: loss {whole:.3f}, which {part:.3f}", flush=True)
    network.eval()
    return network


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Weights:
    """Return weights and biases of a convolution with its batch norm in it."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weights = conv.weight * factor[:, None, None, None]
    bias = norm.bias - norm.running_mean * factor
    return weights.detach().numpy(), bias.detach().numpy()


class Graph:
    """The network as an ONNX file in the making."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.held: list[onnx.Pieces] = []

    def add(self, kind: str, inputs: list[str], output: str, **more: onnx.Attribute) -> str:
        """Add a node."""
        self.nodes.append(onnx.node(kind, inputs, output, **more))
        return output

    def numbers(self, name: str, values: np.ndarray) -> str:
        """Add numbers."""
        self.held.append(onnx.tensor(name, values.astype(np.float32)))
        return name

    def conv(self, x: str, name: str, weights: Weights, conv: nn.Conv2d) -> str:
        """Add a convolution."""
        size, stride = conv.kernel_size[0], conv.stride[0]
        pad, dilation = int(conv.padding[0]), conv.dilation[0]
        held = [self.numbers(f"{name}.w", weights[0]), self.numbers(f"{name}.b", weights[1])]
        return self.add(
            "Conv", [x, *held], name, kernel_shape=[size] * 2, strides=[stride] * 2,
            pads=[pad] * 4, dilations=[dilation] * 2,
        )  # fmt: skip


def network_file(network: Network) -> bytes:
    """Return the ONNX file."""
    graph = Graph()
    x = spotter.PAGE
    for k, block in enumerate(network.blocks):
        assert isinstance(block, Block)
        held = graph.conv(x, f"c{k}", folded(block.conv, block.norm), block.conv)
        held = graph.add("Relu", [held], f"r{k}")
        x = graph.add("Add", [x, held], f"s{k}") if block.adds else held
    weight, bias = network.last.weight.detach().numpy(), network.last.bias
    assert bias is not None
    n = len(LEADS)
    names = graph.conv(x, "logits", (weight[:n], bias.detach().numpy()[:n]), network.last)
    graph.add("Sigmoid", [names], spotter.NAMES)
    graph.conv(x, spotter.SIZES, (weight[n:], bias.detach().numpy()[n:]), network.last)
    outputs = [
        onnx.floats(spotter.NAMES, ["n", n, "rows", "columns"]),
        onnx.floats(spotter.SIZES, ["n", 2, "rows", "columns"]),
    ]
    page = onnx.floats(spotter.PAGE, ["n", 1, "height", "width"])
    made = onnx.graph("names", graph.nodes, graph.held, [page], outputs)
    return b"".join(onnx.model(made, ir_version=9, opset=17, producer="dyssync"))


def tell(seed: int, tiles: int = 300) -> None:
    """Print what the network on disk finds on tiles that it has not seen."""
    rng = np.random.default_rng([seed, 0x7E57])
    there = found = right = 0
    for _ in range(tiles):
        tile = make_tile(rng)
        words = spotter.spot_names(tile.cover, (spotter.PX_PER_MM,) * 2)
        peaks = np.argwhere(tile.heat == 1)
        there += len(peaks)
        for word in words:
            column = (word.left + word.right) / 2 / spotter.CELL_PX - 0.5
            row = word.middle / spotter.CELL_PX - 0.5
            here = np.clip([round(row), round(column)], 0, np.array(tile.known.shape) - 1)
            if not tile.known[tuple(here)]:
                continue
            found += 1
            right += any(
                LEADS[lead] == word.text and abs(r - row) < 2 and abs(c - column) < 3
                for lead, r, c in peaks
            )
    print(f"{there} names: {right / there:.3f} found; of {found} found {right / found:.3f} right")


def main() -> None:
    """Learn, write, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-tell", action="store_true", help="of the network that is there")
    args = parser.parse_args()
    if not args.only_tell:
        torch.set_num_threads(1)  # the same sums in the same order, whatever the machine
        OUT.write_bytes(network_file(learn(args.steps, args.batch, args.seed)))
    tell(args.seed)


if __name__ == "__main__":
    main()
