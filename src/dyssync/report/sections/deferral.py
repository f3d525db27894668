"""Leaving patients undecided: conformal answers at 80 and 90 %, their coverage and their price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from dyssync.evaluation.conformal import DEFER, LEVELS, NON_RESPONDER, RESPONDER
from dyssync.figures.palette import INK
from dyssync.figures.plate import finish
from dyssync.report.figures import WIDE, blank, in_percent
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside
from dyssync.report.wording import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DECIDED_WRONGLY, UNDECIDED = "#B23A2E", "#D9DEE3"


@dataclass(frozen=True)
class Decided:
    """What a model decides at one level, in counts of patients.

    Attributes:
        model: name.
        level: 0-1, share of each class whose set shall hold the truth.
        responders, missed: responders, and those of them called non-responders.
        non_responders, false: non-responders, and those of them called responders.
        deferred: patients of whom nothing is said.
    """

    model: str
    level: float
    responders: int
    missed: int
    non_responders: int
    false: int
    deferred: int

    @property
    def n(self) -> int:
        """All patients."""
        return self.responders + self.non_responders

    @property
    def wrong(self) -> int:
        """Patients decided wrongly."""
        return self.missed + self.false

    @property
    def decided(self) -> int:
        """Patients of whom something is said."""
        return self.n - self.deferred

    @property
    def shares(self) -> tuple[str, ...]:
        """Coverage of responders and of non-responders, share deferred, accuracy of the rest."""
        right = self.decided - self.wrong
        accuracy = f" ({right} of {self.decided})" if self.decided else "nobody decided"
        return (
            _percent(self.responders - self.missed, self.responders),
            _percent(self.non_responders - self.false, self.non_responders),
            _percent(self.deferred, self.n),
            (_percent(right, self.decided) + accuracy) if self.decided else accuracy,
        )


def _percent(part: int, whole: int) -> str:
    return percent(part / whole if whole else float("nan"))


def gather(study: Overview) -> tuple[Decided, ...]:
    """Return a row a model and level."""
    tables = [(model, study.of_model("answers", model)) for model in study.models]
    return tuple(
        _decided(model, level, rows) for model, rows in tables for level in LEVELS if len(rows)
    )


def _decided(model: str, level: float, rows: pd.DataFrame) -> Decided:
    said, y = rows[f"set_{100 * level:.0f}"], rows["y"]
    return Decided(
        model,
        level,
        responders=int((y == 1).sum()),
        missed=int(((y == 1) & (said == NON_RESPONDER)).sum()),
        non_responders=int((y == 0).sum()),
        false=int(((y == 0) & (said == RESPONDER)).sum()),
        deferred=int((said == DEFER).sum()),
    )


def draw(facts: tuple[Decided, ...], study: Overview) -> Plates:
    """Draw one figure of all models."""
    if not facts:
        return {}
    alt = (
        "Of each model, the share of patients decided rightly, decided wrongly, and left undecided."
    )
    return {"all": finish(_plot(facts, study), "deferral", alt)}


def _plot(facts: tuple[Decided, ...], study: Overview) -> Figure:
    """Draw a bar a model and level: right in the model's colour, wrong, undecided."""
    figure, axes = blank(WIDE, 1.0 + 0.24 * len(facts))
    places = [line + 0.5 * (line // len(LEVELS)) for line in range(len(facts))]
    for place, row in zip(places, facts, strict=True):
        right = (row.decided - row.wrong) / row.n
        wrong, left = row.wrong / row.n, row.deferred / row.n
        axes.barh(place, right, 0.8, color=study.looks[row.model].colour)
        axes.barh(place, wrong, 0.8, left=right, color=DECIDED_WRONGLY, hatch="////", ec="white")
        axes.barh(place, left, 0.8, left=right + wrong, color=UNDECIDED)
    axes.axvline(study.floor, color=INK, ls="--", lw=1)
    axes.set_yticks(places, [f"{row.model}, {100 * row.level:.0f} %" for row in facts])
    axes.set_ylim(places[-1] + 0.7, -0.7)
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="y")
    in_percent(axes.xaxis)
    axes.set_xlabel("Share of the patients")
    return figure


SECTION = Section("Leaving patients undecided", template_beside(__file__), gather, draw)
