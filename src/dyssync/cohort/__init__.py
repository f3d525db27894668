"""Patients: the table, its recordings and clinical facts, splits; corpora without labels."""

from dyssync.cohort.cohort import Cohort, check_cohort, read_cohort

__all__ = ["Cohort", "check_cohort", "read_cohort"]
