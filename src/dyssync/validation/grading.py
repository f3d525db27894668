"""What a bundle's answers to patients of another cohort are worth: numbers from one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

import numpy as np
import pandas as pd

from dyssync.evaluation.comparisons import compare_models
from dyssync.evaluation.coverage import coverage_table
from dyssync.evaluation.estimates import estimates
from dyssync.evaluation.subgroups import Subgroup, subgroups

ESTIMATES_SEED = 0x7A1
# No model was fitted to these patients: DeLong's variance holds as it is.
NOT_FITTED = 1.0


def grade(
    answers: pd.DataFrame, thresholds: Sequence[float], threshold: float
) -> Mapping[str, pd.DataFrame]:
    """Return the tables estimates, comparisons and coverage of answers.

    Args:
        answers: as of :func:`dyssync.validation.answers.answer_cohort`.
        thresholds: from which probability a patient is called a responder, in (0, 1).
        threshold: the one that the bundle names.
    """
    return {
        "estimates": estimates(answers, thresholds, ESTIMATES_SEED, NOT_FITTED),
        "comparisons": compare_models(answers, threshold, NOT_FITTED),
        "coverage": coverage_table(answers),
    }


def subgroup_table(answers: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Return calibration and AUROC of every model in every level of every group.

    Args:
        answers: as of :func:`dyssync.validation.answers.answer_cohort`.
        groups: (n rows) a row a patient, indexed by patient id, a column a group.
    """
    rows = []
    for model, own in answers.groupby("model", sort=False):
        y, p = own["y"].to_numpy(np.int64), own["p"].to_numpy(np.float64)
        found = subgroups(groups.loc[own["patient_id"]], y, p)
        rows += [{"model": model, **asdict(one)} for one in found]
    return pd.DataFrame(rows, columns=["model", *(field.name for field in fields(Subgroup))])
