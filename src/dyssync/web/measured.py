"""Rows of the page's tables of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dyssync.inspection.findings import COMPARED, OWN, Findings
from dyssync.inspection.wording import NONE, TITLES, conduction, measured, rhythm, shown
from dyssync.measurements.measurement import GROUPS


@dataclass(frozen=True)
class Row:
    """What it is, here, by the recorder; "" where that says nothing of it."""

    title: str
    unit: str
    here: str
    recorder: str = ""


def main_rows(found: Findings) -> tuple[Row, ...]:
    """Return what a cardiologist looks for first, beside what the recorder printed."""
    theirs = found.recorder
    values = found.measurements
    compared = [
        Row(title, unit, measured(values, name), theirs.get(key, ""))
        for title, unit, name, key in COMPARED
    ]
    own = [Row(title, unit, measured(values, name)) for title, unit, name in OWN]
    words = [Row("conduction", "", conduction(values)), Row("rhythm", "", rhythm(values))]
    return (*compared, *own, *words)


def rest_rows(found: Findings) -> Sequence[tuple[str, Sequence[Row]]]:
    """Return all measurements by group; what is not defined here is left out."""
    values = found.measurements
    groups = []
    for group in GROUPS:
        rows = [
            Row(d.name, "" if d.unit == "0/1" else d.unit, shown(values[d.name], d.unit))
            for d in group.DEFINITIONS
        ]
        title = TITLES[group.__name__.rpartition(".")[2]]
        groups.append((title, [row for row in rows if row.here != NONE]))
    return groups
