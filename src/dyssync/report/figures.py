"""Drawing: values of `curves` and tables in, matplotlib figures out. No number is computed here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dyssync.evaluation.curves import CalibrationCurve, ClassHistogram, DecisionCurve, RocCurve
from dyssync.figures.palette import INK, REFERENCE, SOFT_INK, Look
from dyssync.report.explanation_facts import LeadShares
from dyssync.report.facts import DotPlot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Narrow on purpose: a panel keeps readable letters on a phone, and three stand side by side on a
# screen. Inches.
PANEL = (3.3, 3.1)
WIDE = 4.7
LEGEND_LETTERS = 54  # as many letters fit side by side, the marks of three columns counted in
# Threshold probabilities at which a device is an open choice: two in three candidates respond.
OPEN_CHOICE = (0.3, 0.8)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def plot_seed_dots(plot: DotPlot, looks: dict[str, Look]) -> Figure:
    """Draw a line a model: every seed as a dot, the mean as a bar, the interval as a line."""
    n = len(plot.rows)
    figure, axes = _figure(WIDE, 1.15 + 0.42 * n)
    for line, row in enumerate(plot.rows):
        look = looks[row.model]
        if math.isfinite(row.low) and math.isfinite(row.high):
            axes.plot([row.low, row.high], [line + 0.2] * 2, color=look.colour, lw=2.2)
        axes.plot([row.mean], [line + 0.2], "|", color=INK, ms=9, mew=2)
        axes.plot(
            row.values,
            [line - 0.16] * len(row.values),
            look.marker,
            color=look.colour,
            ms=4.6,
            alpha=0.6,
            mec="white",
            mew=0.5,
        )
    if math.isfinite(plot.reference):
        axes.axvline(plot.reference, color=REFERENCE, ls="--", lw=1.1, zorder=0)
        axes.annotate(
            plot.reference_label,
            (plot.reference, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-3, 2),
            textcoords="offset points",
            fontsize=7.2,
            color=SOFT_INK,
        )
    axes.set_yticks(range(n), [row.model for row in plot.rows])
    axes.set_ylim(n - 0.3, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(plot.label)
    return figure


def plot_roc(seeds: Sequence[RocCurve], pooled: RocCurve, look: Look) -> Figure:
    """Draw the ROC curve of every seed thin and that of all predictions together bold."""
    figure, axes = _figure(*PANEL)
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", lw=1)
    for curve in seeds:
        axes.plot(
            curve.false_positive_rate,
            curve.true_positive_rate,
            color=look.colour,
            lw=0.8,
            alpha=0.35,
        )
    axes.plot(pooled.false_positive_rate, pooled.true_positive_rate, color=look.colour, lw=2.4)
    if not len(pooled.true_positive_rate):
        _say(axes, "not defined:\none class only")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("Sensitivity")
    _quarters(axes)
    return figure


def plot_calibration(curve: CalibrationCurve, look: Look) -> Figure:
    """Draw observed against predicted response, and below it how many predictions a bin has."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PANEL[0], PANEL[1] + 0.75), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", lw=1)
    axes.plot(curve.predicted, curve.observed, color=look.colour, lw=1.6)
    axes.plot(curve.predicted, curve.observed, look.marker, color=look.colour, ms=5.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_ylabel("Observed share of responders")
    _quarters(axes)
    below.bar(curve.predicted, curve.counts, width=0.045, color=look.colour, alpha=0.75)
    for x, n in zip(curve.predicted, curve.counts, strict=True):
        below.annotate(
            f"{n:,}",
            (x, n),
            xytext=(0, 1.5),
            textcoords="offset points",
            ha="center",
            fontsize=6.2,
            color=SOFT_INK,
        )
    below.set_ylim(0, 1.4 * max([1, *curve.counts.tolist()]))
    below.set_yticks([])
    below.grid(visible=False)
    below.spines["left"].set_visible(False)
    below.set_ylabel("Count")
    below.set_xlabel("Predicted probability of response")
    return figure


def plot_distribution(histogram: ClassHistogram, look: Look) -> Figure:
    """Draw the probabilities of responders upwards and those of non-responders downwards."""
    figure, axes = _figure(PANEL[0], PANEL[1] - 0.3)
    left, width = histogram.edges[:-1], histogram.edges[1] - histogram.edges[0]
    axes.bar(left, histogram.responders, width, align="edge", color=look.colour, ec="white")
    axes.bar(left, -histogram.non_responders, width, align="edge", color="#C3CBD3", ec="white")
    axes.axhline(0, color=INK, lw=0.8)
    top = 1.25 * max(0.05, *histogram.responders.tolist(), *histogram.non_responders.tolist())
    axes.set(xlim=(0, 1), ylim=(-top, top))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * abs(value):.0f} %")
    axes.grid(visible=False, axis="x")
    place = {"transform": axes.transAxes, "fontsize": 7.6, "ha": "left"}
    axes.text(0.02, 0.98, "responders", va="top", color=INK, **place)  # type: ignore[arg-type]
    axes.text(0.02, 0.02, "non-responders", va="bottom", color=SOFT_INK, **place)  # type: ignore[arg-type]
    axes.set_xlabel("Predicted probability of response")
    axes.set_ylabel("Share of the class")
    return figure


def plot_decision(curves: dict[str, DecisionCurve], looks: dict[str, Look]) -> Figure:
    """Draw the net benefit of every model with that of treating all and treating none."""
    longest = max(map(len, curves), default=1)
    columns = min(3, max(1, LEGEND_LETTERS // longest))
    lines = math.ceil((len(curves) + 2) / columns)
    figure, axes = _figure(WIDE, 3.2 + 0.19 * lines)
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
    first = next(iter(curves.values()), None)
    if first is not None:
        axes.plot(first.thresholds, first.treat_all, color=INK, lw=1.1, ls=":", label="treat all")
        axes.set_xlim(first.thresholds[0], first.thresholds[-1])
    axes.axhline(0, color=INK, lw=1.1, label="treat none")
    axes.axvspan(*OPEN_CHOICE, color="#F0F3F5", zorder=-1)
    axes.set_ylim(-0.25 * top, 1.12 * top)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.set_xlabel("Threshold probability: treat from here on")
    axes.set_ylabel("Net benefit")
    figure.legend(loc="outside lower center", ncols=columns)
    return figure


def plot_lead_shares(shares: LeadShares, look: Look) -> Figure:
    """Draw the mean share of the map in every lead, and a tick where an even map would be."""
    figure, axes = _figure(WIDE, 3.0)
    places = range(len(shares.leads))
    axes.bar(places, shares.shares, 0.72, color=look.colour, alpha=0.85, label="mean share")
    axes.plot(places, shares.even, "_", color=INK, ms=15, mew=1.6, label="an even map")
    axes.set_xticks(places, shares.leads, fontsize=7.6)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.set_ylabel("Share of the map")
    axes.margins(y=0.12)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _quarters(axes: Axes) -> None:
    axes.set_xticks((0, 0.25, 0.5, 0.75, 1), ("0", "0.25", "0.5", "0.75", "1"))
    axes.set_yticks((0, 0.25, 0.5, 0.75, 1), ("0", "0.25", "0.5", "0.75", "1"))


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", color=SOFT_INK, transform=axes.transAxes)
