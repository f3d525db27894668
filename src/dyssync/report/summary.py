"""The summary table of a study by model, threshold rule and metric, and how rules are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pandas as pd

from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.thresholds import CHOSEN, FIXED
from dyssync.study.results import TABLES, StudyResults

NUMBERS = TABLES["summary"][3:]  # behind model, threshold rule and metric

Row: TypeAlias = Mapping[str, float]  # by the names of NUMBERS
Summary: TypeAlias = Mapping[tuple[str, str, str], Row]


def summary_index(summary: pd.DataFrame) -> Summary:
    """Return the rows of the summary table by (model, threshold rule, metric)."""
    return {
        (str(row["model"]), str(row["threshold_rule"]), str(row["metric"])): {
            name: float(row[name]) for name in NUMBERS
        }
        for row in summary.to_dict("records")
    }


def find(index: Summary, model: str, rule: str, name: str) -> Row | None:
    """Return a summary row; one without a threshold is found whatever rule it was filed under."""
    row = index.get((model, rule, name))
    if row is None and not needs_threshold(name):
        row = next((r for (m, _, n), r in index.items() if (m, n) == (model, name)), None)
    return row


def needs_threshold(name: str) -> bool:
    """Return whether a metric calls patients responders; not one that this version lacks."""
    return name in METRICS and METRICS[name].uses_threshold


def threshold_rules(summary: pd.DataFrame) -> tuple[str, ...]:
    """Return the rules that have a metric that needs a threshold, the fixed one first."""
    found = [
        str(rule)
        for rule, rows in summary.groupby("threshold_rule", sort=False)
        if any(needs_threshold(str(name)) for name in rows["metric"])
    ]
    return tuple(sorted(found, key=lambda rule: rule != FIXED))  # stable: else as in the table


def rule_title(rule: str, results: StudyResults) -> str:
    """Return what a threshold rule is called in a heading."""
    if rule == FIXED:
        return f"at the fixed threshold {results.run.threshold:g}"
    if rule == CHOSEN:
        return "at the threshold chosen on the validation part of each seed"
    return f"at the threshold rule “{rule}”"
