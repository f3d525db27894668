"""What a renderer hands back: the picture, and where each lead is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats

Picture: TypeAlias = npt.NDArray[np.uint8]


def as_picture(image: npt.ArrayLike) -> Picture:
    """Return what OpenCV computed as the type that it is: no copy of uint8."""
    return np.asarray(image, np.uint8)


@dataclass(frozen=True)
class LeadBox:
    """Where one lead stands in a picture, and its scale there.

    Pixel coordinates run from the outer edge of the first pixel (0) to that of the last (W, H); the
    centre of the pixel in row i and column j is at x = j + 0.5, y = i + 0.5.

    Attributes:
        lead: standard name.
        x0, y0, x1, y1: corners, px; hold the cell of the lead and all of its trace.
        start_s, stop_s: time in the recording at x0 and x1, s.
        px_per_s: pixels a second.
        px_per_mv: pixels a millivolt; negative where the lead is drawn upside down (-aVR).
        baseline_px: y of 0 mV, px.
        rhythm: the lead is a rhythm strip.
    """

    lead: str
    x0: float
    y0: float
    x1: float
    y1: float
    start_s: float
    stop_s: float
    px_per_s: float
    px_per_mv: float
    baseline_px: float
    rhythm: bool = False

    def seconds_at(self, x: npt.ArrayLike) -> Floats:
        """Return the time in the recording at `x` (px), s; same shape, float64."""
        return self.start_s + (np.asarray(x, np.float64) - self.x0) / self.px_per_s

    def millivolts_at(self, y: npt.ArrayLike) -> Floats:
        """Return the voltage at `y` (px), mV; same shape, float64."""
        return (self.baseline_px - np.asarray(y, np.float64)) / self.px_per_mv


@dataclass(frozen=True, eq=False)
class Rendered:
    """A picture of an ECG.

    Attributes:
        image: (H, W) grey or (H, W, 3) RGB uint8, white background.
        boxes: one for each lead drawn, in the order of the layout; empty if not asked for.
        px_per_mm: scale of the paper, px/mm.
    """

    image: Picture
    boxes: tuple[LeadBox, ...] = ()
    px_per_mm: float = 1.0
