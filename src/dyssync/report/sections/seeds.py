"""Fit by fit: how much one division of the patients differs from another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyssync.evaluation.metrics import METRICS
from dyssync.figures.palette import INK, REFERENCE, SOFT_INK
from dyssync.figures.plate import file_name, finish
from dyssync.report.figures import WIDE, blank
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside
from dyssync.report.wording import metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SeedDots:
    """A metric of one model: a value a fit, mean and interval (NaN where there is none)."""

    model: str
    values: tuple[float, ...]
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class DotPlot:
    """Values a fit of one metric; the reference is what needs no model."""

    metric: str
    label: str
    reference: float
    reference_label: str
    rows: tuple[SeedDots, ...]


def gather(study: Overview) -> tuple[DotPlot, ...]:
    """Return the two metrics that have a reference without any model."""
    if not study.models:
        return ()
    commoner = study.cohort.commoner_share
    return (
        _dots(study, "auroc", 0.5, "chance"),
        _dots(study, "accuracy", commoner, "commoner class for all"),
    )


def _dots(study: Overview, name: str, reference: float, words: str) -> DotPlot:
    factor = 100.0 if METRICS[name].percent else 1.0
    table = study.results.tables["metrics"]
    table = table[table["metric"] == name]
    rows = []
    for model in study.models:
        own = table[table["model"].astype(str) == model].drop_duplicates("seed")
        row = study.row(model, name)
        mean, low, high = (math.nan,) * 3 if row is None else (row["mean"], row["low"], row["high"])
        values = tuple(float(v) * factor for v in own["value"] if math.isfinite(v))
        rows.append(SeedDots(model, values, mean * factor, low * factor, high * factor))
    shown = metric(name)
    label = f"{shown.label} in the test part" + (", %" if shown.percent else "")
    return DotPlot(name, label, reference * factor, words, tuple(rows))


def draw(facts: tuple[DotPlot, ...], study: Overview) -> Plates:
    """Draw a figure a metric, under its name."""
    return {
        plot.metric: finish(
            _plot(plot, study),
            file_name("seeds", plot.metric),
            f"{metric(plot.metric).label} of every fit as dots, one line a model.",
        )
        for plot in facts
    }


def _plot(plot: DotPlot, study: Overview) -> Figure:
    """Draw a line a model: every fit as a dot, the mean as a bar, the interval as a line."""
    n = len(plot.rows)
    figure, axes = blank(WIDE, 1.15 + 0.42 * n)
    for line, row in enumerate(plot.rows):
        look = study.looks[row.model]
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
        _mark_reference(axes, plot)
    axes.set_yticks(range(n), [row.model for row in plot.rows])
    axes.set_ylim(n - 0.3, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(plot.label)
    return figure


def _mark_reference(axes: Axes, plot: DotPlot) -> None:
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


SECTION = Section("Fit by fit", template_beside(__file__), gather, draw)
