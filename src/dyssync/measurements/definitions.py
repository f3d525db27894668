"""What a measurement is called, in which unit, how it is defined and who says so."""

from __future__ import annotations

from dataclasses import dataclass

from dyssync.ecg import LEADS


@dataclass(frozen=True)
class Definition:
    """One entry of the dictionary.

    Attributes:
        id: entry of the feature list (f01-f33) it belongs to.
        name: of the measurement, with the unit as suffix where there is one.
        unit: ms, mV, uVs, deg, 1/min, 0/1, or "" for a ratio or a count.
        meaning: how it is computed.
        source: where the definition comes from.
    """

    id: str
    name: str
    unit: str
    meaning: str
    source: str


def per_lead(entry: Definition, leads: tuple[str, ...] = LEADS) -> tuple[Definition, ...]:
    """Return the entry once for each lead; the lead is added to the name."""
    return tuple(
        Definition(entry.id, f"{entry.name}_{lead}", entry.unit, entry.meaning, entry.source)
        for lead in leads
    )
