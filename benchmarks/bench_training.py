"""Training throughput of the image model against a bare loop on ready tensors, same network.

`make bench-training`. Both run in this process, in turn, with one thread; the model draws every
picture anew, averages weights and reports progress, the bare loop does none of it.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # as a worker of a study

import argparse
import time

import numpy as np
import torch
from torch.nn import functional

from dyssync.arrays import Ints
from dyssync.ecg import ECG, LIMB_FROM_I_II
from dyssync.learning.network import build_network
from dyssync.learning.training import make_fabric
from dyssync.models.resnet import ResNet18

N, BATCH = 64, 16


def made_up_ecgs(n: int, rng: np.random.Generator) -> list[ECG]:
    """Return ten seconds of narrow beats and a little noise, other amplitudes in each."""
    t = np.arange(5000) / 500
    beats = np.exp(-0.5 * (((t % 0.8) - 0.3) / 0.02) ** 2)
    ecgs = []
    for _ in range(n):
        eight = np.outer(rng.uniform(-1.5, 1.5, 8), beats) + rng.normal(0, 0.01, (8, 5000))
        signal = np.vstack([eight[:2], LIMB_FROM_I_II @ eight[:2], eight[2:]])
        ecgs.append(ECG(signal.astype(np.float32), 500))
    return ecgs


def bare(size: tuple[int, int], y: Ints, epochs: int) -> float:
    """Return pictures a second of the plainest loop there is."""
    fabric = make_fabric()
    network = build_network(1, 0.2).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    x = torch.randn(N, 1, *size).to(memory_format=torch.channels_last)
    target = torch.from_numpy(y.astype(np.float32))
    began = time.perf_counter()
    for _ in range(epochs):
        for start in range(0, N, BATCH):
            batch = slice(start, start + BATCH)
            with fabric.autocast():
                logits = network(x[batch]).float().squeeze(1)
            loss = functional.binary_cross_entropy_with_logits(logits, target[batch])
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
    return epochs * N / (time.perf_counter() - began)


def ours(size: tuple[int, int], ecgs: list[ECG], y: Ints, epochs: int) -> float:
    """Return pictures a second of `ResNet18.fit`, network building and all."""
    model = ResNet18(height=size[0], width=size[1], epochs=epochs, batch_size=BATCH)
    began = time.perf_counter()
    model.fit(ecgs, y, seed=1)
    return epochs * N / (time.perf_counter() - began)


def main() -> None:
    """Print pictures a second of both and their ratio, for two sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    ecgs, y = made_up_ecgs(N, np.random.default_rng(0)), np.arange(N) % 2
    for size in ((128, 160), (224, 224)):
        ours(size, ecgs, y, 1), bare(size, y, 1)  # warm-up: filters, kernels, caches
        pairs = [
            (ours(size, ecgs, y, arguments.epochs), bare(size, y, arguments.epochs))
            for _ in range(arguments.repeats)
        ]
        ratios = [a / b for a, b in pairs]
        print(
            f"{size[1]} x {size[0]} px: model {np.median([a for a, _ in pairs]):.1f}/s, bare loop "
            f"{np.median([b for _, b in pairs]):.1f}/s, ratio median {np.median(ratios):.3f} "
            f"(range {min(ratios):.3f}-{max(ratios):.3f}, {len(ratios)} pairs)"
        )


if __name__ == "__main__":
    main()
