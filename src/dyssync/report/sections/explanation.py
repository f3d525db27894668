"""What the image models used: some Grad-CAM maps, and counts of them where they mean patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyssync.explanation.agreement import LEAST_PATIENTS
from dyssync.explanation.networks import UNTRAINED
from dyssync.explanation.overlay import plot_overlay
from dyssync.explanation.regions import REGIONS
from dyssync.figures.palette import INK, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.figures import WIDE, blank, in_percent
from dyssync.report.map_facts import LeadShares, ModelMaps, model_maps
from dyssync.report.overview import Overview
from dyssync.report.region_facts import RegionFacts, region_facts
from dyssync.report.section import Plates, Section, template_beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ExplanationFacts:
    """What the section says.

    Attributes:
        maps: of each model.
        regions: of its maps, by model.
        own_pictures: the cohort holds no signals.
        names: of the regions.
        n_untrained: networks without learning that a model is compared with.
        least: patients that agreement is judged by, at least.
    """

    maps: tuple[ModelMaps, ...]
    regions: Mapping[str, RegionFacts]
    own_pictures: bool
    names: tuple[str, ...] = REGIONS
    n_untrained: int = UNTRAINED
    least: int = LEAST_PATIENTS

    def counted(self, model: str) -> bool:
        """Whether sums over a model's maps say something about patients, and so are shown."""
        return model in self.regions and self.regions[model].counted


def gather(study: Overview) -> ExplanationFacts:
    """Return what the tables of the maps say."""
    results = study.results
    return ExplanationFacts(model_maps(results), region_facts(results), results.run.pictures)


def draw(facts: ExplanationFacts, study: Overview) -> Plates:
    """Draw each model's cases under their keys, and what is counted of its leads under its name."""
    plates = {}
    for maps in facts.maps:
        name = study.file_names[maps.model]
        if maps.leads.n and facts.counted(maps.model):
            plates[maps.model] = finish(
                _plot_leads(maps.leads, study.looks[maps.model]),
                file_name("leads", name),
                f"Mean share of the Grad-CAM map of {maps.model} in every lead.",
            )
        for case in maps.cases:
            plates[case.key] = finish(
                plot_overlay(study.results.maps[maps.model], case.index, maps.scale),
                file_name("map", name, f"p{case.percentile}"),
                f"ECG as {maps.model} saw it, tinted where the map is high: {case.region}.",
                vector=False,
            )
    return plates


def _plot_leads(shares: LeadShares, look: Look) -> Figure:
    """Draw the mean share of the map in every lead, and a tick where an even map would be."""
    figure, axes = blank(WIDE, 3.0)
    places = range(len(shares.leads))
    axes.bar(places, shares.shares, 0.72, color=look.colour, alpha=0.85, label="mean share")
    axes.plot(places, shares.even, "_", color=INK, ms=15, mew=1.6, label="an even map")
    axes.set_xticks(places, shares.leads, fontsize=7.6)
    axes.grid(visible=False, axis="x")
    in_percent(axes.yaxis)
    axes.set_ylabel("Share of the map")
    axes.margins(y=0.12)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


SECTION = Section("What the image models used", template_beside(__file__), gather, draw)
