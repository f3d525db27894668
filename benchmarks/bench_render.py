"""Time pages and training views on one core, beside other programs.

    make bench-render                                   builds an environment for the others, runs
    python benchmarks/bench_render.py                   ours alone
    python benchmarks/bench_render.py --peers PYTHON    PYTHON has ecg_plot[export] and matplotlib

Prints Markdown tables: CPU times on one core (the median of repeated runs, and the fastest), epoch
times of the image model with views drawn on the fly against ready tensors, and how exact it all is.
On a busy machine the caches are others' and even CPU time doubles; run it on a quiet one.
"""

from __future__ import annotations

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

import cv2
import numpy as np
import torch
from bench_render_exact import print_exactness
from torch.nn import functional

from dyssync.ecg import ECG, LIMB_FROM_I_II
from dyssync.explanation.raster import raster_views
from dyssync.layouts import LAYOUTS
from dyssync.learning.network import build_network
from dyssync.learning.network_input import stack, training_picture
from dyssync.learning.picture_config import PictureConfig, named_layouts
from dyssync.learning.training import make_fabric
from dyssync.rendering import View, ViewConfig, apply_view, draw_view, encode_png, render_page
from dyssync.rendering.wear import apply_wear, draw_wear

FS = 500
PAGE = (1700, 2200)
VIEWS = 300
BATCH = 64


def typical_signal() -> np.ndarray:
    """12 leads of ten seconds with wide beats and a little noise, (12, 5000) float32 mV."""
    phase = np.mod(np.arange(10 * FS) / FS, 0.8)
    beat = np.exp(-(((phase - 0.3) / 0.04) ** 2)) + 0.25 * np.exp(-(((phase - 0.6) / 0.07) ** 2))
    noise = np.random.default_rng(0).normal(0, 0.01, (12, 10 * FS))
    return (np.linspace(-1.0, 1.6, 12)[:, None] * beat + noise).astype(np.float32)


def milliseconds(call: Callable[[int], object], runs: int) -> tuple[float, float]:
    """Return the median and the shortest of `runs` calls, ms."""
    call(0)
    times = []
    for run in range(runs):
        start = time.process_time()
        call(run)
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times), min(times)


def row(name: str, pixels: int, times: tuple[float, float]) -> None:
    print(f"| {name} | {pixels / 1e6:.2f} | {times[0]:.2f} | {times[1]:.2f} |", flush=True)


def time_pages(signal: np.ndarray) -> float:
    layout, pixels = LAYOUTS["3x4+II"], PAGE[0] * PAGE[1]
    bare = milliseconds(lambda _: render_page(signal, FS, layout), 50)
    row("dyssync page, without PNG", pixels, bare)
    row(
        "dyssync page, PNG",
        pixels,
        milliseconds(lambda _: encode_png(render_page(signal, FS, layout)), 20),
    )
    return bare[0]


def time_views(signal: np.ndarray) -> None:
    config, rng = ViewConfig(), np.random.default_rng(0)
    for size in ((128, 160), (224, 224), (512, 640)):
        name, pixels = f"view {size[1]}x{size[0]}", size[0] * size[1]

        def fresh(_: int, size: tuple[int, int] = size) -> None:
            apply_view(signal, FS, draw_view(rng, config), size)

        plain = milliseconds(lambda _, size=size: apply_view(signal, FS, View(), size), VIEWS)
        row(f"{name}, neutral", pixels, plain)
        row(f"{name}, drawn and augmented", pixels, milliseconds(fresh, VIEWS))
    page = apply_view(signal, FS, View(), (512, 640), boxes=True)
    for severity in (1, 3, 5):

        def worn(seed: int, severity: float = severity) -> None:
            apply_wear(page, draw_wear(np.random.default_rng(seed), severity))

        row(f"wear {severity} on 640x512 with boxes", 512 * 640, milliseconds(worn, VIEWS))


def time_batches(signal: np.ndarray, device: str) -> None:
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
        raster_views(inputs, FS, views, size).sum().backward()
        settle()

    for name, call in (("forward", forward), ("with gradient", backward)):
        times = milliseconds(call, 10)
        each = times[0] / BATCH, times[1] / BATCH
        row(f"torch batch of {BATCH} on {device}, 224x224, {name}, each", size[0] * size[1], each)
        print(f"| &nbsp;&nbsp;= {1e3 / each[0]:.0f} views a second | | | |")


def time_epochs(signal: np.ndarray, size: tuple[int, int], steps: int = 42) -> None:
    """Training steps with fresh pictures and with ready ones, in turn on one network."""
    fabric, n = make_fabric(), 16
    network = build_network(1, 0.2).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    target = torch.arange(n, dtype=torch.float32) % 2
    eight = signal[[0, 1, *range(6, 12)]]
    leads = np.vstack([eight[:2], LIMB_FROM_I_II @ eight[:2], eight[2:]])
    ecgs = [ECG((leads * (1 + k / n)).astype(np.float32), FS) for k in range(n)]
    rng = np.random.default_rng(0)

    def step(draw: Callable[[], np.ndarray]) -> float:
        start = time.process_time()
        x = torch.from_numpy(draw()).contiguous(memory_format=torch.channels_last)
        with fabric.autocast():
            logits = network(x).float().squeeze(1)
        optimizer.zero_grad(set_to_none=True)
        functional.binary_cross_entropy_with_logits(logits, target).backward()
        optimizer.step()
        return time.process_time() - start

    plain = PictureConfig(size, gain=2.0)
    mixed = named_layouts("mixed", plain.layout)
    for name, config in (
        ("one layout, clean", plain),
        ("mixed and worn", replace(plain, training_layouts=mixed, papers="mixed", wear=2.0)),
    ):

        def fresh(config: PictureConfig = config) -> np.ndarray:
            return stack([training_picture(ecg, config, rng) for ecg in ecgs])

        ready = fresh()
        held_back = partial(np.copy, ready)
        pairs = np.array([(step(fresh), step(held_back)) for _ in range(steps)])[2:]
        on_the_fly, held = n / np.median(pairs, axis=0)
        more = 100 * (np.median(pairs[:, 0] / pairs[:, 1]) - 1)
        print(
            f"| {size[1]} x {size[0]}, {name} | {on_the_fly:.1f} | {held:.1f} | {more:+.1f} % |",
            flush=True,
        )


def time_peers(python: str, signal: np.ndarray, ours: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "signal.npy")
        np.save(path, signal)
        script = Path(__file__).with_name("bench_render_peers.py")
        command = [python, str(script), str(path), str(PAGE[0] * PAGE[1])]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name, measured in json.loads(output.splitlines()[-1]).items():
        ms = 1e3 * measured["seconds"]
        print(f"| {name} ({ms / ours:.0f} times) | {measured['pixels'] / 1e6:.2f} | {ms:.2f} | |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, help="folder of LUDB records, to be read back")
    parser.add_argument("--peers", metavar="PYTHON", help="interpreter that has the other programs")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    signal = typical_signal()
    print("| on one core | megapixels | median ms | fastest ms |\n|---|---|---|---|")
    ours = time_pages(signal)
    if arguments.peers:
        time_peers(arguments.peers, signal, ours)
    time_views(signal)
    time_batches(signal, "cpu")
    if torch.cuda.is_available():
        time_batches(signal, "cuda")
    else:
        print("| torch batch on cuda: there is no such device here | | | |")
    print("\n| training step | pictures/s, fresh | ready | more time |\n|---|---|---|---|")
    for size in ((128, 160), (224, 224)):
        time_epochs(signal, size)
    print_exactness(arguments.records)


if __name__ == "__main__":
    main()
