"""Settings unlike the paper: each can explain a different result."""

from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
from dyssync.report.wording import text_of


def gather(study: Overview) -> tuple[tuple[str, str, str], ...]:
    """Return setting, value of preset "paper" and value here."""
    differs = study.results.run.differs_from_paper
    return tuple((name, text_of(paper), text_of(here)) for name, (paper, here) in differs.items())


SECTION = Section("Settings unlike the paper", template_beside(__file__), gather)
