"""Probabilities by class: what responders and non-responders were given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyssync.evaluation.curves import ClassHistogram, class_histogram
from dyssync.figures.palette import INK, SOFT_INK, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.figures import PANEL, blank, in_percent
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gather(study: Overview) -> dict[str, ClassHistogram]:
    """Return the histogram of each model over its out-of-fold answers."""
    return {one.model: class_histogram(one.y, one.p) for one in study.answers if one.n}


def draw(facts: dict[str, ClassHistogram], study: Overview) -> Plates:
    """Draw a panel a model, under its name."""
    return {
        model: finish(
            _plot(histogram, study.looks[model]),
            file_name("distribution", study.file_names[model]),
            f"Probabilities that {model} gave to responders (up) and non-responders (down).",
        )
        for model, histogram in facts.items()
    }


def _plot(histogram: ClassHistogram, look: Look) -> Figure:
    """Draw the probabilities of responders upwards and those of non-responders downwards."""
    figure, axes = blank(PANEL[0], PANEL[1] - 0.3)
    left, width = histogram.edges[:-1], histogram.edges[1] - histogram.edges[0]
    axes.bar(left, histogram.responders, width, align="edge", color=look.colour, ec="white")
    axes.bar(left, -histogram.non_responders, width, align="edge", color="#C3CBD3", ec="white")
    axes.axhline(0, color=INK, lw=0.8)
    top = 1.25 * max(0.05, *histogram.responders.tolist(), *histogram.non_responders.tolist())
    axes.set(xlim=(0, 1), ylim=(-top, top))
    in_percent(axes.yaxis)
    axes.grid(visible=False, axis="x")
    for y, words, va, colour in (
        (0.98, "responders", "top", INK),
        (0.02, "non-responders", "bottom", SOFT_INK),
    ):
        axes.text(0.02, y, words, va=va, color=colour, fontsize=7.6, transform=axes.transAxes)
    axes.set_xlabel("Predicted probability of response")
    axes.set_ylabel("Share of the class")
    return figure


SECTION = Section("Probabilities by class", template_beside(__file__), gather, draw)
