"""Patients: the table, its recordings and clinical facts, splits; corpora without labels."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dyssync.cohort.cohort import Cohort, check_cohort, read_cohort

__all__ = ["Cohort", "check_cohort", "read_cohort"]


def __getattr__(name: str) -> Any:
    """Return what needs pandas once it is asked for: a prediction asks for clinical facts alone."""
    if name not in __all__:
        raise AttributeError(f"module 'dyssync.cohort' has no attribute {name!r}")
    return getattr(importlib.import_module("dyssync.cohort.cohort"), name)
