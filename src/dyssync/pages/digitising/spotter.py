"""Names of leads on a flat page, wherever they stand: a small network that knows nothing else.

It learns from pages that are made for it (`tools/learn_names.py`), none of a patient: letters of
free fonts over traces, bars, pulses and grids. It reads names that touch a trace or another line,
which letters cut out one by one do not allow.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import cv2
import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.ecg import LEADS
from dyssync.inference import Session, open_network
from dyssync.pages.digitising.words import Word

PX_PER_MM = 5.0  # of what the network sees
CELL_PX = 4  # of that, a cell of what it says
SYMMETRIC = ("I", "II", "III")  # read the same upside down
LEAST = 0.5  # of what it says from which a name is taken for one (chosen)
NETWORK = "names.onnx"
PAGE, NAMES, SIZES = "page", "names", "sizes"  # input and outputs


def spot_names(cover: Singles, px_per_mm: tuple[float, float]) -> tuple[Word, ...]:
    """Return the names of leads on a page.

    Args:
        cover: (h, w) float32 share of ink, 0-1.
        px_per_mm: scale across and down.
    """
    scale = PX_PER_MM / px_per_mm[0], PX_PER_MM / px_per_mm[1]
    size = [max(round(n * s), 2 * CELL_PX) for n, s in zip(cover.shape[::-1], scale, strict=True)]
    how = cv2.INTER_AREA if min(scale) < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(cover, size, interpolation=how), np.float32)
    edges = [(0, -n % (2 * CELL_PX)) for n in small.shape]
    page = np.pad(small, edges)[None, None]
    names, sizes = _network().run([NAMES, SIZES], {PAGE: page})
    return tuple(_words(names[0], sizes[0], (cover.shape[1] / size[0], cover.shape[0] / size[1])))


def _words(names: Singles, sizes: Singles, px: tuple[float, float]) -> list[Word]:
    """Return names where the network is surest of them.

    Args:
        names: (leads, rows, columns) how sure, 0-1.
        sizes: (2, rows, columns) half width and height, mm.
        px: px of the page in one of the network's, across and down.
    """
    surest = names.max(axis=0)
    around = cv2.dilate(surest, np.ones((5, 7), np.uint8))
    rows, columns = np.nonzero((surest >= around) & (surest >= LEAST))
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        x, y = (_middle(names.max(axis=0), row, column) + 0.5) * CELL_PX
        half = np.maximum(sizes[:, row, column], 0.5) * PX_PER_MM
        found.append(
            Word(
                LEADS[int(names[:, row, column].argmax())], float(surest[row, column]),
                float((x - half[0]) * px[0]), float((y - half[1]) * px[1]),
                float((x + half[0]) * px[0]), float((y + half[1]) * px[1]),
            )
        )  # fmt: skip
    return found


def _middle(surest: Singles, row: int, column: int) -> Floats:
    """Return x and y of a peak in parts of a cell: the mean of the cells around it."""
    y0, x0 = max(row - 1, 0), max(column - 1, 0)
    patch = surest[y0 : row + 2, x0 : column + 2].astype(np.float64)
    y, x = np.mgrid[y0 : y0 + patch.shape[0], x0 : x0 + patch.shape[1]]
    middle: Floats = np.array([(x * patch).sum(), (y * patch).sum()]) / patch.sum()
    return middle


@lru_cache(maxsize=1)
def _network() -> Session:
    return open_network(files("dyssync.pages.digitising").joinpath(NETWORK).read_bytes())
