"""Discrimination: ROC curves of every model, of each seed and of all predictions together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyssync.evaluation.curves import RocCurve, roc_points
from dyssync.figures.palette import REFERENCE, SOFT_INK, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.figures import PANEL, blank, quarters
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside
from dyssync.report.wording import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class RocCurves:
    """The ROC curves of one model over its `n` test predictions."""

    model: str
    n: int
    pooled: RocCurve
    seeds: tuple[RocCurve, ...]


def gather(study: Overview) -> tuple[RocCurves, ...]:
    """Return the curves, a model each."""
    return tuple(
        RocCurves(
            one.model,
            one.n,
            roc_points(one.pooled_y, one.pooled_p),
            tuple(roc_points(y, p) for y, p in zip(one.y, one.p, strict=True)),
        )
        for one in study.predictions
    )


def draw(facts: tuple[RocCurves, ...], study: Overview) -> Plates:
    """Draw a panel a model, under its name."""
    return {
        curves.model: finish(
            _plot(curves, study.looks[curves.model]),
            file_name("roc", study.file_names[curves.model]),
            f"ROC curves of {curves.model}: every seed thin, all "
            f"{count(curves.n, 'prediction')} together bold.",
        )
        for curves in facts
    }


def _plot(curves: RocCurves, look: Look) -> Figure:
    figure, axes = blank(*PANEL)
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", lw=1)
    for curve in curves.seeds:
        axes.plot(
            curve.false_positive_rate,
            curve.true_positive_rate,
            color=look.colour,
            lw=0.8,
            alpha=0.35,
        )
    pooled = curves.pooled
    axes.plot(pooled.false_positive_rate, pooled.true_positive_rate, color=look.colour, lw=2.4)
    if not len(pooled.true_positive_rate):
        words = {"ha": "center", "va": "center", "color": SOFT_INK, "transform": axes.transAxes}
        axes.text(0.5, 0.5, "not defined:\none class only", **words)  # type: ignore[arg-type]
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("Sensitivity")
    quarters(axes)
    return figure


SECTION = Section("Discrimination (ROC)", template_beside(__file__), gather, draw)
