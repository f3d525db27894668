"""Edges of the paper, which are long and level as a row of traces is."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats
from dyssync.pages.digitising.flat import FlatPage
from dyssync.pages.digitising.rows import Row
from dyssync.rendering.rendered import Picture

BESIDE_MM = (2.0, 3.0, 4.0)  # above and below a row, where paper or what it lies on is seen
POINTS = 400  # of a row
# Grey values from one side to the other, everywhere alike. Of 12 edges on 24 worn pages none had
# less than 72; of 338 rows of traces there and on 42 real pages, none more than 25.
STEP = 35.0


def without_edges(rows: tuple[Row, ...], page: FlatPage, pixels: Picture) -> tuple[Row, ...]:
    """Return the rows with paper on both of their sides.

    Args:
        rows: of the page.
        page: made flat.
        pixels: (H, W, 3) RGB uint8 of the picture.
    """
    return tuple(row for row in rows if _step(row, page, pixels) < STEP)


def _step(row: Row, page: FlatPage, pixels: Picture) -> float:
    """Return the least change of grey across a row that all distances agree on."""
    x = np.linspace(row.left, row.right - 1, POINTS)
    steps = np.array([
        _grey(page, pixels, x, row.line + beside * page.px_per_mm[1])
        - _grey(page, pixels, x, row.line - beside * page.px_per_mm[1])
        for beside in BESIDE_MM
    ])  # fmt: skip
    return float(np.abs(steps).min()) if abs(np.sign(steps).sum()) == len(steps) else 0.0


def _grey(page: FlatPage, pixels: Picture, x: Floats, y: float) -> float:
    at_x, at_y = page.in_picture(x, np.full(len(x), y))
    row = np.clip(at_y, 0, pixels.shape[0] - 1).astype(np.intp)
    column = np.clip(at_x, 0, pixels.shape[1] - 1).astype(np.intp)
    return float(np.median(pixels[row, column].mean(axis=1)))
