"""Pages whose signals are known: drawn by our renderer, and those of a foreign program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dyssync.arrays import Floats
from dyssync.ecg import ECG, LEADS
from dyssync.formats import read_ecg
from dyssync.formats.pdf import parse
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.rendering import STYLES, PageOptions, render_page, render_pdf
from dyssync.rendering.rendered import Rendered
from dyssync.rendering.wear import apply_wear, draw_wear

FS = 500.0
DPIS = (100.0, 150.0, 200.0, 300.0)
# Layouts that show a recording; those of the median beat are no page that a cart prints.
PAGE_LAYOUTS = tuple(name for name in LAYOUTS if LAYOUTS[name].source == "rhythm")
PAGE_STYLES = tuple(name for name in STYLES if name != "bare")  # nothing on it says any scale
HEADER = ("Vent. rate 72 BPM   PR 160 ms   QRS 142 ms", "Sinus rhythm with 1st degree block")


@dataclass(frozen=True, eq=False)
class TruePart:
    """A lead on a page: its name, place, and what was drawn, (n,) mV at 500 Hz."""

    lead: str
    row: int
    column: int
    rhythm: bool
    millivolts: Floats


@dataclass(frozen=True, eq=False)
class TruePage:
    """A page with its truth.

    Attributes:
        name: what to call it.
        image: the picture.
        parts: what is on it; empty where nobody knows.
        layout, speed_mm_s, gain_mm_mv: of the page.
        recording: that was drawn, in true mV; None where that is not known.
    """

    name: str
    image: ECGImage
    parts: tuple[TruePart, ...]
    layout: str
    speed_mm_s: float = 25.0
    gain_mm_mv: float = 10.0
    recording: ECG | None = None


def own_pages(records: Path, count: int, wear: float, seed: int = 0) -> Iterator[TruePage]:
    """Yield pages of our renderer over all layouts, papers and resolutions.

    Args:
        records: folder of WFDB records in true mV.
        count: how many.
        wear: severity 0-5.
        seed: of everything that is drawn by lot.
    """
    headers = sorted(records.rglob("*.hea"))
    rng = np.random.default_rng(seed)
    for i in range(count):
        ecg = read_ecg(headers[int(rng.integers(len(headers)))])
        layout = PAGE_LAYOUTS[i % len(PAGE_LAYOUTS)]
        style = PAGE_STYLES[int(rng.integers(len(PAGE_STYLES)))]
        dpi = DPIS[int(rng.integers(len(DPIS)))]
        header = HEADER if rng.random() < 0.5 else ()
        signal = ecg.signal - np.median(ecg.signal, axis=1, keepdims=True)
        rendered = render_page(
            signal, ecg.fs, LAYOUTS[layout], dpi=dpi, style=style,
            options=PageOptions(header=header),
        )  # fmt: skip
        parts = _truth(rendered, layout, signal, ecg.fs)
        worn = apply_wear(rendered, draw_wear(rng, wear)) if wear else rendered
        name = f"{i:03d}_{layout}_{style}_{dpi:.0f}_w{wear:g}"
        yield TruePage(name, ECGImage(worn.image), parts, layout, recording=ecg)


def vector_pages(records: Path, count: int, seed: int = 0) -> Iterator[TruePage]:
    """Yield PDF pages of our renderer; arguments as of :func:`own_pages`."""
    headers = sorted(records.rglob("*.hea"))
    rng = np.random.default_rng(seed)
    styles = [name for name in PAGE_STYLES if STYLES[name].names != "none"]
    for i in range(count):
        ecg = read_ecg(headers[int(rng.integers(len(headers)))])
        layout = PAGE_LAYOUTS[i % len(PAGE_LAYOUTS)]
        style = styles[int(rng.integers(len(styles)))]
        signal = ecg.signal - np.median(ecg.signal, axis=1, keepdims=True)
        image = parse(render_pdf(signal, ecg.fs, LAYOUTS[layout], style=style))
        # where each lead is; a column that begins between two samples is drawn from the next on
        rendered = render_page(signal, ecg.fs, LAYOUTS[layout], dpi=40.0, style=style)
        parts = _truth(rendered, layout, signal, ecg.fs, whole=True)
        yield TruePage(f"{i:03d}_{layout}_{style}_pdf", image, parts, layout, recording=ecg)


def _truth(
    rendered: Rendered, layout: str, signal: np.ndarray, fs: float, *, whole: bool = False
) -> tuple[TruePart, ...]:
    """Return what was drawn of each lead; `whole` begins at the first sample that was."""
    parts = []
    for box, panel in zip(rendered.boxes, LAYOUTS[layout].panels, strict=True):
        start = np.ceil(box.start_s * fs - 1e-6) / fs if whole else box.start_s
        times = np.arange(start, box.stop_s - 0.5 / FS, 1 / FS)
        row = signal[LEADS.index(panel.lead)].astype(np.float64)
        values = np.interp(times * fs, np.arange(len(row)), row)
        parts.append(TruePart(panel.lead, panel.row, panel.column, panel.rhythm, values))
    return tuple(parts)


def foreign_pages(folder: Path) -> Iterator[tuple[TruePage, dict[str, Floats]]]:
    """Yield the pages of another program with their truth, and what its own digitiser read.

    The second has the twelve leads, (5000,) mV at 500 Hz, NaN where nothing was read.
    """
    layout = LAYOUTS["3x4+II"]
    for path in sorted(folder.glob("*.webp")):
        kept = np.load(path.with_suffix(".npz"))
        names = [str(name) for name in kept["leads"]]
        drawn = dict(zip(names, kept["drawn"] / 1e4, strict=True))
        read = np.where(kept["ecgminer"] == -32768, np.nan, kept["ecgminer"] / 1e4)
        parts = []
        for panel in layout.panels:
            start = 0 if panel.rhythm else round(panel.column * 2.5 * FS)
            stop = 5000 if panel.rhythm else start + round(2.5 * FS)
            values = drawn[panel.lead][start:stop]
            parts.append(TruePart(panel.lead, panel.row, panel.column, panel.rhythm, values))
        with Image.open(path) as picture:
            image = ECGImage(np.asarray(picture.convert("RGB")))
        yield (
            TruePage(path.stem, image, tuple(parts), "3x4+II"),
            dict(zip(names, read, strict=True)),
        )
