"""Model against model: the corrected test of every pair."""

from dyssync.report.overview import Overview
from dyssync.report.pairs import Comparison, comparisons
from dyssync.report.section import Section, template_beside


def gather(study: Overview) -> tuple[Comparison, ...]:
    """Return every test with its sentence, AUROC first."""
    return comparisons(study.results.tables["tests"], study.summary)


SECTION = Section("Model against model", template_beside(__file__), gather)
