"""Calibration: whether a predicted 70 % means 70 of 100."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dyssync.arrays import Floats
from dyssync.evaluation.bootstrap import Band, calibration_band
from dyssync.evaluation.metrics import METRICS
from dyssync.figures.palette import REFERENCE, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.cells import Grid, estimates_grid
from dyssync.report.drawn import draws
from dyssync.report.figures import PANEL, quarters
from dyssync.report.overview import Answers, Overview
from dyssync.report.section import Plates, Section, template_beside
from dyssync.report.wording import Estimate, metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = ("observed_to_expected", "calibration_in_the_large", "calibration_slope", "ici")
POINTS = 101  # of the curve, which is smooth
BINS = 25


@dataclass(frozen=True, eq=False)
class Curve:
    """The smooth curve over the probabilities that a model gave; `p`: all of them."""

    grid: Floats
    band: Band
    p: Floats


@dataclass(frozen=True, eq=False)
class CalibrationFacts:
    """Curve of each model, the numbers below it, and the table of all."""

    curves: dict[str, Curve]
    notes: dict[str, str]
    table: Grid
    terms: tuple[tuple[str, str], ...]


def gather(study: Overview) -> CalibrationFacts:
    """Return curves and numbers of the models that have answers to both classes."""
    curves = {one.model: _curve(one, study.refit_factor) for one in study.answers if one.gradable}
    return CalibrationFacts(
        curves,
        {model: _note(study, model) for model in curves},
        estimates_grid(study, "With 95 % intervals", SHOWN, study.threshold),
        tuple((METRICS[name].label, METRICS[name].meaning) for name in SHOWN),
    )


def _curve(one: Answers, factor: float) -> Curve:
    # no further than the model went: beyond its probabilities the curve would be a guess
    grid = np.linspace(one.p.min(), one.p.max(), POINTS)
    return Curve(grid, calibration_band(one.y, one.p, grid, draws(one.n), factor), one.p)


def _note(study: Overview, model: str) -> str:
    found = {name: study.estimate(model, name) for name in SHOWN}
    return (
        f"slope {_with_interval('calibration_slope', found['calibration_slope'])}, "
        f"O/E {_with_interval('observed_to_expected', found['observed_to_expected'])}"
    )


def _with_interval(name: str, found: Estimate) -> str:
    shown = metric(name)
    return f"{shown.number(found.value)} {shown.interval(found)}".removesuffix(" no interval")


def draw(facts: CalibrationFacts, study: Overview) -> Plates:
    """Draw a panel a model, under its name."""
    return {
        model: finish(
            calibration_figure(curve, study.looks[model]),
            file_name("calibration", study.file_names[model]),
            f"Observed against predicted share of responders of {model}: {facts.notes[model]}.",
        )
        for model, curve in facts.curves.items()
    }


def calibration_figure(curve: Curve, look: Look) -> Figure:
    """Draw the smooth curve with its band, and below it which probabilities were given."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PANEL[0], PANEL[1] + 0.5), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", lw=1)
    band = curve.band
    if np.ptp(curve.grid) > 0:
        axes.fill_between(curve.grid, band.low, band.high, color=look.colour, alpha=0.2, lw=0)
        axes.plot(curve.grid, band.value, color=look.colour, lw=2)
    else:  # one probability for all
        axes.plot(curve.grid[[0, 0]], [band.low[0], band.high[0]], color=look.colour, lw=2)
        axes.plot(curve.grid[:1], band.value[:1], look.marker, color=look.colour)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_ylabel("Observed share of responders")
    quarters(axes)
    _histogram(below, curve.p, look)
    return figure


def _histogram(axes: Axes, p: Floats, look: Look) -> None:
    axes.hist(p, np.linspace(0, 1, BINS + 1).tolist(), color=look.colour, alpha=0.75)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("Patients")
    axes.set_xlabel("Predicted probability of response")


SECTION = Section("Calibration", template_beside(__file__), gather, draw)
