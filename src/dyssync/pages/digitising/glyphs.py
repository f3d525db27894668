"""Short words that pages bear of their scale, paper speed and gain; told apart by their shapes.

No network and no foreign engine: each word of a small list is drawn in the fonts that come with
the plotting library, and what is found on a page is compared with all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import files

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dyssync.arrays import Floats, Singles, Strings

SPEEDS, GAINS = ("25", "50", "100", "12.5"), ("10", "5", "20", "2.5")
SPEED_UNITS, GAIN_UNITS = ("mm/s", "mm/sec"), ("mm/mV",)
SCALE_WORDS = tuple(
    dict.fromkeys((
        *SPEEDS, *GAINS, *SPEED_UNITS, *GAIN_UNITS,
        *(n + unit for n in SPEEDS for unit in SPEED_UNITS),
        *(n + unit for n in GAINS for unit in GAIN_UNITS),
    ))
)  # fmt: skip
FONTS = (
    "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf",
    "DejaVuSansMono.ttf", "STIXGeneral.ttf", "STIXGeneralBol.ttf", "cmss10.ttf", "cmr10.ttf",
)  # fmt: skip
BOX = (24, 40)  # px to which every word is stretched; its shape is compared, then its proportions
DRAWN_PX = 48
STRETCH_COST = 0.35  # of the likeness, for each factor e between the proportions (chosen)


@dataclass(frozen=True, eq=False)
class Bank:
    """Words as pictures: (n, pixels) of mean zero and length one, their proportions and texts."""

    shapes: Singles
    proportions: Floats
    texts: tuple[str, ...]


@lru_cache(maxsize=1)
def bank_of(words: tuple[str, ...]) -> Bank:
    """Return all words in all fonts."""
    shapes, proportions, texts = [], [], []
    for font in _fonts():
        for word in words:
            picture = _drawn(word, font)
            shapes.append(shape_of(picture))
            proportions.append(picture.shape[1] / picture.shape[0])
            texts.append(word)
    return Bank(np.stack(shapes), np.array(proportions), tuple(texts))


def _fonts() -> list[ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    there = {path.name: path for path in files("matplotlib") or ()}
    found = [
        ImageFont.truetype(str(there[name].locate()), DRAWN_PX) for name in FONTS if name in there
    ]
    return [*found, ImageFont.load_default(size=DRAWN_PX)]


def _drawn(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Singles:
    left, top, right, bottom = font.getbbox(word)
    size = int(right - left) + 8, int(bottom - top) + 8
    picture = Image.new("L", size, 0)
    ImageDraw.Draw(picture).text((4 - left, 4 - top), word, fill=255, font=font)
    ink = np.asarray(picture, np.float32) / 255
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0.3), np.flatnonzero(ink.max(axis=0) > 0.3)
    cut: Singles = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    return cut


def shape_of(ink: Singles) -> Singles:
    """Return the picture of a word, cut to its ink, as a vector of mean zero and length one."""
    how = cv2.INTER_AREA if ink.shape[0] > BOX[0] else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(ink, (BOX[1], BOX[0]), interpolation=how), np.float32)
    # fonts differ by a pixel here and there
    soft = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.float32).ravel()
    centred = soft - soft.mean()
    shape: Singles = (centred / max(float(np.linalg.norm(centred)), 1e-6)).astype(np.float32)
    return shape


def likeness(shapes: Singles, proportions: Floats, bank: Bank) -> tuple[Floats, Strings]:
    """Return how alike each picture is to each different word, in its best font.

    Args:
        shapes: (n, pixels) of :func:`shape_of`.
        proportions: (n,) width over height of what was cut out.
        bank: the words.

    Returns:
        (n, words) likeness, 1 is the same; and the words.
    """
    alike = shapes @ bank.shapes.T
    alike = alike - STRETCH_COST * np.abs(np.log(proportions[:, None] / bank.proportions[None]))
    words, which = np.unique(np.array(bank.texts), return_inverse=True)
    best = np.full((len(shapes), len(words)), -1.0)
    for column, word in enumerate(which):
        best[:, word] = np.maximum(best[:, word], alike[:, column])
    return best, words


def best_words(alike: Floats, words: Strings) -> Sequence[tuple[str, float]]:
    """Return of each picture the likest word and its likeness."""
    first = alike.argmax(axis=1)
    return [(str(words[word]), float(row[word])) for word, row in zip(first, alike, strict=True)]
