"""The grid of the paper: how wide its squares are in the picture, and how it is turned.

Lines at equal distances are peaks in the spectrum of small squares of the picture, whatever their
colour. Two families of lines, a coarse one every 5 mm and a fine one every 1 mm, share one comb of
harmonics; a paper with only one of them is told by the size that the page would otherwise have.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.pages.digitising.ink import Ink
from dyssync.pages.evening import MOST_INK
from dyssync.rendering.rendered import Picture, as_picture

TILE = 256  # px
LONG_SIDE = 1600  # px to which large pictures are brought here: 6 px a mm of a usual page
# A page is between these wide or high on its longer side (chosen), and so is a part cut from one; a
# factor below 5 together, so that squares of 1 mm and of 5 mm are never taken for each other.
PAGE_MM, PART_MM = (180.0, 470.0), (95.0, 180.0)
TURN_LIMIT = 14.0  # degrees
ASPECT = (0.8, 1.25)  # of squares: scanners, screens and hasty photos stretch pages
COARSE_HARMONICS = (1, 2, 3, 4, 6, 7)  # of the 5-mm lines alone
FINE_HARMONICS = (5, 10)  # of both families
FINE_WEIGHT = 2.0  # of each of these, relative to the others (chosen)
CLEAR = 4.0  # mean height of a comb over the spectrum around it; worn white paper stays below 3
# Lines are at least so much darker than paper, on so much of a page. Clean white paper has nothing
# there (share 0) but the edges of its blanked traces, which lie at equal distances too. Grids have
# 8 % and more on 59 pages of ours, .5 % at least on 45 scans and photos; worn white paper has up to
# 6 % of creases and stains, so it is the lattice that must tell it from a grid.
LINE_GREY, LEAST_LINES = 4.0, 0.001
BLANKED = 0.4  # cover from which a pixel is that of a trace
FINEST_BLUR = 4.0  # px; a wider blur is made of fewer pixels
_RISE_LIMIT = 40.0  # grey values; a trace is not to outweigh the lines


@dataclass(frozen=True)
class Lattice:
    """The squares of the paper.

    Attributes:
        across, down: cycles a pixel in x and y (two numbers each) of the 5-mm lines that stand
            upright and of those that lie level.
        clear: how far both combs stand out of the spectrum; 1 is not at all.
    """

    across: tuple[float, float]
    down: tuple[float, float]
    clear: float

    @property
    def px_per_mm(self) -> tuple[float, float]:
        """Scale across and down the page, px/mm."""
        return 1 / (5 * float(np.hypot(*self.across))), 1 / (5 * float(np.hypot(*self.down)))

    @property
    def turned(self) -> float:
        """By how many degrees the page is turned clockwise."""
        return float(np.degrees(np.arctan2(self.across[1], self.across[0])))

    @property
    def is_clear(self) -> bool:
        """Whether there is a grid at all."""
        return self.clear >= CLEAR


def grid_detail(pixels: Picture, ink: Ink) -> Singles:
    """Return how much darker each pixel is than the paper around it, traces and letters blanked.

    Args:
        pixels: (H, W, 3) RGB uint8.
        ink: of it.

    Returns:
        (H, W) float32, grey values, about zero where there is no line.
    """
    darkest = pixels.min(axis=2)  # coloured lines are dark in some channel
    around = _blurred(darkest, max(pixels.shape[:2]) / 100)
    detail = np.asarray(cv2.subtract(around, darkest, dtype=cv2.CV_32F), np.float32)
    np.clip(detail, -_RISE_LIMIT, _RISE_LIMIT, out=detail)
    dark = ink.cover > BLANKED
    if dark.mean() > MOST_INK:  # more than any pen could write: a grid of dark lines
        dark = ink.cover > ink.sure
    blank = cv2.dilate(dark.astype(np.uint8), np.ones((5, 5), np.uint8))
    detail[blank > 0] = 0
    return detail


def _blurred(grey: Picture, sigma: float) -> Picture:
    """Return a picture without what is smaller than `sigma` px; found on fewer pixels."""
    height, width = grey.shape
    step = max(int(sigma / FINEST_BLUR), 1)
    few = max(width // step, 1), max(height // step, 1)
    small = cv2.resize(grey, few, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return as_picture(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR))


def has_lines(detail: Singles) -> bool:
    """Return whether anything beside traces and letters is darker than paper.

    Args:
        detail: of :func:`grid_detail`.
    """
    return float((detail > LINE_GREY).mean()) >= LEAST_LINES


def find_lattice(detail: Singles, long_mm: tuple[float, float]) -> Lattice:
    """Return the lattice that explains the lines of a picture best.

    Args:
        detail: of :func:`grid_detail`.
        long_mm: range of the longer side of the picture, mm.
    """
    scale = min(LONG_SIDE / max(detail.shape), 1.0)
    small = detail
    if scale < 1:
        size = (round(detail.shape[1] * scale), round(detail.shape[0] * scale))
        small = np.asarray(cv2.resize(detail, size, interpolation=cv2.INTER_AREA), np.float32)
    spectrum = _mean_spectrum(small)
    side = max(small.shape)
    lowest, highest = side / long_mm[1], side / long_mm[0]  # px/mm
    pitches = np.exp(np.arange(np.log(lowest), np.log(highest), 0.004))
    turns = np.radians(np.arange(-TURN_LIMIT, TURN_LIMIT + 0.1, 0.4))
    upright = _combs(spectrum, pitches, turns, level=False)
    level = _combs(spectrum, pitches, turns, level=True)
    a, b, clear = _best_pair(upright, level, pitches)
    across = _wave(pitches[a[0]], turns[a[1]], level=False)
    down = _wave(pitches[b[0]], turns[b[1]], level=True)
    return Lattice(_scaled(across, scale), _scaled(down, scale), clear)


def _scaled(wave: Floats, scale: float) -> tuple[float, float]:
    return float(wave[0] * scale), float(wave[1] * scale)


def _wave(px_per_mm: float, turn: float, *, level: bool) -> Floats:
    frequency = 1 / (5 * px_per_mm)
    if level:
        return frequency * np.array([-np.sin(turn), np.cos(turn)])
    return frequency * np.array([np.cos(turn), np.sin(turn)])


def _mean_spectrum(detail: Singles) -> Singles:
    """Return the amplitude spectrum of the tiles, (TILE, TILE), over that of its surroundings."""
    height, width = detail.shape
    padded = np.zeros((max(height, TILE), max(width, TILE)), np.float32)
    padded[:height, :width] = detail
    window = np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)
    total = np.zeros((TILE, TILE), np.float64)
    for top in _starts(padded.shape[0]):
        for left in _starts(padded.shape[1]):
            tile = padded[top : top + TILE, left : left + TILE]
            total += np.abs(np.fft.fft2((tile - tile.mean()) * window))
    shifted = np.fft.fftshift(total).astype(np.float32)
    around = cv2.blur(cv2.medianBlur(shifted, 5), (31, 31))
    whitened: Singles = (shifted / np.maximum(around, 1e-9)).astype(np.float32)
    return whitened


def _starts(length: int) -> list[int]:
    count = max(int(np.ceil(length / (0.75 * TILE))), 1)
    return [round(at) for at in np.linspace(0, length - TILE, count)]


def _combs(spectrum: Singles, pitches: Floats, turns: Floats, *, level: bool) -> Floats:
    """Return the mean height of the comb of each pitch and turn, (pitches, turns)."""
    total, weight = np.zeros((len(pitches), len(turns))), np.zeros((len(pitches), 1))
    for harmonic in sorted((*COARSE_HARMONICS, *FINE_HARMONICS)):
        share = FINE_WEIGHT if harmonic in FINE_HARMONICS else 1.0
        radius = harmonic / (5 * pitches[:, None])
        along, beside = radius * np.cos(turns), radius * np.sin(turns)
        x, y = (-beside, along) if level else (along, beside)
        at_x = (x * TILE + TILE // 2).astype(np.float32)
        at_y = (y * TILE + TILE // 2).astype(np.float32)
        found = cv2.remap(spectrum, at_x, at_y, cv2.INTER_LINEAR)
        seen = radius < 0.45  # of the sampling rate
        # Heights are compressed: one strong line of a spectrum is no comb.
        total += np.where(seen, share * np.sqrt(np.maximum(found, 0.0)), 0.0)
        weight += np.where(seen, share, 0.0)
    return np.square(total / weight)


def _best_pair(
    upright: Floats, level: Floats, pitches: Floats
) -> tuple[tuple[int, int], tuple[int, int], float]:
    """Return pitch and turn of both families, alike in both, and how clear the weaker is."""
    u, v = upright.max(axis=1), level.max(axis=1)
    ratio = pitches[None, :] / pitches[:, None]
    alike = (ratio >= ASPECT[0]) & (ratio <= ASPECT[1])
    both = np.where(alike, np.sqrt(u[:, None] * v[None, :]), 0.0)
    i, j = (int(k) for k in np.unravel_index(int(both.argmax()), both.shape))
    # The families stand at right angles but for perspective: the turn is that of both.
    turn = int((upright[i] * level[j]).argmax())
    return (i, turn), (j, turn), float(min(upright[i, turn], level[j, turn]))
