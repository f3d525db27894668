"""The page of a validation: one offline HTML file in the look of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.evaluation.bootstrap import Band, calibration_band, net_benefit_band
from dyssync.evaluation.comparisons import NAMED, NO_MODEL
from dyssync.evaluation.estimates import each_model
from dyssync.figures.palette import Look, looks
from dyssync.figures.plate import Plate, figure_style, file_name, finish
from dyssync.report.cells import Grid, estimate_cell, metric_columns
from dyssync.report.document import page_templates
from dyssync.report.drawn import draws
from dyssync.report.overview import Answers
from dyssync.report.sections.calibration import POINTS, Curve, calibration_figure
from dyssync.report.sections.decision import common_top, gain_figure
from dyssync.report.summary import Estimates, estimates_index
from dyssync.report.wording import Estimate, metric, p_value, percent
from dyssync.validation.grading import NOT_FITTED
from dyssync.validation.record import Spread, ValidationRecord
from dyssync.validation.results import Validation
from dyssync.whole import write_bytes

CALIBRATION = ("observed_to_expected", "calibration_in_the_large", "calibration_slope", "ici")
WORTH = ("auroc", "brier", "scaled_brier")
NONE = "not known"

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Page:
    """What the template shows; `study` to the macros that it shares with the report.

    Attributes:
        record: of the validation.
        looks: colour and mark of each model.
        answers: of each model.
        grids: tables of estimates by name.
        rows: other tables by name, as text.
    """

    record: ValidationRecord
    looks: Mapping[str, Look]
    answers: tuple[Answers, ...]
    grids: Mapping[str, Grid]
    rows: Mapping[str, Rows]


def write_validation_page(found: Validation, folder: Path) -> Path:
    """Write ``report.html`` into `folder` and return its path.

    Style and figures are inside, nothing is loaded, no script runs. Equal results give equal bytes.

    Raises:
        InputError: it cannot be written.
    """
    page, path = look_over(found), folder / "report.html"
    text = render(page, draw(page.answers, page.looks))
    write_bytes(path, text.encode("utf-8", "xmlcharrefreplace"))
    return path


def render(page: Page, plates: Mapping[str, Mapping[str, Plate]]) -> str:
    """Return the page. Every text that is not ours is escaped."""
    template = page_templates().get_template("validation.html.j2")
    return template.render(study=page, record=page.record, plates=plates)


def look_over(found: Validation) -> Page:
    """Return all that the page says, as text where it is text."""
    record, tables = found.record, found.tables
    index = estimates_index(tables["estimates"])
    models = tuple(n for n in record.models if n != NO_MODEL)
    return Page(
        record=record,
        looks=looks(record.models),
        answers=tuple(Answers(*one) for one in each_model(tables["answers"])),
        grids={
            "calibration": _grid("Calibration, with 95 % intervals", record, index, CALIBRATION),
            "worth": _grid("Discrimination and error, with 95 % intervals", record, index, WORTH),
            "benefit": _benefit(record, index, models),
        },
        rows={
            "predictors": tuple((n, *_spread(one)) for n, one in record.predictors.items()),
            "facts": tuple((n, *_spread(one)[2:5]) for n, one in record.facts.items()),
            "precision": _precision(record),
            "coverage": _coverage(tables["coverage"], models),
            "comparisons": _comparisons(tables["comparisons"]),
            "subgroups": _subgroups(tables["subgroups"], models),
        },
    )


def draw(
    answers: tuple[Answers, ...], look: Mapping[str, Look]
) -> Mapping[str, Mapping[str, Plate]]:
    """Return the figures: by name of the section, a panel a model."""
    told = [one for one in answers if one.gradable and one.model != NO_MODEL]
    gains = {m.model: net_benefit_band(m.y, m.p, draws(m.n), factor=NOT_FITTED) for m in told}
    top = common_top(gains)
    with figure_style():
        curves = {
            one.model: finish(
                calibration_figure(_curve(one), look[one.model]),
                file_name("calibration", one.model),
                f"Observed against predicted share of responders of {one.model}.",
            )
            for one in told
        }
        benefits = {model: _gain(model, band, look[model], top) for model, band in gains.items()}
    return {"calibration": curves, "benefit": benefits}


def _gain(model: str, band: Band, look: Look, top: float) -> Plate:
    return finish(
        gain_figure(band, look, top),
        file_name("decision", model),
        f"Net benefit of {model} minus the better of treating all and none, with its 95 % band.",
    )


def _curve(one: Answers) -> Curve:
    grid = np.linspace(one.p.min(), one.p.max(), POINTS)
    return Curve(grid, calibration_band(one.y, one.p, grid, draws(one.n), NOT_FITTED), one.p)


def _grid(caption: str, record: ValidationRecord, index: Estimates, names: tuple[str, ...]) -> Grid:
    rows = tuple(
        (
            model,
            tuple(estimate_cell(n, index.find(model, n, record.threshold)) for n in names),
        )
        for model in record.models
    )
    return Grid(caption, metric_columns(names), rows)


def _benefit(record: ValidationRecord, index: Estimates, models: tuple[str, ...]) -> Grid:
    name = "net_benefit_gain"
    rows = tuple(
        (m, tuple(estimate_cell(name, index.find(m, name, t)) for t in record.thresholds))
        for m in models
    )
    heads = tuple((percent(t), "") for t in record.thresholds)
    return Grid("Net benefit gained, by threshold", heads, rows)


def _spread(one: Spread) -> tuple[str, ...]:
    before, after = ((one.mean, one.sd), (one.mean_here, one.sd_here))
    written = [f"{v:.2f}" if v is not None else NONE for v in (*before, *after)]
    difference = f"{one.standardised:+.2f}" if one.standardised is not None else NONE
    return (*written, str(one.missing_here), difference)


def _precision(record: ValidationRecord) -> Rows:
    return tuple(
        (
            name,
            f"{one.auroc:.2f}",
            f"{one.slope_error:.2f}",
            f"{one.auroc_error:.3f}",
            f"{one.log_oe_error:.3f}",
            str(one.patients_for_auroc),
        )
        for name, one in record.precision.items()
    )


def _coverage(table: pd.DataFrame, models: tuple[str, ...]) -> Rows:
    return tuple(
        (
            row["model"],
            percent(row["level"]),
            row["outcome"],
            str(row["n"]),
            f"{percent(row['covered'], 1)} [{percent(row['low'], 1)}, {percent(row['high'], 1)}]",
            percent(row["deferred"], 1),
        )
        for row in _records(table)
        if row["model"] in models
    )


def _comparisons(table: pd.DataFrame) -> Rows:
    rows = []
    for row in _records(table[table["kind"] == NAMED]):
        words = metric(row["metric"])
        gap = Estimate(row["difference"], row["low"], row["high"])
        against = "no model" if row["model_b"] == NO_MODEL else row["model_b"]
        shown = f"{words.number(gap.value, signed=True)} {words.interval(gap, signed=True)}"
        verdict = "shown" if row["p_holm"] < 0.05 else "not shown"
        holm = p_value(row["p_holm"]) if math.isfinite(row["p_holm"]) else NONE
        rows.append((row["model_a"], against, words.head, shown, holm, verdict))
    return tuple(rows)


def _subgroups(table: pd.DataFrame, models: tuple[str, ...]) -> Rows:
    oe, auroc, rows = metric("observed_to_expected"), metric("auroc"), []
    for row in _records(table):
        if row["model"] not in models:
            continue
        who = (row["model"], f"{row['group']}: {row['level']}", str(row["n"]))
        if row["refused"]:
            rows.append((*who, str(row["responders"]), row["refused"], ""))
            continue
        ratio = Estimate(row["oe"], row["oe_low"], row["oe_high"])
        area = Estimate(row["auroc"], row["auroc_low"], row["auroc_high"])
        cells = (
            f"{oe.number(ratio.value)} {oe.interval(ratio)}",
            f"{auroc.number(area.value)} {auroc.interval(area)}",
        )
        rows.append((*who, str(row["responders"]), *cells))
    return tuple(rows)


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")
