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
YES_NO = {
    "ischaemic": "Ischaemic aetiology",
    "af": "Atrial fibrillation",
    "lbbb": "Left bundle-branch block",
}
MOST_CENTRES = 12  # more levels than that is no group of patients but a number of each
WIDE_QRS_MS = 150  # where the guidelines draw the line (ESC 2021, 10.1093/eurheartj/ehab364)


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


def groups_of(facts: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the groups that patients are in, indexed by patient id; NaN is not known.

    Args:
        facts: a row a patient: what is known of sex (1 woman), ischaemic, af, lbbb, qrs_ms.
        table: of the cohort; its column centre is a group where it is there.
    """
    words = {0.0: "no", 1.0: "yes"}
    found: dict[str, pd.Series] = {}
    if "sex" in facts:
        found["Sex"] = facts["sex"].map({1.0: "women", 0.0: "men"})
    for name, title in YES_NO.items():
        if name in facts:
            found[title] = facts[name].map(words)
    if "qrs_ms" in facts:
        wide = (facts["qrs_ms"] >= WIDE_QRS_MS).astype(float).map(words)
        found[f"QRS of {WIDE_QRS_MS} ms or more"] = wide.where(facts["qrs_ms"].notna())
    if "centre" in table and 1 < table["centre"].nunique() <= MOST_CENTRES:
        found["Centre"] = table.groupby("patient_id")["centre"].first()
    return pd.DataFrame(found, index=facts.index)
