"""Who takes no part in a study, and why; and what is known of those without an outcome."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dyssync.cohort.clinical import FACTS
from dyssync.cohort.rows import one_row_each
from dyssync.cohort.table import Problem

# Of patients without an outcome: what tells them from the others
WITHOUT_COLUMNS = ("patient_id", "followup", *FACTS)


def who_is_gone(table: pd.DataFrame, positions: Sequence[int]) -> pd.DataFrame:
    """Return a row a patient who died or was lost, of a table of plain facts."""
    held = table.iloc[list(positions)]
    return one_row_each(held).reindex(columns=list(WITHOUT_COLUMNS))


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
