"""How exact the renderer is: geometry, signal read back, gradient. Part of bench_render.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from dyssync.ecg import LEADS, Signal
from dyssync.explanation.raster import raster_views
from dyssync.formats import read_ecg
from dyssync.layouts import LAYOUTS, Layout, Panel
from dyssync.rendering import View, render_page
from markdown_rows import head, row

MM_PER_INCH = 25.4
LUDB_FS = 500.0
EVERY = 16  # LUDB records, of which one is read back
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


def read_back_error(signals: Sequence[Signal], fs: float, dpi: int) -> float:
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


def print_exactness(ludb: Sequence[Path]) -> None:
    """Print how exact the renderer is, the real signals being those of some LUDB records."""
    print(head("exactness", "found", "needed"))
    for dpi in (100, 150, 200, 300, 600):
        seconds, millivolt = geometry_error(dpi)
        found = f"{seconds:+.2f} and {millivolt:+.2f} px"
        print(row(f"2 s and 1 mV at {dpi} dpi off by", found, "0.5 px"))
    if ludb:
        signals = [read_ecg(path).signal for path in ludb[::EVERY]]
        found = f"{read_back_error(signals, LUDB_FS, 200):.1f} uV"
        print(row(f"{len(signals)} real ECGs read back at 200 dpi, RMS", found, "20 uV"))
    else:
        print(row("real ECGs read back", "none there, see --data", "20 uV"))
    worst = f"{100 * gradient_error():.2f} %"
    print(row("gradient against differences, worst of 20", worst, "1 %"))
