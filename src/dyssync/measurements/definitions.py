"""What a measurement is called, in which unit, how it is defined, who says so and what it needs."""

from __future__ import annotations

from dataclasses import dataclass

from dyssync.ecg import LEADS


@dataclass(frozen=True)
class Definition:
    """One entry of the dictionary.

    Attributes:
        id: the group of the dictionary it belongs to, f01 to f33 (f07: the QRS area; f27: the
            amplitudes of each lead). Measurements of one thing share one; it is a label only, and
            is kept from version to version.
        name: of the measurement, with the unit as suffix where there is one.
        unit: ms, mV, uVs, deg, 1/min, 0/1, or "" for a ratio or a count.
        meaning: how it is computed.
        source: where the definition comes from.
        needs: leads without which it is not defined: where one of them says nothing of the heart,
            it is NaN. Of a yes or no (0/1) those that it looks at: it is not known where one that
            decides says nothing. Empty for what all leads give together (rate, global durations,
            number of beats): it comes from whatever leads are good.
    """

    id: str
    name: str
    unit: str
    meaning: str
    source: str
    needs: tuple[str, ...]


def per_lead(
    group: str,
    name: str,
    unit: str,
    meaning: str,
    source: str,
    leads: tuple[str, ...] = LEADS,
) -> tuple[Definition, ...]:
    """Return one definition for each lead: the lead is added to the name, and is all it needs.

    >>> [(d.name, d.needs) for d in per_lead("f27", "r_mv", "mV", "largest R", "", ("I", "V3"))]
    [('r_mv_I', ('I',)), ('r_mv_V3', ('V3',))]
    """
    return tuple(
        Definition(group, f"{name}_{lead}", unit, meaning, source, needs=(lead,)) for lead in leads
    )
