"""Patients: the flow from recordings read to patients kept, and the parts of the splits."""

from dyssync.report.cohort_facts import CohortFacts
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside


def gather(study: Overview) -> CohortFacts:
    """Return the counts of the cohort."""
    return study.cohort


SECTION = Section("Patients", template_beside(__file__), gather)
