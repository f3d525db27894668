"""How exact the renderer is: geometry, signal read back, gradient. Part of bench_render.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from dyssync.ecg import LEADS
from dyssync.explanation.raster import raster_views
from dyssync.layouts import LAYOUTS, Layout, Panel
from dyssync.rendering import View, render_page

MM_PER_INCH = 25.4
STEP = Layout("one", (Panel("I", 0, 0),), seconds=4.0, row_mm=60.0)
SPACED = replace(LAYOUTS["3x4"], row_mm=60.0)  # no trace reaches its neighbour


def geometry_error(dpi: int) -> tuple[float, float]:
    """Return by how many px two seconds and one millivolt are off on a page of this resolution."""
    steps = np.zeros((12, 4000), np.float32)
    steps[0, 1000:3000] = 1.0  # up at 1 s, down at 3 s
    page = render_page(steps, 1000, STEP, dpi=dpi, style="plain")
    px_per_mm = dpi / MM_PER_INCH
    after_name = round(page.boxes[0].x0 + 10 * px_per_mm)
    dark = 255.0 - page.image[: round(80 * px_per_mm), after_name:, 0]
    ink = dark.sum(axis=0)
    upright = np.flatnonzero(ink > 2 * px_per_mm * 255)
    groups = np.split(upright, np.flatnonzero(np.diff(upright) > 3) + 1)
    left, right = (np.average(group, weights=ink[group]) for group in groups)
    rest, top = dark[:, 9], dark[:, int((left + right) / 2)]
    low, high = ((np.arange(len(dark)) + 0.5) @ column / column.sum() for column in (rest, top))
    return right - left - 2 * 25 * px_per_mm, low - high - 10 * px_per_mm


def read_back_error(signals: Sequence[np.ndarray], fs: float, dpi: int) -> float:
    """Return the RMS error (uV) of all leads read back from pages drawn with a hairline."""
    errors = []
    for signal in signals:
        page = render_page(signal, fs, SPACED, dpi=dpi, style="bare")
        for box in page.boxes:
            reach = 25 * page.px_per_mm
            rows = slice(max(int(box.baseline_px - reach), 0), int(box.baseline_px + reach))
            columns = np.arange(int(np.ceil(box.x0)), int(box.x1))
            dark = 255.0 - page.image[rows, columns, 0]
            columns, dark = columns[dark.any(axis=0)], dark[:, dark.any(axis=0)]
            centre = np.arange(rows.start, rows.start + len(dark)) + 0.5
            found = box.millivolts_at(centre @ dark / dark.sum(axis=0))
            at = box.seconds_at(columns + 0.5) * fs
            truth = np.interp(at, np.arange(signal.shape[1]), signal[LEADS.index(box.lead)])
            errors.append(found - truth)
    return 1e3 * float(np.sqrt(np.mean(np.square(np.concatenate(errors)))))


def real_signals(folder: Path, every: int = 16) -> list[np.ndarray]:
    """Return some LUDB records, (12, 5000) mV at 500 Hz."""
    return [
        np.fromfile(path, "<i2").reshape(-1, 12).T.astype(np.float32) / 1000
        for path in sorted(folder.glob("*.dat"))[::every]
    ]


def gradient_error(n_directions: int = 20) -> float:
    """Return the largest relative difference between gradient and finite differences."""
    rng, size = np.random.default_rng(2), (96, 120)
    phase = np.mod(np.arange(625) / 125, 0.8)
    beat = np.exp(-(((phase - 0.3) / 0.03) ** 2))
    signal = np.linspace(-1, 1.5, 12)[:, None] * beat + rng.normal(0, 0.05, (12, 625))
    signals = torch.from_numpy(signal)[None].requires_grad_()
    weight = torch.from_numpy(rng.normal(size=(1, 1, *size)))

    def total(x: torch.Tensor) -> torch.Tensor:
        return (raster_views(x, 125, [View("3x4+II", line_mm=0.5)], size) * weight).sum()

    (gradient,) = torch.autograd.grad(total(signals), signals)
    worst = 0.0
    with torch.no_grad():
        for _ in range(n_directions):
            along = torch.from_numpy(rng.normal(size=signals.shape))
            step = 1e-7 * along
            slope = float(total(signals + step) - total(signals - step)) / 2e-7
            worst = max(worst, abs(float((gradient * along).sum()) / slope - 1))
    return worst


def print_exactness(records: Path | None) -> None:
    print("\n| exactness | found | needed |\n|---|---|---|")
    for dpi in (100, 150, 200, 300, 600):
        seconds, millivolt = geometry_error(dpi)
        found = f"{seconds:+.2f} and {millivolt:+.2f} px"
        print(f"| 2 s and 1 mV at {dpi} dpi off by | {found} | 0.5 px |")
    if records is not None and (signals := real_signals(records)):
        error = read_back_error(signals, 500, 200)
        print(f"| {len(signals)} real ECGs read back at 200 dpi, RMS | {error:.1f} uV | 20 uV |")
    else:
        print("| real ECGs read back | none given, see --records | 20 uV |")
    print(f"| gradient against differences, worst of 20 | {100 * gradient_error():.2f} % | 1 % |")
