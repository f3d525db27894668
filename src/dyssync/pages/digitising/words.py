"""Words of a flat page: what one is, and the scale where it is printed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dyssync.arrays import Ints, Singles
from dyssync.pages.digitising.glyphs import (
    GAIN_UNITS,
    SCALE_WORDS,
    SPEED_UNITS,
    bank_of,
    best_words,
    likeness,
    shape_of,
)

LETTER_MM = (1.1, 7.5)  # height of letters
WIDEST_MM = 26.0  # of a word
GAP = 0.55  # between letters of one word, of their height
ALIKE = 0.72  # likeness from which a word is taken for one of the scale, of 1 (chosen)
MOST_WORDS = 1500  # a page of text has more; nothing is read there


@dataclass(frozen=True)
class Word:
    """A word of a page.

    Attributes:
        text: what it reads.
        alike: how well, at most 1.
        left, top, right, bottom: px of the flat page.
    """

    text: str
    alike: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        """Height of its middle, px."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class PrintedScale:
    """Paper speed (mm/s) and gain (mm/mV) as the page says; None where it does not."""

    speed: float | None = None
    gain: float | None = None


def read_scale(cover: Singles, least: float, px_per_mm: tuple[float, float]) -> PrintedScale:
    """Return the scale of a page where it is printed.

    Args:
        cover: (h, w) share of ink.
        least: cover that tells ink from grid.
        px_per_mm: scale across and down.
    """
    boxes = _word_boxes(cover, least, px_per_mm)
    if not len(boxes) or len(boxes) > MOST_WORDS:
        return PrintedScale()
    cuts = [cover[top:bottom, left:right] for left, top, right, bottom in boxes]
    shapes = np.stack([shape_of(cut) for cut in cuts])
    stretch = px_per_mm[1] / px_per_mm[0]
    proportions = np.array([cut.shape[1] / cut.shape[0] * stretch for cut in cuts])
    scales = best_words(*likeness(shapes, proportions, bank_of(SCALE_WORDS)))
    printed = [
        Word(text, alike, *(float(edge) for edge in box))
        for (text, alike), box in zip(scales, boxes, strict=True)
        if alike >= ALIKE
    ]
    return _scale_of(printed)


def _word_boxes(cover: Singles, least: float, px_per_mm: tuple[float, float]) -> Ints:
    """Return left, top, right, bottom of everything that may be a word, (n, 4) px."""
    ink = (cover >= least).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    parts = stats[1:].astype(np.int64)
    across, down = px_per_mm
    tall, wide = parts[:, 3] / down, parts[:, 2] / across
    letters = parts[
        (tall >= 0.25) & (tall <= LETTER_MM[1]) & (wide <= WIDEST_MM) & (parts[:, 4] >= 3)
    ]
    if len(letters) > 8 * MOST_WORDS:
        return np.zeros((0, 4), np.int64)
    boxes = letters[:, :4].copy()
    boxes[:, 2:] += boxes[:, :2]
    joined = _joined(boxes[np.argsort(boxes[:, 0], kind="stable")])
    tall, wide = (joined[:, 3] - joined[:, 1]) / down, (joined[:, 2] - joined[:, 0]) / across
    return joined[(tall >= LETTER_MM[0]) & (tall <= LETTER_MM[1]) & (wide <= WIDEST_MM)]


def _joined(boxes: Ints) -> Ints:
    """Return letters joined to words: side by side, at one height, closely spaced."""
    words: list[list[int]] = []
    open_words: list[int] = []
    for left, top, right, bottom in boxes.tolist():
        chosen = -1
        for index in reversed(open_words):
            word = words[index]
            height = max(word[3] - word[1], bottom - top)
            overlap = min(word[3], bottom) - max(word[1], top)
            near = left - word[2] <= GAP * height
            if near and overlap >= 0.5 * min(word[3] - word[1], bottom - top):
                chosen = index
                break
        if chosen < 0:
            words.append([left, top, right, bottom])
            open_words.append(len(words) - 1)
        else:
            word = words[chosen]
            word[1], word[2] = min(word[1], top), max(word[2], right)
            word[3] = max(word[3], bottom)
        # Words whose end lies far to the left cannot grow any more.
        open_words = [i for i in open_words if left - words[i][2] < 60]
    return np.array(words, np.int64).reshape(-1, 4)


def _scale_of(words: list[Word]) -> PrintedScale:
    """Return speed and gain from words such as "25mm/s", or a number with a unit to its right."""
    found: dict[str, list[tuple[float, float]]] = {"speed": [], "gain": []}
    for word in words:
        for kind, units in (("speed", SPEED_UNITS), ("gain", GAIN_UNITS)):
            unit = next((unit for unit in units if word.text.endswith(unit)), None)
            if unit is None:
                continue
            number, alike = word.text.removesuffix(unit), word.alike
            if not number:
                before = _number_before(words, word)
                if before is None:
                    continue
                number, alike = before.text, min(alike, before.alike)
            found[kind].append((alike, float(number)))
    speed, gain = found["speed"], found["gain"]
    several = len({value for _, value in gain}) > 1  # limb and chest leads at gains of their own
    return PrintedScale(
        max(speed)[1] if speed else None, max(gain)[1] if gain and not several else None
    )


def _number_before(words: list[Word], unit: Word) -> Word | None:
    near = [
        word
        for word in words
        if word.text.replace(".", "").isdigit()
        and 0 <= unit.left - word.right <= 1.5 * (unit.bottom - unit.top)
        and min(word.bottom, unit.bottom) - max(word.top, unit.top) > 0
    ]
    return max(near, key=lambda word: word.right, default=None)
