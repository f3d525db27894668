"""Performance: a table a threshold rule, beside the published study, and all figures behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.evaluation.metrics import METRICS
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
from dyssync.report.summary import Row, find, rule_title
from dyssync.report.wording import count, metric


@dataclass(frozen=True)
class Published:
    """One model of the published study; mean over 10 seeds, NaN where not published."""

    model: str
    accuracy: float
    accuracy_sd: float
    ppv: float


# Mori et al., J Cardiovasc Electrophysiol 2025, doi 10.1111/jce.70212, abstract
PUBLISHED = (
    Published("ResNet-18", 0.741, math.nan, 0.842),
    Published("ResNet-18, self-supervised", 0.785, 0.055, 0.813),
    Published("LightGBM", 0.794, math.nan, 0.728),
)


@dataclass(frozen=True)
class Cell:
    """A metric of a model: mean and SD, interval, and a note where seeds are without a value."""

    value: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True)
class PerformanceTable:
    """One line a model; ``published`` lines have as many cells."""

    rule: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    published: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class PerformanceFacts:
    """The short tables; label and meaning of their columns; and all rows of the summary as text."""

    tables: tuple[PerformanceTable, ...]
    terms: tuple[tuple[str, str], ...]
    spread: tuple[tuple[str, ...], ...]


def gather(study: Overview) -> PerformanceFacts:
    """Return all that the summary table says."""
    return PerformanceFacts(
        tables=_tables(study),
        terms=tuple((METRICS[name].label, METRICS[name].meaning) for name in METRICS),
        spread=_spread(study.results.tables["summary"]),
    )


def _tables(study: Overview) -> tuple[PerformanceTable, ...]:
    """Return a table a threshold rule; metrics that need no threshold are in the first only."""
    tables: list[PerformanceTable] = []
    for rule in study.rules:
        columns = tuple(n for n in METRICS if not tables or METRICS[n].uses_threshold)
        rows = tuple(
            (model, tuple(_cell(find(study.summary, model, rule, name), name) for name in columns))
            for model in study.models
        )
        published = () if tables else _published(columns)
        title = rule_title(rule, study.results)
        tables.append(PerformanceTable(rule, title, columns, rows, published))
    return tuple(tables)


def _cell(row: Row | None, name: str) -> Cell:
    if row is None:
        return Cell("not computed")
    shown = metric(name)
    undefined = int(row["n_undefined"])
    n_seeds = int(row["n_defined"]) + undefined
    note = f"undefined in {undefined} of {count(n_seeds, 'seed')}" if undefined else ""
    if not math.isfinite(row["mean"]):
        return Cell(shown.number(row["mean"]), note=note)
    value = shown.number(row["mean"])
    if math.isfinite(row["sd"]):
        value = f"{value} ± {shown.number(row['sd'])}"
    if math.isfinite(row["low"]) and math.isfinite(row["high"]):
        return Cell(value, f"{shown.number(row['low'])} to {shown.number(row['high'])}", note)
    return Cell(value, "no interval", note)


def _published(columns: tuple[str, ...]) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    rows = []
    for study in PUBLISHED:
        accuracy = metric("accuracy").number(study.accuracy)
        if math.isfinite(study.accuracy_sd):
            accuracy += f" ± {metric('accuracy').number(study.accuracy_sd)}"
        known = {"accuracy": Cell(accuracy), "ppv": Cell(metric("ppv").number(study.ppv))}
        rows.append((study.model, tuple(known.get(name, Cell("")) for name in columns)))
    return tuple(rows)


def _spread(summary: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Return every row of the summary as text: the full table behind the short ones."""
    lines = []
    for row in summary.to_dict("records"):
        shown = metric(str(row["metric"]))
        numbers = ("mean", "sd", "low", "high", "minimum", "maximum")
        counts = (int(np.nan_to_num(row[key])) for key in ("n_defined", "n_undefined"))
        lines.append(
            (
                str(row["model"]),
                str(row["threshold_rule"]),
                shown.head,
                *(shown.number(float(row[key])) for key in numbers),
                *map(str, counts),
            )
        )
    return tuple(lines)


SECTION = Section("Performance", template_beside(__file__), gather)
