"""From a run's results to the one offline HTML file: numbers, then figures, then the page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from dyssync import __version__
from dyssync.figures.palette import Look, looks
from dyssync.figures.plate import Picture, figure_style, file_name, finish
from dyssync.report.facts import Facts, ModelCurves, gather_facts
from dyssync.report.wording import count, metric, percent
from dyssync.study.results import StudyResults

if TYPE_CHECKING:
    from jinja2 import Environment

# id of the section, which is also its anchor and its template, and its title in the contents
SECTIONS: Mapping[str, str] = {
    "cautions": "Cautions",
    "short": "In short",
    "cohort": "Patients",
    "performance": "Performance",
    "comparisons": "Model against model",
    "seeds": "Seed by seed",
    "roc": "Discrimination (ROC)",
    "calibration": "Calibration",
    "decision": "Decision curve",
    "distribution": "Probabilities by class",
    "confusion": "Right and wrong, in counts",
    "explanation": "What the image models used",
    "features": "What the measuring models used",
    "settings": "Settings unlike the paper",
    "reproduce": "How to reproduce",
}


@dataclass(frozen=True)
class Pictures:
    """The figures of a report; those of one model under the model's name."""

    dots: tuple[Picture, ...] = ()
    decision: Picture | None = None
    roc: Mapping[str, Picture] = field(default_factory=dict)
    calibration: Mapping[str, Picture] = field(default_factory=dict)
    distribution: Mapping[str, Picture] = field(default_factory=dict)
    leads: Mapping[str, Picture] = field(default_factory=dict)
    gallery: Mapping[str, tuple[Picture, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Picture]:
        yield from self.dots
        if self.decision is not None:
            yield self.decision
        for group in (self.roc, self.calibration, self.distribution, self.leads):
            yield from group.values()
        for cases in self.gallery.values():
            yield from cases


def write_report(results: StudyResults, folder: Path) -> Path:
    """Write ``figures/`` and ``report.html`` into `folder` and return the path of the report.

    The report is one file: style and figures are inside, nothing is loaded, no script runs. Equal
    results give equal bytes.
    """
    facts = gather_facts(results)
    pictures = draw_pictures(facts, results)
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        picture.write(figures)
    report = folder / "report.html"
    temporary = folder / ".report.html.tmp"
    # a command line may hold bytes that are no text; they must not cost the report
    temporary.write_bytes(render_html(facts, pictures).encode("utf-8", "xmlcharrefreplace"))
    os.replace(temporary, report)
    return report


def draw_pictures(facts: Facts, results: StudyResults) -> Pictures:
    """Draw all figures of a report."""
    from dyssync.report import figures

    model_looks = looks(facts.models)
    names = _safe_names(facts.models)
    with figure_style():
        dots = tuple(
            finish(
                figures.plot_seed_dots(plot, model_looks),
                file_name("seeds", plot.metric),
                f"{metric(plot.metric).label} of every seed as dots, one line a model.",
            )
            for plot in facts.dots
            if plot.rows
        )
        decision = None
        if facts.curves:
            decision = finish(
                figures.plot_decision({c.model: c.decision for c in facts.curves}, model_looks),
                "decision",
                "Net benefit against threshold probability, one line a model, with the lines of "
                "treating all and treating none.",
            )
        panels = [_panels(c, model_looks[c.model], names[c.model]) for c in facts.curves]
        leads, gallery = _draw_maps(facts, results, model_looks, names)
    models = [c.model for c in facts.curves]
    return Pictures(
        dots=dots,
        decision=decision,
        roc={model: panel[0] for model, panel in zip(models, panels, strict=True)},
        calibration={model: panel[1] for model, panel in zip(models, panels, strict=True)},
        distribution={model: panel[2] for model, panel in zip(models, panels, strict=True)},
        leads=leads,
        gallery=gallery,
    )


def _panels(curves: ModelCurves, look: Look, name: str) -> tuple[Picture, Picture, Picture]:
    from dyssync.report import figures

    n = count(curves.n, "prediction")
    return (
        finish(
            figures.plot_roc(curves.roc_of_seeds, curves.roc, look),
            file_name("roc", name),
            f"ROC curves of {curves.model}: every seed thin, all {n} together bold.",
        ),
        finish(
            figures.plot_calibration(curves.calibration, look),
            file_name("calibration", name),
            f"Observed against predicted share of responders of {curves.model}, {n}, with the "
            "number of predictions in every bin.",
        ),
        finish(
            figures.plot_distribution(curves.histogram, look),
            file_name("distribution", name),
            f"Probabilities that {curves.model} gave to responders (up) and non-responders (down).",
        ),
    )


def _draw_maps(
    facts: Facts, results: StudyResults, model_looks: Mapping[str, Look], names: Mapping[str, str]
) -> tuple[dict[str, Picture], dict[str, tuple[Picture, ...]]]:
    from dyssync.explanation import overlay as overlays
    from dyssync.report import figures

    leads, gallery = {}, {}
    for maps in facts.maps:
        look = model_looks.get(maps.model) or looks([maps.model])[maps.model]
        name = names.get(maps.model, maps.model)
        if maps.leads.n:
            leads[maps.model] = finish(
                figures.plot_lead_shares(maps.leads, look),
                file_name("leads", name),
                f"Mean share of the Grad-CAM map of {maps.model} in every lead.",
            )
        gallery[maps.model] = tuple(
            finish(
                overlays.plot_overlay(results.maps[maps.model], case.index, maps.scale),
                file_name("map", name, f"p{case.percentile}"),
                f"ECG as {maps.model} saw it, tinted where the map is high: {case.region}.",
                vector=False,
            )
            for case in maps.cases
            if maps.scale > 0
        )
    return leads, gallery


def _safe_names(models: tuple[str, ...]) -> dict[str, str]:
    """Return file names of the models; a number tells apart those that would be equal."""
    names: dict[str, str] = {}
    for model in models:
        name = file_name(model)
        taken = set(names.values())
        names[model] = name if name not in taken else f"{name}_{len(names)}"
    return names


def render_html(facts: Facts, pictures: Pictures) -> str:
    """Return the page. Every text that is not ours is escaped."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(facts=facts, pictures=pictures, looks=looks(facts.models))
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("dyssync.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = files("dyssync.report").joinpath("assets", "report.css").read_text(encoding="utf-8")
    environment.globals.update(
        sections=SECTIONS,
        metric=metric,
        version=__version__,
        style=Markup(style),  # our own file, part of the package
        count=count,
        percent=percent,
    )
    return environment
