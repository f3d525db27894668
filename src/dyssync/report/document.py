"""From a run's results to the one offline HTML file: facts, then figures, then the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from dyssync import __version__
from dyssync.figures.plate import figure_style
from dyssync.pretraining.encoder import knows_simulator
from dyssync.report.documents import DOCUMENTS
from dyssync.report.overview import Overview, look_over
from dyssync.report.section import Plates
from dyssync.report.sections import SECTIONS
from dyssync.report.wording import count, metric, percent
from dyssync.study.results import StudyResults
from dyssync.whole import make_folder, write_bytes

if TYPE_CHECKING:
    from jinja2 import Environment, Template

Facts: TypeAlias = Mapping[str, Any]  # by section, what it gathered


@dataclass(frozen=True, eq=False)
class Filled:
    """A section as the page shows it."""

    name: str
    title: str
    template: Template
    facts: Any
    plates: Plates


def write_report(results: StudyResults, folder: Path) -> Path:
    """Write ``report.html``, ``figures/`` and documents into `folder`; return the report's path.

    The report is one file: style and figures are inside, nothing is loaded, no script runs. Equal
    results give equal bytes.

    Raises:
        InputError: a file cannot be written.
    """
    study = look_over(results)
    facts = gather_facts(study)
    plates = draw_plates(study, facts)
    figures = folder / "figures"
    make_folder(figures)
    for section in plates.values():
        for plate in section.values():
            plate.write(figures)
    report = folder / "report.html"
    texts = {name: write(study) for name, write in DOCUMENTS.items()}
    for name, text in (texts | {report.name: render_html(study, facts, plates)}).items():
        # a file's name may hold bytes that are no text; they must not cost the report
        write_bytes(folder / name, text.encode("utf-8", "xmlcharrefreplace"))
    return report


def gather_facts(study: Overview) -> Facts:
    """Return what each section says."""
    return {name: SECTIONS[name].gather(study) for name in SECTIONS}


def draw_plates(study: Overview, facts: Facts) -> Mapping[str, Plates]:
    """Draw the figures of each section."""
    with figure_style():
        return {name: SECTIONS[name].draw(facts[name], study) for name in SECTIONS}


def render_html(study: Overview, facts: Facts, plates: Mapping[str, Plates]) -> str:
    """Return the page. Every text that is not ours is escaped."""
    pages = page_templates()
    filled = [
        Filled(
            name,
            SECTIONS[name].title,
            pages.from_string(SECTIONS[name].template),
            facts[name],
            plates[name],
        )
        for name in SECTIONS
    ]
    run = study.results.run
    flattered = [name for name, origin in run.encoders.items() if knows_simulator(origin)]
    return pages.get_template("report.html.j2").render(
        study=study, run=run, sections=filled, ceiling=_below_ceiling(study), flattered=flattered
    )


def _below_ceiling(study: Overview) -> tuple[tuple[str, float, float], ...]:
    """Return (model, AUROC, how far it lies below the best); empty for a real cohort."""
    bayes = study.results.run.bayes_auroc
    if bayes is None:
        return ()
    found = [(model, study.estimate(model, "auroc").value) for model in study.models]
    return tuple((model, auroc, bayes - auroc) for model, auroc in found if math.isfinite(auroc))


@cache
def page_templates() -> Environment:
    """Return the environment of all pages: autoescaped, with the style and our ways to write."""
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
        metric=metric,
        version=__version__,
        style=Markup(style),  # our own file, part of the package
        count=count,
        percent=percent,
    )
    return environment
