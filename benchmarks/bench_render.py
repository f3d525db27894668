"""Time pages and training views on one core, beside other programs.

    make bench-render                                   builds an environment for the others, runs
    python benchmarks/bench_render.py                   ours alone
    python benchmarks/bench_render.py --peers PYTHON    PYTHON has ecg_plot[export] and matplotlib
    python benchmarks/bench_render.py --views 5 --steps 4               a quick look

Prints Markdown tables: CPU times on one core (the median of repeated runs, and the fastest), epoch
times of the image model with views drawn on the fly against ready tensors, and how exact it all is.
On a busy machine the caches are others' and even CPU time doubles; run it on a quiet one.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # as the command line does

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from bench_render_exact import print_exactness
from dyssync.arrays import Singles
from dyssync.ecg import ECG, LIMB_FROM_I_II, Signal
from dyssync.explanation.raster import raster_views
from dyssync.layouts import LAYOUTS
from dyssync.learning.network import build_network
from dyssync.learning.network_input import stack, training_picture
from dyssync.learning.picture_config import PictureConfig, named_layouts
from dyssync.learning.training import make_fabric
from dyssync.rendering import View, ViewConfig, apply_view, draw_view, encode_png, render_page
from dyssync.rendering.wear import apply_wear, draw_wear
from markdown_rows import head, row
from real_data import data_option, ludb_headers
from timing import cpu_seconds

FS = 500
PAGE = (1700, 2200)
BATCH = 64


def typical_signal() -> Signal:
    """12 leads of ten seconds with wide beats and a little noise, (12, 5000) float32 mV."""
    phase = np.mod(np.arange(10 * FS) / FS, 0.8)
    beat = np.exp(-(((phase - 0.3) / 0.04) ** 2)) + 0.25 * np.exp(-(((phase - 0.6) / 0.07) ** 2))
    noise = np.random.default_rng(0).normal(0, 0.01, (12, 10 * FS))
    return (np.linspace(-1.0, 1.6, 12)[:, None] * beat + noise).astype(np.float32)


def show(name: str, pixels: int, call: Callable[[int], object], runs: int, each: int = 1) -> float:
    """Print a row; return the median, ms. `each` is how many pictures one call makes."""
    ms = [1e3 * seconds / each for seconds in cpu_seconds(call, runs)]
    median = statistics.median(ms)
    print(row(name, f"{pixels / 1e6:.2f}", f"{median:.2f}", f"{min(ms):.2f}"), flush=True)
    return median


def time_pages(signal: Signal) -> float:
    """Print the times of a whole page; return that of its pixels alone, ms."""
    layout, pixels = LAYOUTS["3x4+II"], PAGE[0] * PAGE[1]
    bare = show("dyssync page, without PNG", pixels, lambda _: render_page(signal, FS, layout), 50)
    show("dyssync page, PNG", pixels, lambda _: encode_png(render_page(signal, FS, layout)), 20)
    return bare


def time_views(signal: Signal, runs: int) -> None:
    """Print the times of training views and of wear."""
    config, rng = ViewConfig(), np.random.default_rng(0)

    def neutral(_: int, size: tuple[int, int]) -> None:
        apply_view(signal, FS, View(), size)

    def fresh(_: int, size: tuple[int, int]) -> None:
        apply_view(signal, FS, draw_view(rng, config), size)

    for size in ((128, 160), (224, 224), (512, 640)):
        name, pixels = f"view {size[1]}x{size[0]}", size[0] * size[1]
        show(f"{name}, neutral", pixels, partial(neutral, size=size), runs)
        show(f"{name}, drawn and augmented", pixels, partial(fresh, size=size), runs)
    page = apply_view(signal, FS, View(), (512, 640), boxes=True)

    def worn(seed: int, severity: float) -> None:
        apply_wear(page, draw_wear(np.random.default_rng(seed), severity))

    for severity in (1, 3, 5):
        name = f"wear {severity} on 640x512 with boxes"
        show(name, 512 * 640, partial(worn, severity=severity), runs)


def time_batches(signal: Signal, device: str) -> None:
    """Views a second of the torch path, forward alone and with the gradient."""
    rng, size = np.random.default_rng(0), (224, 224)
    views = [draw_view(rng, replace(ViewConfig(), text_share=0.0)) for _ in range(BATCH)]
    signals = torch.from_numpy(signal).to(device).repeat(BATCH, 1, 1)

    def settle() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    def forward(_: int) -> None:
        raster_views(signals, FS, views, size)
        settle()

    def backward(_: int) -> None:
        inputs = signals.clone().requires_grad_()
        torch.autograd.backward(raster_views(inputs, FS, views, size).sum())
        settle()

    for name, call in (("forward", forward), ("with gradient", backward)):
        title = f"torch batch of {BATCH} on {device}, 224x224, {name}, each"
        ms = show(title, size[0] * size[1], call, 10, each=BATCH)
        print(row(f"&nbsp;&nbsp;= {1e3 / ms:.0f} views a second", "", "", ""))


def time_epochs(signal: Signal, size: tuple[int, int], steps: int) -> None:
    """Training steps with fresh pictures and with ready ones, in turn on one network."""
    fabric, n = make_fabric(), 16
    network = build_network(1, 0.2).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    target = torch.arange(n, dtype=torch.float32) % 2
    eight = signal[[0, 1, *range(6, 12)]]
    leads = np.vstack([eight[:2], LIMB_FROM_I_II @ eight[:2], eight[2:]])
    ecgs = [ECG((leads * (1 + k / n)).astype(np.float32), FS) for k in range(n)]
    rng = np.random.default_rng(0)

    def step(draw: Callable[[], Singles]) -> float:
        start = time.process_time()
        x = torch.from_numpy(draw()).contiguous(memory_format=torch.channels_last)
        with fabric.autocast():
            logits = network(x).float().squeeze(1)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(functional.binary_cross_entropy_with_logits(logits, target))
        optimizer.step()
        return time.process_time() - start

    def fresh(config: PictureConfig) -> Singles:
        return stack([training_picture(ecg, config, rng) for ecg in ecgs])

    plain = PictureConfig(size, gain=2.0)
    mixed = named_layouts("mixed", plain.layout)
    for name, config in (
        ("one layout, clean", plain),
        ("mixed and worn", replace(plain, training_layouts=mixed, papers="mixed", wear=2.0)),
    ):
        drawn, ready = partial(fresh, config), partial(np.copy, fresh(config))
        pairs = np.array([(step(drawn), step(ready)) for _ in range(steps)])[2:]
        on_the_fly, held = n / np.median(pairs, axis=0)
        more = 100 * (np.median(pairs[:, 0] / pairs[:, 1]) - 1)
        cells = (f"{on_the_fly:.1f}", f"{held:.1f}", f"{more:+.1f} %")
        print(row(f"{size[1]} x {size[0]}, {name}", *cells), flush=True)


def time_peers(python: str, signal: Signal, ours: float) -> None:
    """Print what other programs need for a page, and how many times our `ours` ms that is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "signal.npy")
        np.save(path, signal)
        script = Path(__file__).with_name("bench_render_peers.py")
        command = [python, str(script), str(path), str(PAGE[0] * PAGE[1])]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name, measured in json.loads(output.splitlines()[-1]).items():
        ms = 1e3 * measured["seconds"]
        print(
            row(
                f"{name} ({ms / ours:.0f} times)",
                f"{measured['pixels'] / 1e6:.2f}",
                f"{ms:.2f}",
                "",
            )
        )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data_option(parser)
    parser.add_argument("--views", type=int, default=300, help="of each kind")
    parser.add_argument("--steps", type=int, default=42, help="first two not counted")
    parser.add_argument("--peers", metavar="PYTHON", help="interpreter that has the other programs")
    arguments = parser.parse_args()
    signal = typical_signal()
    print(head("on one core", "megapixels", "median ms", "fastest ms"))
    ours = time_pages(signal)
    if arguments.peers:
        time_peers(arguments.peers, signal, ours)
    time_views(signal, arguments.views)
    time_batches(signal, "cpu")
    if torch.cuda.is_available():
        time_batches(signal, "cuda")
    else:
        print(row("torch batch on cuda: there is no such device here", "", "", ""))
    print()
    print(head("training step", "pictures/s, fresh", "ready", "more time"))
    for size in ((128, 160), (224, 224)):
        time_epochs(signal, size, arguments.steps)
    print()
    print_exactness(ludb_headers(arguments.data))


if __name__ == "__main__":
    main()
