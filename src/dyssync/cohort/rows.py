"""Patients with several rows: what one row tells of a patient holds in all of his."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def one_row_each(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row a patient, in the order of the table: of each column what a row of his tells."""
    return table.groupby("patient_id", sort=False, as_index=False).first()


def shared_facts(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the table with what one row tells of a patient in all of his rows, where empty."""
    there = [name for name in columns if name in table]
    known = table.groupby("patient_id", sort=False)[there].transform("first")
    return table.assign(**{name: table[name].fillna(known[name]) for name in there})
