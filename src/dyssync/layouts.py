"""Paper layouts as data: which lead stands where, for how many seconds, at which scale.

Nothing here draws. A layout is one entry of :data:`LAYOUTS`; the drawing code never names one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

from dyssync.ecg import LEAD_INDEX, LEADS, LIMB_LEADS, PRECORDIAL_LEADS
from dyssync.errors import ConfigError, check_range
from dyssync.registry import Registry

SignalSource: TypeAlias = Literal["rhythm", "median-beat"]

SPEED_MM_S = (
    25.0  # usual paper speed and gain: Kligfield et al. 2007, 10.1161/CIRCULATIONAHA.106.180200
)
GAIN_MM_MV = 10.0
# Where the middle of the QRS stands in a panel of the median beat, of its width: P wave and PR
# before it take less room than ST and T behind it.
TILE_CENTRE_SHARE = 0.375
PAGE_MM = (279.4, 215.9)  # US letter, landscape; most cart printouts are letter or A4
# Cabrera's sequence runs by frontal angle, with -aVR at +30 degrees (Kligfield et al. 2007).
CABRERA = ("aVL", "I", "-aVR", "II", "aVF", "III")


@dataclass(frozen=True)
class Panel:
    """One lead at one place of the grid of a layout.

    Attributes:
        lead: standard name.
        row: from the top, 0 first.
        column: from the left, 0 first; 0 for a rhythm strip.
        rhythm: spans all columns.
        inverted: drawn upside down (-aVR).
    """

    lead: str
    row: int
    column: int
    rhythm: bool = False
    inverted: bool = False

    def __post_init__(self) -> None:
        if self.lead not in LEAD_INDEX:
            raise ConfigError(
                f"layout panel has lead {self.lead!r}; one of {', '.join(LEADS)} is needed"
            )

    @property
    def label(self) -> str:
        """The name printed beside the trace."""
        return f"-{self.lead}" if self.inverted else self.lead


@dataclass(frozen=True)
class Layout:
    """A page of traces.

    Attributes:
        name: its key in :data:`LAYOUTS`.
        panels: what is drawn, row by row.
        seconds: time in one panel at `speed_mm_s`, s; a rhythm strip has `n_columns` times that.
        source: the recording itself, or its median beat (the caller computes that).
        simultaneous: all columns show the same time; else each goes on where the last one stopped.
        row_mm: smallest distance of two rows of traces, mm; traces may overlap, as on paper.
        speed_mm_s: paper speed, mm/s.
        gain_mm_mv: gain, mm/mV.
        page_mm: width and height of the whole page for people, mm.
    """

    name: str
    panels: tuple[Panel, ...]
    seconds: float = 2.5
    source: SignalSource = "rhythm"
    simultaneous: bool = False
    row_mm: float = 35.0
    speed_mm_s: float = SPEED_MM_S
    gain_mm_mv: float = GAIN_MM_MV
    page_mm: tuple[float, float] = PAGE_MM

    def __post_init__(self) -> None:
        if not self.panels:
            raise ConfigError(f"layout {self.name!r} has no panels; at least one is needed")
        check_range(f"seconds of layout {self.name!r}", self.seconds, 0.1, 60.0, "s")
        check_range(f"row_mm of layout {self.name!r}", self.row_mm, 5.0, 200.0, "mm")
        check_range(f"speed_mm_s of layout {self.name!r}", self.speed_mm_s, 5.0, 400.0, "mm/s")
        check_range(f"gain_mm_mv of layout {self.name!r}", self.gain_mm_mv, 1.0, 100.0, "mm/mV")

    @cached_property
    def n_rows(self) -> int:
        """Rows of traces, rhythm strips included."""
        return 1 + max(panel.row for panel in self.panels)

    @cached_property
    def n_columns(self) -> int:
        """Columns of traces."""
        return 1 + max(panel.column for panel in self.panels)

    @property
    def column_mm(self) -> float:
        """Width of one column, mm."""
        return self.seconds * self.speed_mm_s

    @cached_property
    def area_mm(self) -> tuple[float, float]:
        """Width and height of the area of the traces, mm."""
        return self.n_columns * self.column_mm, self.n_rows * self.row_mm


def arrange(columns: Iterable[Iterable[str]], rhythm: Iterable[str] = ()) -> tuple[Panel, ...]:
    """Return panels for columns of lead names (a leading "-" inverts) over rhythm strips.

    >>> [panel.label for panel in arrange([("I", "II"), ("-aVR", "V1")], rhythm=["II"])]
    ['I', '-aVR', 'II', 'V1', 'II']
    """
    cells = [
        Panel(name.removeprefix("-"), row, column, inverted=name.startswith("-"))
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    ]
    cells.sort(key=lambda panel: (panel.row, panel.column))
    below = cells[-1].row + 1
    strips = [Panel(lead, below + i, 0, rhythm=True) for i, lead in enumerate(rhythm)]
    return (*cells, *strips)


def _split(leads: tuple[str, ...], rows: int) -> list[tuple[str, ...]]:
    return [leads[i : i + rows] for i in range(0, len(leads), rows)]


_CABRERA_12 = (*CABRERA, *PRECORDIAL_LEADS)
_3X4 = Layout("3x4", arrange(_split(LEADS, 3)), row_mm=40.0)
_6X2 = Layout("6x2", arrange([LIMB_LEADS, PRECORDIAL_LEADS]), seconds=5.0, row_mm=28.0)
_12X1 = Layout("12x1", arrange([LEADS]), seconds=10.0, row_mm=16.0)
# 40 ms, the width of a QRS notch, is one pixel in a 3x4 page 224 pixels wide, and three here.
_TILES = Layout(
    "tiles",
    arrange(_split(LEADS, 3)),
    seconds=0.8,
    source="median-beat",
    simultaneous=True,
    row_mm=32.0,
    speed_mm_s=50.0,
    page_mm=(200.0, 150.0),
)

_BUILT_IN = (
    _3X4,
    Layout("3x4+II", arrange(_split(LEADS, 3), ["II"]), row_mm=35.0),
    Layout("3x4+3R", arrange(_split(LEADS, 3), ["V1", "II", "V5"]), row_mm=28.0),
    replace(_3X4, name="3x4-simultaneous", simultaneous=True),
    Layout("3x4-cabrera", arrange(_split(_CABRERA_12, 3)), row_mm=40.0),
    Layout("4x3", arrange(_split(LEADS, 4)), seconds=10 / 3, row_mm=35.0),
    _6X2,
    Layout("6x2+II", arrange([LIMB_LEADS, PRECORDIAL_LEADS], ["II"]), seconds=5.0, row_mm=25.0),
    replace(_6X2, name="6x2-cabrera", panels=arrange([CABRERA, PRECORDIAL_LEADS])),
    _12X1,
    replace(_12X1, name="12x1-cabrera", panels=arrange([_CABRERA_12])),
    _TILES,
    # QRS only: the same width for half the time.
    replace(_TILES, name="tiles-qrs", seconds=0.4, speed_mm_s=100.0),
)

LAYOUTS: Registry[Layout] = Registry("layout", {layout.name: layout for layout in _BUILT_IN})
