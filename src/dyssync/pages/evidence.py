"""Is a user's own picture one of an ECG page?

The thresholds separate scans, prints and photos of 46 real pages from photos of other things,
documents, charts, empty paper and noise; they judge the picture, not the heart.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.errors import FormatError
from dyssync.pages.evening import flatten_paper, interpolation_of, light_side
from dyssync.rendering.rendered import Picture, as_picture

WIDTH = 1000  # px to which a picture is brought: a page of 250 mm then has 4 px a mm
LONGEST = 3 * WIDTH  # px
TILE = 96  # px; the grid is looked for in squares of about 24 mm, in which a bent page is straight
LONGEST_PERIOD = 40  # px; 5 mm of a page that is twice as near
PERIODIC = 0.3  # autocorrelation from which a tile has a grid
GRID_SHARE = 0.4  # of tiles with a grid: real pages 0.55 and more, other pictures at most 0.23
TRACE_WIDTHS = 2.5  # length of all traces in picture widths, where no grid is seen
TRACE_PX = 10.0  # thickest trace there; drawings have thicker lines
CLEAN_PAPER_SHARE = 0.75  # of pixels there; photos of things have less
INK_SHARE = (0.004, 0.5)  # of pixels much darker than the paper around
PAPER_SHARE = 0.25  # of pixels as light as the paper around; noise has less


@dataclass(frozen=True)
class PageEvidence:
    """What speaks for a picture being an ECG page.

    Attributes:
        grid_share: of the squares of the picture, those in which lines repeat both ways.
        ink_share: of the pixels, those much darker than the paper around them.
        paper_share: of the pixels, those as light as the paper around them.
        trace_widths: length of all thin connected curves, in picture widths.
        trace_px: median thickness of these curves, px of a picture 1000 px wide.
    """

    grid_share: float
    ink_share: float
    paper_share: float
    trace_widths: float
    trace_px: float

    @property
    def is_page(self) -> bool:
        """Whether that is enough."""
        drawn = INK_SHARE[0] <= self.ink_share <= INK_SHARE[1]
        on_paper = self.paper_share >= PAPER_SHARE
        thin = self.trace_px <= TRACE_PX and self.paper_share >= CLEAN_PAPER_SHARE
        traced = thin and self.trace_widths >= TRACE_WIDTHS
        return drawn and on_paper and (self.grid_share >= GRID_SHARE or traced)


def check_is_ecg_page(pixels: Picture) -> Picture:
    """Return `pixels` if they look like a page or strip of an ECG.

    Args:
        pixels: (H, W, 3) RGB uint8.

    Raises:
        FormatError: they do not; the message says what is missing.
    """
    evidence = page_evidence(pixels)
    if evidence.is_page:
        return pixels
    if evidence.ink_share < INK_SHARE[0]:
        finding = "it is empty"
    elif evidence.paper_share < PAPER_SHARE:
        finding = "there is no paper in it"
    else:
        finding = (
            f"a grid in {evidence.grid_share:.0%} of it ({GRID_SHARE:.0%} needed) and traces of "
            f"{evidence.trace_widths:.1f} picture widths ({TRACE_WIDTHS:g} needed without a grid)"
        )
    raise FormatError(
        f"picture is no ECG page as far as can be seen: {finding}. "
        "Give a scan or a photo that shows the whole page, upright"
    )


def page_evidence(pixels: Picture) -> PageEvidence:
    """Return what speaks for `pixels`, (H, W, 3) RGB uint8, being an ECG page."""
    image = _sized(pixels)
    flat, ink = _flat_and_ink(image)
    widths, thickness = _traces(ink)
    return PageEvidence(
        grid_share=_grid_share(image),
        ink_share=float(ink.mean()),
        paper_share=float((flat > 0.85 * 255).mean()),
        trace_widths=widths,
        trace_px=thickness,
    )


def ink_of(pixels: Picture) -> Picture:
    """Return where `pixels`, (H, W, 3) uint8, are much darker than paper, (h, WIDTH) 0/1."""
    return _flat_and_ink(_sized(pixels))[1]


def _sized(pixels: Picture) -> Picture:
    image = light_side(pixels)
    scale = WIDTH / image.shape[1]
    # Slivers are squeezed: they are no pages, and must not fill the memory.
    size = (WIDTH, min(max(round(image.shape[0] * scale), TILE), LONGEST))
    return as_picture(cv2.resize(image, size, interpolation=interpolation_of(scale)))


def _flat_and_ink(image: Picture) -> tuple[Picture, Picture]:
    flat = flatten_paper(image)
    threshold, _ = cv2.threshold(flat, 0, 255, cv2.THRESH_OTSU)
    return flat, (flat < min(threshold, 200.0)).astype(np.uint8)


def _traces(ink: Picture) -> tuple[float, float]:
    """Return the total length (picture widths) and median thickness (px) of thin wide curves."""
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, _, parts, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    width, height, area = parts[1:, cv2.CC_STAT_WIDTH :].astype(np.float64).T
    curve = (width >= 0.06 * WIDTH) & (height >= 6) & (area < 0.4 * width * height)
    if not curve.any():
        return 0.0, 0.0
    thickness = area[curve] / np.maximum(width[curve], height[curve])
    return float(width[curve].sum() / WIDTH), float(np.median(thickness))


def _grid_share(image: Picture) -> float:
    """Return the share of squares of the picture with lines at equal distances both ways."""
    darkest = image.min(axis=2).astype(np.float32)  # coloured lines are dark in some channel
    detail = np.clip(darkest - cv2.GaussianBlur(darkest, (0, 0), 10), -40, 40)
    down, across = detail.shape[0] // TILE, detail.shape[1] // TILE
    tiles = detail[: down * TILE, : across * TILE].reshape(down, TILE, across, TILE)
    tiles = tiles.swapaxes(1, 2).reshape(-1, TILE, TILE)
    # Medians along the lines pass over the traces.
    both = np.minimum(
        _periodicity(np.median(tiles, axis=1)), _periodicity(np.median(tiles, axis=2))
    )
    return float(np.mean(both > PERIODIC))


def _periodicity(profiles: Singles) -> Floats:
    """Return the highest autocorrelation of each row of (T, TILE) past its first zero."""
    n = profiles.shape[1]
    ramp = np.linspace(-1, 1, n)
    centred = profiles - profiles.mean(axis=1, keepdims=True)
    centred = centred - (centred @ ramp)[:, None] / (ramp @ ramp) * ramp
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    lags = np.fft.irfft(spectrum)[:, :LONGEST_PERIOD]
    lags = lags / np.maximum(lags[:, :1], 1e-9) * n / (n - np.arange(LONGEST_PERIOD))
    past_zero = np.maximum.accumulate(lags < 0, axis=1)
    highest: Floats = np.max(np.where(past_zero, lags, 0.0), axis=1)
    return highest
