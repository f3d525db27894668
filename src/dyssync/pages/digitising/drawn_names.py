"""Names of leads on a drawn page, and the lines that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.ecg import signed_lead
from dyssync.image import PrintedWord
from dyssync.pages.digitising.lines import LineTrace

NAME_LEFT_MM, NAME_RIGHT_MM = 14.0, 8.0  # beyond the beginning of its trace to both sides
NAME_ROW_MM = 22.0  # above or below it
SAME_ROW_MM = 3.0  # between names that stand along one trace


@dataclass(frozen=True, eq=False)
class NamedTrace:
    """A trace with its lead; `sign` is -1 where that is drawn upside down."""

    lead: str
    sign: int
    trace: LineTrace


@dataclass(frozen=True)
class _Name:
    """A name of a lead: left edge, mm; middle below a trace, mm; lead and sign."""

    left: float
    offset: float
    lead: str
    sign: int

    def apart(self, expected: float) -> float:
        """Return how far it stands from where it is expected, mm."""
        return abs(self.offset - expected)


def named_traces(traces: Sequence[LineTrace], words: Sequence[PrintedWord]) -> list[NamedTrace]:
    """Return the traces that have names; a trace along which several stand in as many parts.

    Where names stand beside their traces is the same all over a page: first the nearest is taken,
    then that at the distance of most.
    """
    nearest = [name.offset for trace in traces for name in _names_along(trace, words, 0.0)]
    offset = float(np.median(nearest)) if nearest else 0.0
    return [one for trace in traces for one in _named_in(trace, words, offset)]


def _named_in(trace: LineTrace, words: Sequence[PrintedWord], offset: float) -> list[NamedTrace]:
    """Return a trace with its name, or its equal parts where several stand along it."""
    names = _names_along(trace, words, offset)
    if len(names) == 1:
        return [NamedTrace(names[0].lead, names[0].sign, trace)]
    start, width = float(trace.x[0]), float(np.ptp(trace.x)) / max(len(names), 1)
    return [
        NamedTrace(name.lead, name.sign, trace.cut(start + k * width, start + (k + 1) * width))
        for k, name in enumerate(names)
    ]


def _names_along(trace: LineTrace, words: Sequence[PrintedWord], offset: float) -> list[_Name]:
    """Return the names that belong to a trace, from the left.

    Args:
        trace: anywhere on the page.
        words: of the page.
        offset: mm by which the middle of a name is expected below its trace.
    """
    left, right = float(trace.x[0]), float(trace.x[-1])
    near: dict[str, _Name] = {}
    for word in words:
        lead, sign = signed_lead(word.text)
        below = (word.top + word.bottom) / 2 - trace.level
        inside = left - NAME_LEFT_MM <= word.left <= right - NAME_RIGHT_MM
        if lead is None or not inside or abs(below) > NAME_ROW_MM:
            continue
        name = _Name(word.left, below, lead, sign)
        if lead not in near or name.apart(offset) < near[lead].apart(offset):
            near[lead] = name
    closest = min((name.apart(offset) for name in near.values()), default=0.0)
    # of names of several rows those of the nearest
    own = [name for name in near.values() if name.apart(offset) <= closest + SAME_ROW_MM]
    return sorted(own, key=lambda name: name.left)
