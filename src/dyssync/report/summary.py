"""Two tables of a study, found by model and metric: over its fits, and of its answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from dyssync.evaluation.metrics import METRICS
from dyssync.report.wording import Estimate
from dyssync.study.results import TABLES

NUMBERS = TABLES["summary"][2:]  # behind model and metric

Row: TypeAlias = Mapping[str, float]  # by the names of NUMBERS
Summary: TypeAlias = Mapping[tuple[str, str], Row]


def summary_index(summary: pd.DataFrame) -> Summary:
    """Return the rows of the summary table by (model, metric)."""
    return {
        (str(row["model"]), str(row["metric"])): {name: float(row[name]) for name in NUMBERS}
        for row in summary.to_dict("records")
    }


@dataclass(frozen=True)
class Estimates:
    """What the out-of-fold answers of each model are worth.

    Attributes:
        rows: by (model, metric, threshold); None where no threshold matters.
        thresholds: at which the table has metrics, ascending.
    """

    rows: Mapping[tuple[str, str, float | None], Estimate]
    thresholds: tuple[float, ...]

    def find(self, model: str, metric: str, threshold: float) -> Estimate:
        """Return an estimate; undefined where the table has none.

        Args:
            model: name.
            metric: name; one that needs no threshold is found at any.
            threshold: from which probability a patient is called a responder.
        """
        at = threshold if METRICS[metric].uses_threshold else None
        return self.rows.get((model, metric, at), Estimate())


def estimates_index(table: pd.DataFrame) -> Estimates:
    """Return the rows of the table `estimates`."""
    rows = {
        (str(row["model"]), str(row["metric"]), _threshold(float(row["threshold"]))): Estimate(
            *(float(row[name]) for name in ("value", "low", "high"))
        )
        for row in table.to_dict("records")
    }
    return Estimates(rows, tuple(sorted({t for *_, t in rows if t is not None})))


def _threshold(value: float) -> float | None:
    return None if math.isnan(value) else value
