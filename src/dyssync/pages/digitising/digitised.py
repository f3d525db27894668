"""What is read off a page: each lead as drawn, where and how well, and what was found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from dyssync.arrays import Singles
from dyssync.errors import check_choice, check_range
from dyssync.layouts import LAYOUTS

FS = 500.0  # Hz, of all that is read off; finer than a column of a usual scan
Origin: TypeAlias = Literal["stated", "printed", "pulse", "assumed"]


@dataclass(frozen=True)
class Stated:
    """What the user knows of a page; None is to be found out.

    Attributes:
        layout: name in :data:`dyssync.layouts.LAYOUTS`.
        speed_mm_s: paper speed, 5-400 mm/s.
        gain_mm_mv: gain, 1-100 mm/mV.

    Raises:
        ConfigError: a value is unknown or out of range.
    """

    layout: str | None = None
    speed_mm_s: float | None = None
    gain_mm_mv: float | None = None

    def __post_init__(self) -> None:
        if self.layout is not None:
            check_choice("layout", self.layout, LAYOUTS)
        if self.speed_mm_s is not None:
            check_range("speed", self.speed_mm_s, 5.0, 400.0, "mm/s")
        if self.gain_mm_mv is not None:
            check_range("gain", self.gain_mm_mv, 1.0, 100.0, "mm/mV")


NOTHING_STATED = Stated()


@dataclass(frozen=True, eq=False)
class Part:
    """One lead in one place of a page, as drawn.

    Attributes:
        lead: standard name; the values are those of the lead, also where it is drawn upside down.
        row, column: place in the layout, from the upper left.
        rhythm: it spans all columns.
        start_s: time on the paper from the left end of the first column, s. Whether columns were
            recorded one after the other or together, the paper does not say.
        millivolts: (n,) float32, mV; NaN where nothing could be read. The zero is the median of
            the part: paper does not show where 0 mV is.
        confidence: (n,) float32, 0-1; 1 where the ink of this trace alone was seen.
        trace: (n, 2) float32, x and y in the picture, px, once it is turned by quarters to be the
            right way up; y is NaN where nothing could be read.
    """

    lead: str
    row: int
    column: int
    rhythm: bool
    start_s: float
    millivolts: Singles
    confidence: Singles
    trace: Singles


@dataclass(frozen=True)
class Scale:
    """Paper speed and gain, and where they are known from.

    Attributes:
        speed_mm_s: mm/s.
        gain_mm_mv: mm/mV, of all rows.
        speed_from, gain_from: stated by the user, printed on the page, its pulse, or assumed
            (25 mm/s and 10 mm/mV).
    """

    speed_mm_s: float
    gain_mm_mv: float
    speed_from: Origin
    gain_from: Origin


@dataclass(frozen=True)
class Geometry:
    """How the page lies in the picture.

    Attributes:
        px_per_mm: scale across and down of the page made flat, in which traces are followed.
        turned: degrees by which the picture was turned, clockwise, quarter turns included.
        slack_mm: SD of the grid lines about the surface that was fitted to them; NaN without grid.
        coherence: how well they agree with it, 0-1; 0 without a grid.
    """

    px_per_mm: tuple[float, float]
    turned: float
    slack_mm: float
    coherence: float


@dataclass(frozen=True)
class Quality:
    """How far the reading can be believed.

    Attributes:
        seen: share of the samples that were read, not bridged.
        crowded: share of the way of the pen, up and down, that ink of other traces hides; of the
            lead with most of it, 0-1.
        limb_residual: worst of the columns that show three limb leads or more: what Einthoven and
            Goldberger leave unexplained, 0-1; NaN where no column does.
        strip: how nearly the rhythm strip repeats the same lead beside it, worst, at most 1; NaN
            where there is none.
        names: share of the leads whose printed name was read at its place.
        score: all of that in one number, 0-1.
    """

    seen: float
    crowded: float
    limb_residual: float
    strip: float
    names: float
    score: float


@dataclass(frozen=True, eq=False)
class Digitised:
    """An ECG read off a page.

    Attributes:
        parts: leads as drawn, row by row.
        fs: sampling rate of all parts, Hz.
        layout: name of the layout, or what it looks like ("3x4+V1") where it has none.
        scale: paper speed and gain.
        geometry: of the page in the picture.
        quality: how far it can be believed.
        warnings: what the reader should know, a sentence each.
        exact: whether lines were read as a program wrote them, instead of ink in a picture.
    """

    parts: tuple[Part, ...]
    fs: float
    layout: str
    scale: Scale
    geometry: Geometry
    quality: Quality
    warnings: tuple[str, ...]
    exact: bool = False

    @property
    def leads(self) -> tuple[str, ...]:
        """Different leads on the page, in their order on it."""
        return tuple(dict.fromkeys(part.lead for part in self.parts))
