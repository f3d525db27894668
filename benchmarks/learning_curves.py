"""The figure of docs/learning.md: AUROC against the number of patients that teach."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dyssync.figures.palette import INK, REFERENCE, Look, looks
from dyssync.figures.plate import Plate, figure_style, finish
from virtual_learning import BAYES

QRS_AREA = "qrs-area"
REFERENCES = {BAYES: "Bayes", QRS_AREA: "QRS area"}
TITLES = {"crt": "the encoders' own simulator", "foreign": "a foreign simulator"}
CLOSE = 1.5
ALT = "AUROC against the number of patients that teach, one line a model, bands of one SD."


def draw_curves(cohorts: Mapping[str, pd.DataFrame]) -> Plate:
    """Draw a panel a cohort, with SD over draws as bands, Bayes and QRS area as lines.

    Args:
        cohorts: by name, fits with columns name, model, patients and auroc.
    """
    every = pd.concat(cohorts.values())
    drawn = every[~every["model"].isin(list(REFERENCES))]
    look = looks(list(drawn["name"].unique()))
    with figure_style():
        figure = Figure(figsize=(9.5, 4.6), layout="constrained")
        panels = figure.subplots(1, len(cohorts), sharey=True, squeeze=False)[0]
        for axes, (cohort, held) in zip(panels, cohorts.items(), strict=True):
            _draw_panel(axes, held, look)
            axes.set_title(TITLES[cohort], fontsize=9)
        panels[0].set_ylabel("AUROC on other patients")
        figure.supxlabel("patients that teach", fontsize=8.5, color=INK)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right upper")
        return finish(figure, "learning", ALT, vector=False)


def _draw_panel(axes: Axes, held: pd.DataFrame, look: Mapping[str, Look]) -> None:
    references = held[held["model"].isin(list(REFERENCES))]
    for model, value in references.groupby("model")["auroc"].mean().items():
        axes.axhline(value, color=REFERENCE, lw=1.0, ls="--" if model == BAYES else ":")
        axes.annotate(
            REFERENCES[str(model)], (0.01, value), xycoords=("axes fraction", "data"), fontsize=7.5,
            xytext=(0, 2), textcoords="offset points",
        )  # fmt: skip
    for name, own in held.groupby("name", sort=False):
        if name not in look:
            continue
        found = own.groupby("patients")["auroc"].agg(["mean", "std", "count"])
        mine = look[str(name)]
        curve = found[found["count"] > 1]
        axes.plot(
            curve.index, curve["mean"], color=mine.colour, marker=mine.marker, ls=mine.dashes,
            lw=1.3, ms=4, label=name,
        )  # fmt: skip
        low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
        axes.fill_between(curve.index, low, high, color=mine.colour, alpha=0.1, lw=0)
        once = found[found["count"] == 1]  # the limit: one fit to thousands
        axes.plot(once.index, once["mean"], color=mine.colour, marker=mine.marker, ls="", ms=4)
    sizes = sorted(set(held.loc[held["patients"] > 0, "patients"]))
    axes.set_xscale("log")
    # no room for the words of a size that lies close above the one before
    close = {n for before, n in pairwise(sizes) if n < CLOSE * before}
    axes.set_xticks(sizes, ["" if n in close else f"{n:,}" for n in sizes])
    axes.set_xticks([], minor=True)
