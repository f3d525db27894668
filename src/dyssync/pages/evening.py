"""A user's own picture of an ECG as a network sees it: light evened out, ink black, fitted."""

from __future__ import annotations

import cv2
import numpy as np

from dyssync.rendering.engine import engine
from dyssync.rendering.geometry import check_size
from dyssync.rendering.rendered import Picture, as_picture

KEPT = 1000  # px of the longer side; networks look at a fraction of it, cohorts hold thousands
DARK_MEDIAN = 90  # a picture darker than this is a monitor: light traces on black
MOST_INK = 0.055  # of a page: twelve restless traces of 250 mm in a pen of 0.4 mm cover a twentieth
# Grey values by which a blue pen is bluer than it is red or green, and below which it is either, on
# so much of a page; a blue grid is paler, or there is more of it than of any pen.
BLUER, DARK, LEAST_BLUE = 50, 110, 0.002
INK_DARKEST = 0.005  # of pixels; as dark as these is black


def shrink_page(pixels: Picture) -> Picture:
    """Return the page with a longer side of :data:`KEPT` px at most, (h, w, 3) RGB uint8."""
    scale = KEPT / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = (max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1))
    return as_picture(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def light_side(pixels: Picture) -> Picture:
    """Turn a monitor's light traces on black into ink on paper."""
    return 255 - pixels if np.median(pixels) < DARK_MEDIAN else pixels


def ink_channel(pixels: Picture) -> Picture:
    """Return a channel in which ink is dark and a coloured grid is not, (H, W) uint8.

    Ink is dark in all three; a blue pen is dark in two of them.

    Args:
        pixels: (H, W, 3) RGB uint8.
    """
    red_green, blue = pixels[..., :2].max(axis=2), pixels[..., 2]
    share = float(((cv2.subtract(blue, red_green) > BLUER) & (red_green < DARK)).mean())
    is_pen = LEAST_BLUE < share <= MOST_INK
    return as_picture(red_green if is_pen else np.maximum(red_green, blue))


def interpolation_of(scale: float) -> int:
    """Return how OpenCV is to resize by `scale`."""
    return cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR


def flatten_paper(image: Picture) -> Picture:
    """Return the picture in grey with its light evened out: paper is 255, coloured grids are pale.

    Args:
        image: (H, W, channels) uint8, dark ink on lighter paper.
    """
    grey = ink_channel(image) if image.shape[2] > 1 else np.ascontiguousarray(image[:, :, 0])
    half = max(round(image.shape[1] / 80), 3)  # a trace is thinner, a shadow is wider
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((1 + 2 * half,) * 2, np.uint8))
    # Light changes slowly: it is smoothed on as few pixels as hold it.
    height, width = grey.shape
    few = (max(round(width / (half + 1)), 1), max(round(height / (half + 1)), 1))
    small = cv2.blur(cv2.resize(paper, few, interpolation=cv2.INTER_AREA), (3, 3))
    return as_picture(cv2.divide(grey, cv2.resize(small, (width, height)), scale=255))


def prepare_picture(pixels: Picture, size: tuple[int, int]) -> Picture:
    """Return what a network sees of a user's picture, in the look of a training view.

    Grey with even light, ink stretched to black, thin lines kept visible, and fitted into the size
    with its aspect ratio on white.

    Args:
        pixels: (H, W, 3) RGB uint8.
        size: height and width of the result, px.

    Returns:
        (height, width) uint8.
    """
    height, width = check_size(size)
    grey = flatten_paper(light_side(pixels))
    scale = min(height / grey.shape[0], width / grey.shape[1])
    # A line of two pixels would fade to nothing: it is drawn as wide as a pixel of the result.
    reach = round(1 / scale) - 1
    if reach > 1:
        grey = as_picture(cv2.erode(grey, np.ones((reach, reach), np.uint8)))
    shape = (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1))
    small = as_picture(cv2.resize(grey, shape, interpolation=interpolation_of(scale)))
    small = clean_picture(small)
    fitted = np.full(size, 255, np.uint8)
    top, left = (height - shape[1]) // 2, (width - shape[0]) // 2
    fitted[top : top + shape[1], left : left + shape[0]] = small
    return fitted


def clean_picture(image: Picture) -> Picture:
    """Return a small grey picture with even light: paper white, ink stretched to black.

    A dense grid has become an even grey by now, and goes with the shadows.

    Args:
        image: (H, W) uint8, at the size a network sees.
    """
    flat = flatten_paper(image[:, :, None])
    low = engine().grey_at_share(flat, INK_DARKEST)
    high = max(0.9 * 255, low + 1)
    levels = np.clip((np.arange(256) - low) * (255 / (high - low)), 0, 255)
    return as_picture(cv2.LUT(flat, np.rint(levels).astype(np.uint8)))
