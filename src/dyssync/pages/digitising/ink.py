"""What is drawn on a page, apart from its paper and its grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.ndimage import maximum_filter1d

from dyssync.arrays import Floats, Ints, Singles
from dyssync.pages.evening import MOST_INK, ink_channel, light_side
from dyssync.rendering.rendered import Picture, as_picture

PAPER_REACH = 0.012  # share of the longer side: wider than a trace, narrower than a shadow
INK_SHARE = 0.002  # of the pixels; as dark as these is full ink
SPREAD = 3.0  # SD of paper and grid above their mean, where ink begins
LEAST_COVER = 0.18  # lower limit of that
SURE_RANGE = (0.3, 0.85)
GRID_LINES = 0.985  # of the lines across a page are paler than the coarse grid, 4 % of a page
GRID_MARGIN = 0.12  # of cover, from there to ink
FINE_LINES = 0.9  # of the lines across a page are paler than a fine grid of lines
ALONG = 0.3  # of a line is paler than what is taken for it: level traces lie on half of a line
LEAST_LINE = 0.02  # of cover; paler is no line
DOTTED = 0.9  # of a line is paler than its dots
DOT_MARGIN = 0.06  # of cover, by which ink need not stand out of dots as it must of lines
EVERYWHERE = 0.45  # of a line is paler than what is taken off
REPEATED = 0.15  # of cover, by which lines 5 mm apart may differ
MOST_GRID = 0.8  # of cover; what is darker is ink along all of a line
LEAST_CONTRAST = 40  # grey values between paper and ink; below, nothing can be told apart


@dataclass(frozen=True, eq=False)
class Ink:
    """The ink of a page.

    Attributes:
        cover: (H, W) float32, the share of each pixel that ink covers, 0-1; grids are pale in it.
        contrast: grey values between paper and ink, 0-255.
        least: cover that only ink has, not paper, grid or noise; 0-1. Thin strokes are pale.
        sure: cover half way between grid and ink, 0-1; letters are well apart from there.
    """

    cover: Singles
    contrast: float
    least: float
    sure: float


def find_ink(pixels: Picture) -> Ink:
    """Return the ink of a picture with dark traces on lighter paper, or light ones on black.

    Args:
        pixels: (H, W, 3) RGB uint8.
    """
    grey = ink_channel(light_side(pixels))
    half = max(round(max(grey.shape) * PAPER_REACH), 3)
    paper = _paper(grey, half)
    flat = as_picture(cv2.divide(grey, paper, scale=255))
    counts = np.bincount(flat.ravel(), minlength=256)
    dark = int(np.searchsorted(np.cumsum(counts), INK_SHARE * flat.size))
    contrast = max(255 - dark, 1)
    cover = (255 - flat.astype(np.float32)) / np.float32(contrast)
    np.clip(cover, 0, 1, out=cover)
    return Ink(cover, float(contrast), *_levels(counts, dark))


def _paper(grey: Picture, half: int) -> Picture:
    """Return the brightness of the paper at each pixel, smooth."""
    height, width = grey.shape
    # Light changes slowly: it is found on a fifth of the pixels.
    step = max(half // 4, 1)
    few = (max(width // step, 1), max(height // step, 1))
    small = cv2.resize(cv2.dilate(grey, np.ones((step, step), np.uint8)), few,
                       interpolation=cv2.INTER_AREA)  # fmt: skip
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    smooth = cv2.blur(closed, (5, 5))
    return as_picture(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR))


def _levels(counts: Ints, dark: int) -> tuple[float, float]:
    """Return the cover that only ink has, and the one half way between grid and ink.

    Paper and grid are split from ink, or paper from grid and ink: there is more of the latter than
    any pen could write, and the darker part is split again. Thin strokes are pale: what counts as
    ink begins where paper and grid end, not half way to black.
    """
    pixels = counts.astype(np.float64)
    levels = np.clip((255 - np.arange(256)) / max(255 - dark, 1), 0, 1)
    split = 255
    for _ in range(3):
        split = _otsu(pixels[: split + 1])
        if pixels[: split + 1].sum() <= MOST_INK * pixels.sum():
            break
    sure = float(np.clip(levels[split], *SURE_RANGE))
    rest = pixels[split + 1 :]
    if not rest.any():
        return sure, sure
    mean = np.average(levels[split + 1 :], weights=rest)
    sd = np.sqrt(np.average(np.square(levels[split + 1 :] - mean), weights=rest))
    return float(np.clip(mean + SPREAD * sd, LEAST_COVER, sure)), sure


def _otsu(counts: Floats) -> int:
    """Return the last level of the darker of two classes (Otsu 1979, 10.1109/TSMC.1979.4310076)."""
    n, mass = np.cumsum(counts), np.cumsum(counts * np.arange(len(counts)))
    rest, rest_mass = n[-1] - n, mass[-1] - mass
    both = (n > 0) & (rest > 0)
    if not both.any():
        return len(counts) - 1
    apart = mass[both] / n[both] - rest_mass[both] / rest[both]
    return int(np.flatnonzero(both)[(n[both] * rest[both] * np.square(apart)).argmax()])


def off_grid(cover: Singles, ink: Ink, px_per_mm: tuple[float, float]) -> tuple[Singles, Ink]:
    """Return the cover of a page whose grid lies straight without that grid, and its levels.

    A line of the grid is as dark along all of its length. What a thin and steep stroke leaves is
    paler than a dark line, and is seen once that is gone.

    Args:
        cover: (h, w) of the flat page.
        ink: of the picture.
        px_per_mm: scale across and down.
    """
    step = max(cover.shape[1] // 400, 1), max(cover.shape[0] // 400, 1)
    across = _repeated(np.quantile(cover[:: step[1]], EVERYWHERE, axis=0), px_per_mm[0])
    down = _repeated(np.quantile(cover[:, :: step[0]], EVERYWHERE, axis=1), px_per_mm[1])
    grid = np.maximum(across[None], down[:, None]).astype(np.float32)
    np.minimum(grid, MOST_GRID, out=grid)
    rest = np.clip((cover - grid) / (1 - grid), 0, 1)
    counts = np.bincount((255 - np.rint(rest * 255)).astype(np.intp).ravel(), minlength=256)
    least, sure = _levels(counts, 0)
    dots = max(
        _dots(cover[:, :: step[0]].T, rest[:, :: step[0]].T),
        _dots(cover[:: step[1]], rest[:: step[1]]),
    )
    least = max(least, min(dots - DOT_MARGIN + GRID_MARGIN, sure))
    return rest, replace(ink, least=least, sure=sure)


def _repeated(profile: Floats, px_per_mm: float) -> Floats:
    """Return how much of the darkness across lines, (n,), is there 5 mm further on as well.

    That of a level trace, which may lie on most of a line, is not. On less than 10 mm there are
    places without any 5 mm further on.
    """
    if len(profile) <= 10 * px_per_mm + 1:
        return profile
    wide = maximum_filter1d(profile, 3)
    at = np.arange(len(profile))[:, None] + 5 * px_per_mm * np.array([-3, -2, -1, 1, 2, 3])
    there = np.where(
        (at >= 0) & (at <= len(profile) - 1), np.interp(at, np.arange(len(profile)), wide), np.nan
    )
    usual: Floats = np.fmin(profile, np.nanmedian(there, axis=1) + REPEATED)
    return usual


def above_grid(cover: Singles, ink: Ink) -> float:
    """Return the cover that only ink has, on a page whose grid lies straight.

    Where a grid is made of dots, they are darker than the line that they are on.

    Args:
        cover: (h, w) of the flat page.
        ink: of the picture.
    """
    step = max(cover.shape[1] // 400, 1), max(cover.shape[0] // 400, 1)
    line = max(_darkest_lines(cover[:, :: step[0]].T), _darkest_lines(cover[:: step[1]]))
    return float(np.clip(line + GRID_MARGIN, ink.least, max(ink.sure, ink.least)))


def _darkest_lines(columns: Singles) -> float:
    """Return how dark lines along the first axis of (n, m) cover are, or the dots on them."""
    along = np.quantile(columns, ALONG, axis=0)
    return max(float(np.quantile(along, GRID_LINES)), _dots(columns, columns) - DOT_MARGIN)


def _dots(columns: Singles, seen: Singles) -> float:
    """Return how dark the dots on lines along the first axis are in `seen`; 0 without dots.

    Args:
        columns: (n, m) cover by which lines are known.
        seen: (n, m) cover of which the dots are told.
    """
    along = np.quantile(columns, ALONG, axis=0)
    line = float(np.quantile(along, GRID_LINES))
    if line < LEAST_LINE or float(np.quantile(along, FINE_LINES)) >= LEAST_LINE:
        return 0.0  # no line at all, or the finer grid is made of lines
    return float(np.median(np.quantile(seen[:, along >= line / 2], DOTTED, axis=0)))
