"""Time other programs' ECG pages: run by bench_render.py in an environment that has them.

    python benchmarks/bench_render_peers.py SIGNAL.npy PIXELS

SIGNAL holds (12, n) mV at 500 Hz. Each program draws 12 leads of 2.5 s in four columns with a page
of about PIXELS pixels. Prints one JSON object: CPU seconds (median of `RUNS`) and pixels of each.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import ecg_plot
import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from timing import cpu_seconds

Signal = npt.NDArray[np.float32]  # dyssync.ecg is not in that environment
RUNS = 5
FS = 500
LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


def pixels_of(path: Path) -> int:
    """Return how many pixels a picture has."""
    with Image.open(path) as image:
        return image.width * image.height


def time_ecg_plot(signal: Signal, pixels: int) -> dict[str, float]:
    """Return CPU seconds and pixels of ecg_plot's page, at the resolution that comes nearest."""
    with tempfile.TemporaryDirectory() as folder:

        def draw(dpi: int) -> None:
            ecg_plot.plot(
                signal, sample_rate=FS, lead_names=LEADS, layout="12lead", rhythm_lead="II"
            )
            ecg_plot.save_as_png("page", folder + "/", dpi=dpi)

        draw(100)
        path = Path(folder, "page.png")
        dpi = round(100 * (pixels / pixels_of(path)) ** 0.5)
        seconds = statistics.median(cpu_seconds(lambda _: draw(dpi), RUNS))
        return {"seconds": seconds, "pixels": pixels_of(path)}


def matplotlib_page(signal: Signal) -> Figure:
    """A 2200 x 1700 page: four columns, 1-mm and 5-mm grid, thin black lines."""
    figure = Figure(figsize=(11, 8.5), dpi=200)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 279.4), ylim=(215.9, 0))
    axes.axis("off")
    for step, colour, width in ((1, "#f8cdcd", 0.3), (5, "#ec9696", 0.6)):
        axes.vlines(np.arange(0, 280, step), 0, 215.9, colors=colour, lw=width)
        axes.hlines(np.arange(0, 216, step), 0, 279.4, colors=colour, lw=width)
    for lead, row in enumerate([*signal, signal[1]]):
        rhythm = lead == len(signal)
        column = 0 if rhythm else lead // 3
        y0 = 30 + 45 * (3 if rhythm else lead % 3)
        first = round(2.5 * FS * column)
        shown = row[first:] if rhythm else row[first : first + round(2.5 * FS)]
        x = 15 + 62.5 * column + np.arange(len(shown)) / FS * 25
        axes.plot(x, y0 - 10 * shown, "k", lw=1)
        axes.text(16 + 62.5 * column, y0 - 12, "II" if rhythm else LEADS[lead])
    FigureCanvasAgg(figure)
    return figure


def time_matplotlib(signal: Signal, *, png: bool) -> dict[str, float]:
    """Return CPU seconds and pixels of :func:`matplotlib_page`, drawn once."""

    def draw(_: int) -> None:
        page = matplotlib_page(signal)
        if png:
            page.savefig(io.BytesIO(), format="png")
        else:
            page.canvas.draw()

    width, height = matplotlib_page(signal).canvas.get_width_height()
    return {"seconds": statistics.median(cpu_seconds(draw, RUNS)), "pixels": width * height}


def main() -> None:
    """Print the times of all programs."""
    signal, pixels = np.load(sys.argv[1]), int(sys.argv[2])
    measured = {
        f"ecg_plot {version('ecg_plot')}, PNG": time_ecg_plot(signal, pixels),
        f"matplotlib {matplotlib.__version__}, without PNG": time_matplotlib(signal, png=False),
        f"matplotlib {matplotlib.__version__}, PNG": time_matplotlib(signal, png=True),
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
