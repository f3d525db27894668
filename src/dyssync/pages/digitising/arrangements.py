"""Arrangements of leads that a page may have: our layouts, with any strips below them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dyssync.layouts import LAYOUTS, Layout, Panel

MOST_STRIPS = 3


@dataclass(frozen=True)
class Arrangement:
    """Which lead stands where, strips left open.

    Attributes:
        name: of the layout without its strips ("3x4").
        panels: of one column each.
        n_rows, n_columns: of these panels.
        n_strips: rows below that span all columns.
        strips: leads of the strips, where a layout or the user says so.
    """

    name: str
    panels: tuple[Panel, ...]
    n_rows: int
    n_columns: int
    n_strips: int
    strips: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """All rows."""
        return self.n_rows + self.n_strips


def arrangements_for(n_rows: int, layout: str | None) -> tuple[Arrangement, ...]:
    """Return the arrangements that a page of `n_rows` rows may have.

    Args:
        n_rows: rows of traces that were found; some may be text.
        layout: the only one, by name, if the user says so.
    """
    if layout is not None:
        return (_arranged(LAYOUTS[layout], exact=True),)
    return tuple(entry for entry in _known() if n_rows - 2 <= entry.rows <= n_rows)


def layout_name(arrangement: Arrangement, strips: tuple[str, ...]) -> str:
    """Return the name of the layout with these strips, or one made up in the same manner."""
    panels = {(panel.label, panel.row, panel.column) for panel in arrangement.panels}
    for name in LAYOUTS:
        layout = LAYOUTS[name]
        cells = {(p.label, p.row, p.column) for p in layout.panels if not p.rhythm}
        if cells == panels and tuple(p.lead for p in layout.panels if p.rhythm) == strips:
            return name
    return "+".join([arrangement.name, *strips])


@lru_cache(maxsize=1)
def _known() -> tuple[Arrangement, ...]:
    found: dict[frozenset[tuple[str, int, int]], Arrangement] = {}
    for name in LAYOUTS:
        entry = _arranged(LAYOUTS[name], exact=False)
        key = frozenset((p.label, p.row, p.column) for p in entry.panels)
        found.setdefault(key, entry)
    # Strips below a single column would be rows like the others.
    return tuple(
        Arrangement(entry.name, entry.panels, entry.n_rows, entry.n_columns, strips)
        for entry in found.values()
        for strips in range(MOST_STRIPS + 1 if entry.n_columns > 1 else 1)
    )


def _arranged(layout: Layout, *, exact: bool) -> Arrangement:
    cells = tuple(panel for panel in layout.panels if not panel.rhythm)
    strips = tuple(panel.lead for panel in layout.panels if panel.rhythm) if exact else ()
    return Arrangement(
        layout.name.split("+")[0],
        cells,
        1 + max(panel.row for panel in cells),
        layout.n_columns,
        len(strips),
        strips,
    )
