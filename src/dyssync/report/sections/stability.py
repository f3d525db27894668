"""Stability: how much an answer hangs on who else was in the cohort."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dyssync.arrays import Floats
from dyssync.figures.palette import REFERENCE, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.figures import PANEL, blank, quarters
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside
from dyssync.report.wording import MISSING, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


NONE = "not refitted"


@dataclass(frozen=True, eq=False)
class Instability:
    """Of n patients the original answer and the range of the refits, 0-1."""

    original: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class StabilityFacts:
    """Plots of the refitted models, and a row a model.

    Attributes:
        plots: by model.
        rows: model; mean absolute difference of refits and original; share of refits on the other
            side of the threshold; SD over the fits that tested one patient.
        refits: bootstrap samples a model.
    """

    plots: dict[str, Instability]
    rows: tuple[tuple[str, str, str, str], ...]
    refits: int


def gather(study: Overview) -> StabilityFacts:
    """Return what refits and fits say of one patient."""
    plots, rows = {}, []
    for model in study.models:
        own = study.of_model("stability", model)
        if own["low"].notna().any():
            values = (own[name].to_numpy(np.float64) for name in ("original", "low", "high"))
            plots[model] = Instability(*values)
        mape, flips, spread = _mean(own["mape"]), _mean(own["flips"]), _spread(study, model)
        refits = (_points(mape), percent(flips, 1)) if math.isfinite(mape) else (NONE, NONE)
        if math.isfinite(mape) or math.isfinite(spread):
            rows.append((model, *refits, _points(spread)))
    return StabilityFacts(plots, tuple(rows), study.results.run.refits)


def _mean(values: pd.Series) -> float:
    return float(pd.to_numeric(values).mean()) if values.notna().any() else math.nan


def _spread(study: Overview, model: str) -> float:
    """Return the mean over patients of the SD over the fits that tested one of them."""
    own = study.of_model("predictions", model)
    tested = own[own["part"] == "test"].groupby("patient_id")["p"]
    return _mean(tested.std())  # NaN of who was tested once


def _points(difference: float) -> str:
    return f"{100 * difference:.1f}" if math.isfinite(difference) else MISSING


def draw(facts: StabilityFacts, study: Overview) -> Plates:
    """Draw a panel a refitted model, under its name."""
    return {
        model: finish(
            _plot(plot, study.looks[model]),
            file_name("stability", study.file_names[model]),
            f"Range of the refits against the original probability of {model}, a line a patient.",
        )
        for model, plot in facts.plots.items()
    }


def _plot(plot: Instability, look: Look) -> Figure:
    figure, axes = blank(*PANEL)
    axes.vlines(plot.original, plot.low, plot.high, color=look.colour, lw=1.1, alpha=0.5)
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", lw=1)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("Probability by the fit to all")
    axes.set_ylabel("Probability by refits")
    quarters(axes)
    return figure


SECTION = Section("Stability", template_beside(__file__), gather, draw)
