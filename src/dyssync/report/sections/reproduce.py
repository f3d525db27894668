"""How to reproduce: command, fingerprint, versions, all settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
from dyssync.report.wording import flat

# fields of the run's record that stand elsewhere in the report
ELSEWHERE = {"differs_from_paper", "command", "simulated", "bayes_auroc"}


@dataclass(frozen=True)
class RunFacts:
    """How the run was called, and name and value of all that it noted of itself."""

    command: str
    fingerprint: str
    environment: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]


def gather(study: Overview) -> RunFacts:
    """Return what the run's two records say."""
    run = study.results.run
    return RunFacts(
        command=run.command,
        fingerprint=run.fingerprint,
        environment=flat(asdict(study.results.environment)),
        settings=flat({k: v for k, v in asdict(run).items() if k not in ELSEWHERE}),
    )


SECTION = Section("How to reproduce", template_beside(__file__), gather)
