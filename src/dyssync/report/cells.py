"""Tables of the report: a line a model, in every cell a value and below it its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dyssync.report.overview import Overview
from dyssync.report.summary import Row
from dyssync.report.wording import Estimate, count, metric


@dataclass(frozen=True)
class Cell:
    """A value as text, its interval, and a note where there is something to mind."""

    value: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """A table; every row has as many cells as there are columns.

    Attributes:
        caption: what it shows.
        columns: label and unit ("" without) of each.
        rows: model and its cells.
        other: rows of other studies, below a line of their own.
    """

    caption: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    other: tuple[tuple[str, tuple[Cell, ...]], ...] = ()


def estimate_cell(name: str, found: Estimate, note: str = "") -> Cell:
    """Write an estimate of a metric."""
    shown = metric(name)
    if not math.isfinite(found.value):
        return Cell(shown.number(found.value), note=note)
    return Cell(shown.number(found.value), shown.interval(found), note)


def fits_cell(row: Row | None, name: str) -> Cell:
    """Write mean and SD of a metric over the fits."""
    if row is None:
        return Cell("not computed")
    shown = metric(name)
    undefined = int(row["n_undefined"])
    n_fits = int(row["n_defined"]) + undefined
    note = f"undefined in {undefined} of {count(n_fits, 'fit')}" if undefined else ""
    if not math.isfinite(row["mean"]):
        return Cell(shown.number(row["mean"]), note=note)
    value = shown.number(row["mean"])
    if math.isfinite(row["sd"]):
        value = f"{value} ± {shown.number(row['sd'])}"
    return Cell(value, shown.interval(Estimate(row["mean"], row["low"], row["high"])), note)


def metric_columns(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return label and unit of metrics."""
    return tuple((metric(name).label, "%" if metric(name).percent else "") for name in names)


def estimates_grid(study: Overview, caption: str, names: Sequence[str], threshold: float) -> Grid:
    """Return the estimates of these metrics of every model at a threshold."""
    rows = tuple(
        (
            model,
            tuple(estimate_cell(n, study.estimates.find(model, n, threshold)) for n in names),
        )
        for model in study.models
    )
    return Grid(caption, metric_columns(names), rows)
