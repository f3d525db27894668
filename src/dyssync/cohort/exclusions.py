"""Who takes no part in a study, and why; and what is known of those without an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from dyssync.cohort.clinical import CLINICAL, FACTS, impossible_facts
from dyssync.cohort.rows import one_row_each
from dyssync.cohort.table import Problem

# Of patients without an outcome: what tells them from the others
WITHOUT_COLUMNS = ("patient_id", "followup", *FACTS)


def who_is_gone(table: pd.DataFrame, positions: Sequence[int]) -> pd.DataFrame:
    """Return a row a patient who died or was lost; of a fact that cannot be nothing is known."""
    held = table.iloc[list(positions)]
    for name in (name for name in CLINICAL if name in held):
        possible = np.array([not impossible_facts({name: value}) for value in held[name]])
        held = held.assign(**{name: held[name].where(possible)})
    return one_row_each(held).reindex(columns=list(WITHOUT_COLUMNS))


def impossible_of_gone(table: pd.DataFrame, without: Sequence[Problem]) -> list[Problem]:
    """Find facts that cannot be in rows of patients without an outcome.

    Their recordings may be missing, but they are compared with the others.
    """
    found = []
    for gone in without:
        assert gone.row is not None
        row = {str(k): v for k, v in table.iloc[gone.row - 2].items()}
        if text := impossible_facts(row):
            found.append(replace(gone, text=text))
    return found


def left_out_rows(problems: Sequence[Problem]) -> pd.DataFrame:
    """Return row, patient_id and all reasons of each row that is left out, a row once."""
    reasons: dict[tuple[int, str], list[str]] = {}
    for p in problems:
        if p.row is not None:
            reasons.setdefault((p.row, p.patient_id), []).append(p.text)
    return pd.DataFrame(
        [(*key, "; ".join(texts)) for key, texts in reasons.items()],
        columns=["row", "patient_id", "reason"],
    )
