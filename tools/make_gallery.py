"""Draw the pictures of docs/gallery.md, and the page itself.

    python tools/make_gallery.py          writes docs/gallery.md and its pictures

The ECG is made here from Gaussian waves with a wide QRS; no patient's data is shown.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dyssync.arrays import Bytes, Floats
from dyssync.ecg import LIMB_FROM_I_II, Signal
from dyssync.layouts import LAYOUTS
from dyssync.rendering import (
    STYLES,
    PageOptions,
    Rendered,
    View,
    ViewConfig,
    apply_view,
    draw_view,
    render_page,
)
from dyssync.rendering.wear import apply_wear, draw_wear

DOCS = Path(__file__).parent.parent / "docs"
IMAGES = DOCS / "images"
HEAD = (
    "# Gallery",
    "",
    "Made by `python tools/make_gallery.py`. The ECG is computed; no patient is shown.",
    "",
)
FS = 500
DPI = 30
COLUMNS = 3
NOTE = "## Beside real pages"
# Chest leads of a left bundle branch block: S waves on the right, broad notched R on the left, mV
CHEST = ((0.15, -1.3), (0.2, -1.9), (0.25, -1.6), (0.6, -0.7), (1.1, -0.1), (1.2, 0.0))


def wide_beat(phase: Floats, first: float, second: float) -> Floats:
    """P, a QRS of two late halves, and a T wave against it, mV over the phase in s."""

    def wave(at: float, width: float) -> Floats:
        return np.exp(-(((phase - at) / width) ** 2))

    qrs = 0.85 * first * wave(0.27, 0.022) + first * wave(0.32, 0.022)
    qrs += second * wave(0.30, 0.035)
    return 0.1 * wave(0.1, 0.03) + qrs - 0.3 * (first + second) * wave(0.56, 0.07)


def example() -> Signal:
    """Return ten seconds of a left bundle branch block, (12, 5000) float32 mV."""
    phase = np.mod(np.arange(10 * FS) / FS, 0.92)
    rng = np.random.default_rng(4)
    i_and_ii = np.stack([wide_beat(phase, 0.9, 0.0), wide_beat(phase, 0.5, -0.2)])
    chest = np.stack([wide_beat(phase, *sizes) for sizes in CHEST])
    signal = np.concatenate([i_and_ii, LIMB_FROM_I_II @ i_and_ii, chest])
    return (signal + rng.normal(0, 0.008, signal.shape)).astype(np.float32)


def median_tile(signal: Signal) -> Signal:
    """Return 0.8 s around one beat: what the tiles show."""
    return signal[:, : round(0.8 * FS)]


def draw_layouts(signal: Signal) -> list[tuple[str, Rendered]]:
    """Return five layouts, each on another paper, with their titles."""
    options = PageOptions(header=("Example, computed", "QRS wide, left bundle branch block"))
    names = ("3x4+II", "6x2", "12x1", "3x4-cabrera", "tiles")
    drawn = []
    for name, style in zip(names, ("red", "pink", "green", "blue", "grey"), strict=True):
        layout = LAYOUTS[name]
        shown = median_tile(signal) if layout.source == "median-beat" else signal
        page = render_page(shown, FS, layout, dpi=2 * DPI, style=style, options=options)
        drawn.append((f"{name}, {style}", page))
    return drawn


def sheet(pictures: list[Bytes], columns: int) -> Rendered:
    """Put pictures of one size side by side with a thin border."""
    framed = [np.pad(p, ((2, 2), (2, 2), (0, 0)), constant_values=120) for p in pictures]
    rows = [np.hstack(framed[i : i + columns]) for i in range(0, len(framed), columns)]
    return Rendered(np.vstack(rows), px_per_mm=4.0)


def keep(name: str, title: str, picture: Rendered) -> list[str]:
    """Save a picture; return the lines that show it."""
    # A palette makes the files a quarter as large; the repository keeps them all.
    flat = Image.fromarray(picture.image).quantize(32)
    flat.save(IMAGES / f"{name}.png", optimize=True)
    return [f"![{title}](images/{name}.png)", ""]


def layouts(signal: Signal) -> list[str]:
    """Draw the layouts; return their section."""
    text = ["## Layouts", ""]
    for i, (title, page) in enumerate(draw_layouts(signal)):
        text += [title, "", *keep(f"page_{i}", title, page)]
    return text


def papers(signal: Signal) -> list[str]:
    """Draw the styles of paper, and some of them worn; return the sections."""
    styles = [style for style in STYLES if style != "bare"][:12]
    pages = [render_page(signal, FS, LAYOUTS["3x4+II"], dpi=DPI, style=style) for style in styles]
    worn = [
        apply_wear(page, draw_wear(np.random.default_rng(30 + i), severity)).image
        for i, (page, severity) in enumerate(zip(pages, (1, 2, 3, 4, 5, 5), strict=False))
    ]
    whole = sheet([page.image for page in pages], COLUMNS)
    return [
        *("## Styles", "", "From the left, row by row: " + ", ".join(styles) + ".", ""),
        *keep("styles", "twelve styles of paper", whole),
        *("## Wear", "", "Severity 1, 2, 3 and 4, 5, 5.", ""),
        *keep("wear", "six worn pages", sheet(worn, COLUMNS)),
    ]


def network_views(signal: Signal) -> list[str]:
    """Draw training views; return their section."""
    rng = np.random.default_rng(1)
    config = ViewConfig(layouts=("3x4", "3x4+II", "6x2"))
    views = [View(), *(draw_view(rng, config) for _ in range(5))]
    small = [apply_view(signal, FS, view, (128, 160)).image for view in views]
    doubled = [np.repeat(np.repeat(p, 2, axis=0), 2, axis=1) for p in small]
    coloured = [np.repeat(p[:, :, None], 3, axis=2) for p in doubled]
    return [
        *("## What the networks see", "", "160 x 128 px, shown twice as large.", ""),
        *keep("views", "six training views", sheet(coloured, COLUMNS)),
    ]


def main() -> None:
    """Write pictures and page."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    signal = example()
    text = [*HEAD, *layouts(signal), *papers(signal), *network_views(signal)]
    page = DOCS / "gallery.md"
    _, heading, note = page.read_text(encoding="utf-8").partition(NOTE)  # written by hand: kept
    page.write_text("\n".join([*text, heading + note]), encoding="utf-8")


if __name__ == "__main__":
    main()
