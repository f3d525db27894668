"""A picture of an ECG page, and what models are given: a signal or such a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from dyssync.arrays import Bytes, Floats
from dyssync.ecg import ECG, Sex, Source
from dyssync.errors import FormatError, TooLarge

# A4 at 600 dpi has 34.8 million pixels; each costs about 12 bytes while it is decoded.
MAX_PIXELS = 36_000_000
MIN_SIDE_PX = 32  # smaller is an icon
MAX_SIDE_PX = 30_000


@dataclass(frozen=True)
class PrintedWord:
    """A word of a page, and left, top, right, bottom of it, mm from the upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, eq=False)
class Drawing:
    """Lines and words of a page that a program drew, instead of its pixels.

    Attributes:
        size_mm: width and height of the page.
        lines: each (n, 2) float64, x and y in mm from the upper left corner.
        words: as they are written.
    """

    size_mm: tuple[float, float]
    lines: tuple[Floats, ...]
    words: tuple[PrintedWord, ...]


@dataclass(frozen=True, eq=False)
class ECGImage:
    """A picture of an ECG page; an input in its own right.

    Attributes:
        pixels: (height, width, 3) uint8, RGB, read-only; upright as its EXIF data say.
        patient_id: whose; a picture does not say, a cohort table does.
        age: years, if somebody says so beside the picture.
        sex: "F" or "M", likewise.
        clinical: what is said of the patient beside the picture, by name.
        source: file name, format and digest.
        notes: what the reader wants to say (page of how many).
        drawing: of a page of a PDF, what it was drawn from; None of others.
        ecg: what the page shows, where it was read off (:mod:`dyssync.pages.reading_off`).
        unread: why it could not be read off; "" where it was, or was not tried.
    """

    pixels: Bytes
    patient_id: str | None = None
    source: Source = field(default_factory=Source)
    notes: Mapping[str, str] = field(default_factory=dict)
    age: float | None = None
    sex: Sex | None = None
    clinical: Mapping[str, float] = field(default_factory=dict)
    drawing: Drawing | None = None
    ecg: ECG | None = None
    unread: str = ""

    def __post_init__(self) -> None:
        pixels = np.ascontiguousarray(self.pixels, dtype=np.uint8)
        if pixels.ndim != 3 or pixels.shape[2] != 3:
            raise FormatError(f"picture has shape {pixels.shape}; (height, width, 3) is needed")
        check_size(pixels.shape[1], pixels.shape[0])
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.pixels.flags.writeable = False  # which pickling forgets


def check_size(width: int, height: int) -> None:
    """Refuse sizes that no ECG page has, before any pixel is decoded.

    Raises:
        FormatError: too small, too long, or too many pixels.
    """
    if min(width, height) < MIN_SIDE_PX:
        raise FormatError(f"picture is {width} x {height} px; at least {MIN_SIDE_PX} px are needed")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise TooLarge(
            f"picture is {width} x {height} px; at most {MAX_PIXELS / 1e6:.0f} million pixels are "
            "read. Scan it at 300 dpi, or scale it down"
        )


Input: TypeAlias = ECG | ECGImage  # what models are given; those of signals need `ecg_of`


def ecg_of(x: Input) -> ECG | None:
    """Return a recording itself, or what was read off a picture; None where nothing was."""
    return x if isinstance(x, ECG) else x.ecg
