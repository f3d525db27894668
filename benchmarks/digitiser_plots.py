"""Pages as scripts draw them with a plotting library: other grids, pens, letters and places.

Nothing of our renderer takes part. Grids run over the whole picture in any colour, as dark as the
plot's own lines; pens are thin or blue; names stand above or below the beginning of a lead; bars
stand between leads, or not; a frame runs along the edges.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator
from PIL import Image

from digitiser_pages import FS, TruePage, TruePart
from dyssync.ecg import ECG, LEADS
from dyssync.formats import read_ecg
from dyssync.image import ECGImage

Colour = tuple[float, float, float]

INCH_MM = 25.4
DPIS, PENS_PT = (100, 150, 200, 300), (0.5, 0.75, 1.0, 1.25)
PENS: tuple[Colour, ...] = ((0, 0, 0), (0, 0, 0), (0.1, 0.1, 0.4), (0, 0, 0.7))
GRIDS: tuple[tuple[Colour, Colour], ...] = (  # lines 5 mm and 1 mm apart
    ((0.43, 0.2, 0.18), (1, 0.8, 0.87)), ((1, 0, 0), (1, 0.7, 0.7)),
    ((0.55, 0.55, 0.55), (0.8, 0.8, 0.8)), ((0.3, 0.5, 0.9), (0.8, 0.87, 1)),
    ((1, 0.5, 0.3), (1, 0.85, 0.75)), ((0, 0.6, 0.2), (0.75, 0.92, 0.8)),
)  # fmt: skip
FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono")
LAYOUTS = {"3x4": (4, ()), "3x4+II": (4, ("II",)), "3x4+II+V1": (4, ("II", "V1")), "6x2": (2, ())}
LETTER_MM = (279.4, 215.9)  # a page of the American format, lying


def plotted_pages(records: Path, count: int, seed: int = 11) -> Iterator[TruePage]:
    """Yield pages with their truth; arguments as of :func:`digitiser_pages.own_pages`."""
    headers = sorted(records.rglob("*.hea"))
    rng = np.random.default_rng(seed)
    for i in range(count):
        ecg = read_ecg(headers[int(rng.integers(len(headers)))])
        layout = list(LAYOUTS)[i % len(LAYOUTS)]
        dpi, pen_pt = int(rng.choice(DPIS)), float(rng.choice(PENS_PT))
        # every other page is as large as its leads, without a margin
        image, parts = _plot(ecg, layout, dpi, pen_pt, rng, tight=i // len(LAYOUTS) % 2 == 1)
        name = f"{i:03d}_{layout}_{dpi}_{pen_pt:g}pt"
        yield TruePage(name, image, parts, layout, recording=ecg)


def _plot(
    ecg: ECG, layout: str, dpi: int, pen_pt: float, rng: np.random.Generator, *, tight: bool
) -> tuple[ECGImage, tuple[TruePart, ...]]:
    n_columns, strips = LAYOUTS[layout]
    rows, seconds = 12 // n_columns, 10 / n_columns
    pen, font = PENS[int(rng.integers(len(PENS)))], FONTS[int(rng.integers(len(FONTS)))]
    gap_mm = 30.0 if tight else 0.85 * LETTER_MM[1] / (rows + len(strips))
    width, height = (250.0, gap_mm * (rows + len(strips))) if tight else LETTER_MM
    figure = plt.figure(figsize=(width / INCH_MM, height / INCH_MM))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    _draw_grid(axes, GRIDS[int(rng.integers(len(GRIDS)))], float(rng.choice([0.4, 0.7])))
    left, letters = (width - 250) / 2, float(rng.choice([9, 11, 14]))
    above, bars = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
    pulse = not tight and bool(rng.random() < 0.3)
    parts = []
    for row in range(rows + len(strips)):
        line = height - gap_mm * (row + 0.5)
        rhythm = row >= rows
        if pulse:
            step = np.array([0, 1, 1, 6, 6, 7]) + left - 8
            axes.plot(step, line + np.array([0, 0, 10, 10, 0, 0]), lw=pen_pt, color=pen)
        for column in range(1 if rhythm else n_columns):
            lead = strips[row - rows] if rhythm else LEADS[column * rows + row]
            start = left + column * 25 * seconds
            part = _part(ecg, lead, row, column, 10.0 if rhythm else seconds, rhythm=rhythm)
            parts.append(part)
            x = start + 25 / FS * np.arange(len(part.millivolts))
            axes.plot(x, line + 10 * part.millivolts, lw=pen_pt, color=pen)
            down = 7.0 if above else -8.0
            axes.text(start + 1.5, line + down, lead, fontsize=letters, family=font)
            if bars and column:
                axes.plot([start, start], [line - 3, line + 3], lw=pen_pt, color=pen)
    if not tight:
        axes.text(left, 8, "25mm/s   10mm/mV", fontsize=10, family=font)
    kept = io.BytesIO()
    figure.savefig(kept, dpi=dpi, format="png")
    plt.close(figure)
    with Image.open(kept) as picture:
        return ECGImage(np.asarray(picture.convert("RGB"))), tuple(parts)


def _draw_grid(axes: Axes, colours: tuple[Colour, Colour], width_pt: float) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(5))
        axis.set_minor_locator(MultipleLocator(1))
        axis.set_tick_params(which="both", length=0, labelsize=0)
    axes.grid(which="major", lw=width_pt, color=colours[0])
    axes.grid(which="minor", lw=0.3, color=colours[1])
    axes.set_axisbelow(True)


def _part(ecg: ECG, lead: str, row: int, column: int, seconds: float, *, rhythm: bool) -> TruePart:
    values = ecg.signal[LEADS.index(lead)].astype(np.float64)
    times = column * seconds + np.arange(round(seconds * FS)) / FS
    drawn = np.interp(times * ecg.fs, np.arange(len(values)), values) - np.median(values)
    return TruePart(lead, row, column, rhythm, drawn)
