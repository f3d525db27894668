"""Decision curve: whether using a model would help to decide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dyssync.evaluation.curves import DecisionCurve, decision_points
from dyssync.figures.palette import INK, Look
from dyssync.figures.plate import finish
from dyssync.report.figures import WIDE, blank, in_percent
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEGEND_LETTERS = 54  # as many letters fit side by side, the marks of three columns counted in
# Probabilities of response between which clinicians differ in whether they would implant: shaded.
OPEN_CHOICE = (0.3, 0.8)


def gather(study: Overview) -> dict[str, DecisionCurve]:
    """Return the curve of each model over all its test predictions."""
    return {one.model: decision_points(one.pooled_y, one.pooled_p) for one in study.predictions}


def draw(facts: dict[str, DecisionCurve], study: Overview) -> Plates:
    """Draw one figure of all models."""
    if not facts:
        return {}
    alt = (
        "Net benefit against threshold probability, one line a model, with the lines of treating "
        "all and treating none."
    )
    return {"all": finish(_plot(facts, study.looks), "decision", alt)}


def _plot(curves: Mapping[str, DecisionCurve], looks: Mapping[str, Look]) -> Figure:
    """Draw the net benefit of every model with that of treating all and treating none."""
    columns = min(3, max(1, LEGEND_LETTERS // max(map(len, curves))))
    lines = math.ceil((len(curves) + 2) / columns)
    figure, axes = blank(WIDE, 3.2 + 0.19 * lines)
    top = 0.05
    for model, curve in curves.items():
        look = looks[model]
        axes.plot(
            curve.thresholds,
            curve.net_benefit,
            color=look.colour,
            ls=look.dashes,
            lw=1.7,
            marker=look.marker,
            ms=4.5,
            markevery=10,
            mec="white",
            mew=0.4,
            label=model,
        )
        top = max([top, *(v for v in curve.treat_all.tolist() if math.isfinite(v))])
    first = next(iter(curves.values()))
    axes.plot(first.thresholds, first.treat_all, color=INK, lw=1.1, ls=":", label="treat all")
    axes.set_xlim(first.thresholds[0], first.thresholds[-1])
    axes.axhline(0, color=INK, lw=1.1, label="treat none")
    axes.axvspan(*OPEN_CHOICE, color="#F0F3F5", zorder=-1)
    axes.set_ylim(-0.25 * top, 1.12 * top)
    in_percent(axes.xaxis)
    axes.set_xlabel("Threshold probability: treat from here on")
    axes.set_ylabel("Net benefit")
    figure.legend(loc="outside lower center", ncols=columns)
    return figure


SECTION = Section("Decision curve", template_beside(__file__), gather, draw)
