"""The study's table: every fit on its own test part, beside the published study."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.protocol import short_table_columns
from dyssync.report.cells import Cell, Grid, fits_cell, metric_columns
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
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
class PerformanceFacts:
    """The short table; label and meaning of its columns; all rows of the summary as text."""

    table: Grid | None
    terms: tuple[tuple[str, str], ...]
    spread: tuple[tuple[str, ...], ...]


def gather(study: Overview) -> PerformanceFacts:
    """Return all that the summary table says."""
    columns = short_table_columns()
    return PerformanceFacts(
        table=_table(study, columns) if study.summary else None,
        terms=tuple((METRICS[name].label, METRICS[name].meaning) for name in columns),
        spread=_spread(study.results.tables["summary"]),
    )


def _table(study: Overview, columns: tuple[str, ...]) -> Grid:
    rows = tuple(
        (model, tuple(fits_cell(study.row(model, name), name) for name in columns))
        for model in study.models
    )
    caption = (
        f"At the threshold {study.threshold:g}: mean ± SD over {count(study.n_fits, 'fit')}, each "
        "on its own test part; below it the corrected 95 % interval of the mean"
    )
    return Grid(caption, metric_columns(columns), rows, _published(columns))


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
    """Return every row of the summary as text: the full table behind the short one."""
    lines = []
    for row in summary.to_dict("records"):
        shown = metric(str(row["metric"]))
        numbers = ("mean", "sd", "low", "high", "minimum", "maximum")
        counts = (int(np.nan_to_num(row[key])) for key in ("n_defined", "n_undefined"))
        lines.append(
            (
                str(row["model"]),
                shown.head,
                *(shown.number(float(row[key])) for key in numbers),
                *map(str, counts),
            )
        )
    return tuple(lines)


SECTION = Section("The study's table, as published", template_beside(__file__), gather)
