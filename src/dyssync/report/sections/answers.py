"""The answer that the bundle gives, and what it is worth on patients its fits had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.predictive_values import SHARES, called_counts, predictive_values
from dyssync.report.cells import Cell, Grid, estimate_cell, estimates_grid, metric_columns
from dyssync.report.drawn import BAND_SEED
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
from dyssync.report.wording import Estimate, percent

PROBABILITIES = ("auroc", "brier", "scaled_brier")
CALLED = ("accuracy", "accuracy_gain", "sensitivity", "specificity", "ppv", "npv")
COMPACT = ("accuracy", "accuracy_gain", "ppv", "npv", "net_benefit_gain")


@dataclass(frozen=True)
class AnswerFacts:
    """Tables of what the answers are worth, and the meaning of their columns.

    Attributes:
        probabilities: what needs no threshold.
        called: at the threshold named beforehand, with counts.
        at_shares: PPV and NPV where another share of patients responds.
        at_thresholds: a table a threshold.
        terms: label and meaning.
    """

    probabilities: Grid
    called: Grid
    at_shares: Grid
    at_thresholds: tuple[Grid, ...]
    terms: tuple[tuple[str, str], ...]


def gather(study: Overview) -> AnswerFacts | None:
    """Return the tables; None where there are no answers."""
    if not any(one.n for one in study.answers):
        return None
    at = study.threshold
    return AnswerFacts(
        probabilities=estimates_grid(study, "Without any threshold", PROBABILITIES, at),
        called=_called(study),
        at_shares=_at_shares(study),
        at_thresholds=tuple(
            estimates_grid(study, f"From a probability of {t:g} upwards", COMPACT, t)
            for t in study.estimates.thresholds
        ),
        terms=tuple(
            (METRICS[name].label, METRICS[name].meaning)
            for name in dict.fromkeys((*PROBABILITIES, *CALLED, *COMPACT))
        ),
    )


def _called(study: Overview) -> Grid:
    """Return what depends on the threshold; PPV and NPV with the patients behind them."""
    counts = called_counts(study.results.tables["answers"], [study.threshold])
    held = {str(row["model"]): row for row in counts.to_dict("records")}
    rows = []
    for model in study.models:
        cells = {name: estimate_cell(name, study.estimate(model, name)) for name in CALLED}
        if model in held:
            row = held[model]
            for name, of in (("ppv", "called"), ("npv", "not_called")):
                n, right = int(row[of]), int(row[f"{of}_right"])
                cell = cells[name]
                value = f"{cell.value} ({right} of {n})" if n else "nobody called so"
                cells[name] = Cell(value, cell.interval)
        rows.append((model, tuple(cells[name] for name in CALLED)))
    caption = f"At the threshold {study.threshold:g}, named beforehand"
    return Grid(caption, metric_columns(CALLED), tuple(rows))


def _at_shares(study: Overview) -> Grid:
    """Return PPV and NPV at other shares of responders."""
    table = predictive_values(
        study.results.tables["answers"], [study.threshold], BAND_SEED, factor=study.refit_factor
    )
    found = {_key(row): _estimate(row) for _, row in table.iterrows()}
    wanted = [(name, share) for name in ("ppv", "npv") for share in SHARES]
    rows = tuple(
        (
            model,
            tuple(
                estimate_cell(name, found.get((model, name, share), Estimate()))
                for name, share in wanted
            ),
        )
        for model in study.models
    )
    columns = tuple(
        (f"{name.upper()} where {percent(share)} respond", "") for name, share in wanted
    )
    return Grid("PPV and NPV, in %, where another share of the patients responds", columns, rows)


def _key(row: pd.Series) -> tuple[str, str, float]:
    return str(row["model"]), str(row["metric"]), float(row["share"])


def _estimate(row: pd.Series) -> Estimate:
    return Estimate(*(float(row[name]) for name in ("value", "low", "high")))


SECTION = Section("The answer that the bundle gives", template_beside(__file__), gather)
