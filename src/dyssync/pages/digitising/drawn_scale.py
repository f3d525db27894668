"""Speed and gains of a drawn page: as stated, as its words say, or the usual ones."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from dyssync.errors import FormatError
from dyssync.image import Drawing
from dyssync.layouts import GAIN_MM_MV, SPEED_MM_S
from dyssync.pages.digitising.digitised import Origin, Scale, Stated
from dyssync.pages.digitising.lines import (
    MOST_SCALED,
    grid_among,
    millimetre_of,
    pulses_among,
)

BY_PULSE = "no grid is drawn: the scale is that of the calibration pulse alone"
ALIKE = 0.02  # share by which pulses of one page may differ
# Digits, and what stands between two gains, are bounded (chosen): a long text would be gone through
# again from each of its places.
NUMBER = r"(?<!\d)(\d{1,4}(?:\.\d{1,4})?)\s*"
RANGES = {"mm/s": (5.0, 400.0), "mm/mV": (1.0, 100.0)}  # what else is printed is no scale
TWO_GAINS = re.compile(rf"limb\s+{NUMBER}mm/mV.{{0,80}}?chest\s+{NUMBER}mm/mV", re.IGNORECASE)


@dataclass(frozen=True)
class DrawnScale:
    """How large a second and a mV are on a page.

    Attributes:
        scale: speed and gain; the latter of the limb leads, where chest leads have their own.
        chest_gain: mm/mV.
        mm: length of 1 mm of the paper on the page, mm; None where neither a grid nor a pulse
            says so.
        warnings: what the reader should know.
    """

    scale: Scale
    chest_gain: float
    mm: float | None
    warnings: tuple[str, ...]

    @property
    def mm_per_s(self) -> float:
        """Length of a second on the page, mm."""
        return (self.mm or math.nan) * self.scale.speed_mm_s

    def mm_per_mv(self, *, limb: bool) -> float:
        """Return the height of 1 mV of a limb lead, or a chest lead, mm of the page."""
        return (self.mm or math.nan) * (self.scale.gain_mm_mv if limb else self.chest_gain)


def find_drawn_scale(drawing: Drawing, stated: Stated) -> DrawnScale:
    """Return the scale of a page.

    Raises:
        FormatError: what is printed contradicts what is stated, or itself.
    """
    text = " ".join(word.text for word in drawing.words)
    problems: list[str] = []
    warnings: list[str] = []
    speed = _settled("speed", "mm/s", stated.speed_mm_s, SPEED_MM_S, text, problems, warnings)
    two = TWO_GAINS.search(text) if stated.gain_mm_mv is None else None
    gain: tuple[float, Origin]
    low, high = RANGES["mm/mV"]
    if two is not None and all(low <= float(value) <= high for value in two.groups()):
        gain, chest = (float(two[1]), "printed"), float(two[2])
        warnings.append(f"chest leads are drawn at {chest:g} mm/mV, limb leads at {gain[0]:g}")
    else:
        gain = _settled("gain", "mm/mV", stated.gain_mm_mv, GAIN_MM_MV, text, problems, warnings)
        chest = gain[0]
    if problems:
        raise FormatError("page cannot be digitised: " + "; ".join(problems))
    scale = Scale(speed[0], gain[0], speed[1], gain[1])
    mm = millimetre_of(drawing.lines)
    if mm is None and not grid_among(drawing.lines):
        mm = _millimetre_by_pulses(drawing, (gain[0], chest))
        warnings.append(BY_PULSE)
    return DrawnScale(scale, chest, mm, tuple(warnings))


def _millimetre_by_pulses(drawing: Drawing, gains: tuple[float, float]) -> float | None:
    """Return how long 1 mm of the paper is by the height of the calibration pulses."""
    heights = np.array(pulses_among(drawing.lines))
    if not len(heights):
        return None
    both = heights[:, None] / np.array(gains)
    lengths = both[np.arange(len(both)), np.abs(np.log(both)).argmin(axis=1)]
    length = float(np.median(lengths))
    usual = 1 / MOST_SCALED <= length <= MOST_SCALED
    return length if usual and np.ptp(lengths) <= ALIKE * length else None


def _settled(
    name: str,
    unit: str,
    said: float | None,
    usual: float,
    text: str,
    problems: list[str],
    warnings: list[str],
) -> tuple[float, Origin]:
    """Return a value and where it is from; contradictions and guesses are written down."""
    found = (float(value) for value in re.findall(rf"{NUMBER}{unit}\b", text))
    printed = {value for value in found if RANGES[unit][0] <= value <= RANGES[unit][1]}
    if said is not None:
        for value in sorted(printed - {said}):
            problems.append(f"{name} {said:g} {unit} is stated, {value:g} {unit} is printed")
        return said, "stated"
    if len(printed) > 1:
        several = " and ".join(f"{value:g}" for value in sorted(printed))
        problems.append(f"{name} {several} {unit} are printed; state the {name}")
    if printed:
        return min(printed), "printed"
    warnings.append(f"{name} is not to be read on the page: {usual:g} {unit} is assumed")
    return usual, "assumed"
