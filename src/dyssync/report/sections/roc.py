"""Discrimination: a ROC curve of each model's out-of-fold answers, and all AUROCs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyssync.evaluation.curves import RocCurve, roc_points
from dyssync.figures.palette import INK, REFERENCE, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.figures import PANEL, WIDE, blank, quarters
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside
from dyssync.report.wording import Estimate, metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOREST = "forest"  # the figure of all AUROCs; a model's figure has a key of its own


@dataclass(frozen=True, eq=False)
class RocFacts:
    """Curve and AUROC of each model; `notes`: the AUROC in words."""

    curves: dict[str, RocCurve]
    aurocs: dict[str, Estimate]
    notes: dict[str, str]


def gather(study: Overview) -> RocFacts:
    """Return the curves of the models that have answers to both classes."""
    # ranks are those of the logits: recalibration fold by fold would mix them a little
    curves = {one.model: roc_points(one.y, one.z) for one in study.answers if one.gradable}
    aurocs = {model: study.estimate(model, "auroc") for model in curves}
    shown = metric("auroc")
    notes = {
        model: f"AUROC {shown.number(found.value)} {shown.interval(found)}"
        for model, found in aurocs.items()
    }
    return RocFacts(curves, aurocs, notes)


def draw(facts: RocFacts, study: Overview) -> Plates:
    """Draw a panel a model, under its name, and the forest of all."""
    if not facts.curves:
        return {}
    plates = {
        model: finish(
            _plot(curve, study.looks[model]),
            file_name("roc", study.file_names[model]),
            f"ROC curve of {model}: {facts.notes[model]}.",
        )
        for model, curve in facts.curves.items()
    }
    words = "; ".join(f"{model}: {note}" for model, note in facts.notes.items())
    return {FOREST: finish(_forest(facts, study), "forest", words), **plates}


def _plot(curve: RocCurve, look: Look) -> Figure:
    figure, axes = blank(*PANEL)
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", lw=1)
    axes.plot(curve.false_positive_rate, curve.true_positive_rate, color=look.colour, lw=2)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("Sensitivity")
    quarters(axes)
    return figure


def _forest(facts: RocFacts, study: Overview) -> Figure:
    """Draw a line a model: the AUROC with its interval."""
    n = len(facts.aurocs)
    figure, axes = blank(WIDE, 0.9 + 0.3 * n)
    for line, (model, found) in enumerate(facts.aurocs.items()):
        look = study.looks[model]
        if found.has_interval:
            axes.plot([found.low, found.high], [line, line], color=look.colour, lw=2)
        axes.plot([found.value], [line], look.marker, color=look.colour, ms=6, mec="white")
    axes.axvline(0.5, color=INK, ls="--", lw=1, zorder=0)
    axes.set_yticks(range(n), list(facts.aurocs))
    axes.set_ylim(n - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("AUROC with 95 % interval")
    return figure


SECTION = Section("Discrimination", template_beside(__file__), gather, draw)
