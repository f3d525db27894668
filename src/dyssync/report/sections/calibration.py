"""Calibration: whether a predicted 70 % means 70 of 100."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyssync.evaluation.curves import CalibrationCurve, calibration_points
from dyssync.figures.palette import REFERENCE, SOFT_INK, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.figures import PANEL, quarters
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside
from dyssync.report.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def gather(study: Overview) -> dict[str, CalibrationCurve]:
    """Return the curve of each model over all its test predictions."""
    return {one.model: calibration_points(one.pooled_y, one.pooled_p) for one in study.predictions}


def draw(facts: dict[str, CalibrationCurve], study: Overview) -> Plates:
    """Draw a panel a model, under its name."""
    return {
        model: finish(
            _plot(curve, study.looks[model]),
            file_name("calibration", study.file_names[model]),
            f"Observed against predicted share of responders of {model}, "
            f"{count(int(curve.counts.sum()), 'prediction')}, with the number of predictions in "
            "every bin.",
        )
        for model, curve in facts.items()
    }


def _plot(curve: CalibrationCurve, look: Look) -> Figure:
    """Draw observed against predicted response, and below it how many predictions a bin has."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PANEL[0], PANEL[1] + 0.75), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", lw=1)
    axes.plot(curve.predicted, curve.observed, color=look.colour, lw=1.6)
    axes.plot(curve.predicted, curve.observed, look.marker, color=look.colour, ms=5.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_ylabel("Observed share of responders")
    quarters(axes)
    _count_bins(below, curve, look)
    return figure


def _count_bins(axes: Axes, curve: CalibrationCurve, look: Look) -> None:
    axes.bar(curve.predicted, curve.counts, width=0.045, color=look.colour, alpha=0.75)
    for x, n in zip(curve.predicted, curve.counts, strict=True):
        axes.annotate(
            f"{n:,}",
            (x, n),
            xytext=(0, 1.5),
            textcoords="offset points",
            ha="center",
            fontsize=6.2,
            color=SOFT_INK,
        )
    axes.set_ylim(0, 1.4 * max([1, *curve.counts.tolist()]))
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("Count")
    axes.set_xlabel("Predicted probability of response")


SECTION = Section("Calibration", template_beside(__file__), gather, draw)
