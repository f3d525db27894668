"""Cautions: what a reader must know before any number."""

from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside


def gather(study: Overview) -> tuple[str, ...]:
    """Return the cautions of the run, a sentence each."""
    return study.results.cautions


SECTION = Section("Cautions", template_beside(__file__), gather)
