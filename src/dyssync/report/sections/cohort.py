"""Patients: from recordings read to patients kept, who has no outcome, and Table 1."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dyssync.cohort.rows import one_row_each
from dyssync.evaluation.flow import responder_shares
from dyssync.report.cohort_facts import CohortFacts
from dyssync.report.overview import Overview
from dyssync.report.patient_table import Line, clinical_facts, lines
from dyssync.report.section import Section, template_beside
from dyssync.report.wording import percent

DIED = "died"


@dataclass(frozen=True)
class WithoutOutcome:
    """Patients without an outcome, and how far they could move the share of responders.

    Attributes:
        died, lost: how many.
        shares: reading and share of responders under it.
        differences: included patients against these.
    """

    died: int
    lost: int
    shares: tuple[tuple[str, str], ...]
    differences: tuple[Line, ...]


@dataclass(frozen=True)
class PatientFacts:
    """Counts, who has no outcome (None: nobody, as far as known), and Table 1."""

    counts: CohortFacts
    without: WithoutOutcome | None
    table_1: tuple[Line, ...]


def gather(study: Overview) -> PatientFacts:
    """Return what the tables say of the patients."""
    patients = one_row_each(study.results.tables["cohort"])
    facts = clinical_facts(patients)
    responds = patients["responder"] == 1
    return PatientFacts(
        counts=study.cohort,
        without=_without(study, facts),
        table_1=lines(facts[responds], facts[~responds]),
    )


def _without(study: Overview, included: pd.DataFrame) -> WithoutOutcome | None:
    gone = one_row_each(study.results.tables["without_outcome"])
    if gone.empty:
        return None
    died = int((gone["followup"].astype(str).str.strip().str.lower() == DIED).sum())
    lost = len(gone) - died
    others = clinical_facts(gone)
    counts = study.cohort
    found = responder_shares(counts.responders, counts.non_responders, died, lost)
    shares = (
        ("measured, among those with an outcome", found.measured),
        ("deaths counted as non-responders, the lost left out", found.deaths_as_non_responders),
        ("worst case: none of the lost responded", found.worst),
        ("best case: all of the lost responded", found.best),
    )
    return WithoutOutcome(
        died,
        lost,
        tuple((reading, percent(share, 1)) for reading, share in shares),
        lines(included[[name for name in included if name in others]], others),
    )


SECTION = Section("Patients", template_beside(__file__), gather)
