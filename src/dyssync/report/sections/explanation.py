"""What the image models used: Grad-CAM maps by region, by lead, and some of them drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyssync.explanation.overlay import plot_overlay
from dyssync.figures.palette import INK, Look
from dyssync.figures.plate import file_name, finish
from dyssync.report.figures import WIDE, blank, in_percent
from dyssync.report.map_facts import LeadShares, ModelMaps, model_maps
from dyssync.report.overview import Overview
from dyssync.report.section import Plates, Section, template_beside
from dyssync.report.wording import percent
from dyssync.study.results import StudyResults

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class RegionRow:
    """How many maps of a model fell into a region, beside chance and the published study."""

    model: str
    region: str
    count: int
    share: str
    chance: str
    study: str


@dataclass(frozen=True)
class ExplanationFacts:
    """Counts by region, maps by model; ``own_pictures``: the cohort holds no signals."""

    regions: tuple[RegionRow, ...]
    maps: tuple[ModelMaps, ...]
    own_pictures: bool


def gather(study: Overview) -> ExplanationFacts:
    """Return what the tables of the maps say."""
    results = study.results
    return ExplanationFacts(_regions(results), model_maps(results), results.run.pictures)


def _regions(results: StudyResults) -> tuple[RegionRow, ...]:
    """Return the counts by region in the order of the table."""
    return tuple(
        RegionRow(
            model=str(row["model"]),
            region=str(row["region"]),
            count=int(row["count"]),
            share=percent(float(row["share"]), 1),
            chance=percent(float(row["chance_share"]), 1),
            study=percent(float(row["study_share"]), 1),
        )
        for row in results.explanations["region_counts"].to_dict("records")
    )


def draw(facts: ExplanationFacts, study: Overview) -> Plates:
    """Draw the shares by lead of each model under its name, its cases under theirs."""
    plates = {}
    for maps in facts.maps:
        name = study.file_names[maps.model]
        if maps.leads.n:
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
