"""Who the patients are: clinical facts as numbers, and Table 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dyssync.cohort.clinical import CLINICAL, read_clinical
from dyssync.evaluation.case_mix import Difference, Summary, case_mix
from dyssync.report.wording import MINUS, NO_BREAK

# Column of facts -> label with unit; a share where it is yes or no.
LABELS: Mapping[str, str] = {
    "age": "Age, years",
    "male": "Male",
    "ischaemic": "Ischaemic aetiology",
    "lvef": "LVEF, %",
    "nyha_3_4": "NYHA class III or IV",
    "af": "Atrial fibrillation",
    "qrs_ms": "QRS duration, ms",
    "lbbb": "Left bundle-branch block",
}
# How a table may call the QRS duration, ms; the first that is there counts.
QRS_COLUMNS = ("qrs_duration_ms", "qrs_ms", "qrs_duration_machine_ms")


@dataclass(frozen=True)
class Line:
    """A line of Table 1: label, both groups, standardised mean difference, all as text."""

    label: str
    first: str
    second: str
    difference: str


def clinical_facts(patients: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of each patient as numbers, a column a fact of :data:`LABELS`.

    A column that the table lacks is left out; what is not known stays NaN.
    """
    rows = [{str(k): v for k, v in row.items()} for row in patients.to_dict("records")]
    there = [name for name in CLINICAL if name in patients]
    found = [read_clinical(row) for row in rows]
    read = pd.DataFrame(found, index=patients.index, columns=there, dtype=float)
    nyha = read.get("nyha")
    facts: dict[str, object] = {
        "age": _number(patients, "age"),
        "male": _male(patients),
        "ischaemic": read.get("ischaemic"),
        "lvef": read.get("lvef"),
        "nyha_3_4": None if nyha is None else (nyha >= 3).astype(float).where(nyha.notna()),
        "af": read.get("af"),
        "qrs_ms": next((_number(patients, c) for c in QRS_COLUMNS if c in patients), None),
        "lbbb": _number(patients, "lbbb"),
    }
    known = {name: values for name, values in facts.items() if values is not None}
    return pd.DataFrame(known, index=patients.index)


def _number(patients: pd.DataFrame, name: str) -> pd.Series | None:
    if name not in patients:
        return None
    return pd.to_numeric(patients[name], errors="coerce").astype(float)


def _male(patients: pd.DataFrame) -> pd.Series | None:
    if "sex" not in patients:
        return None
    return patients["sex"].map({"M": 1.0, "F": 0.0}).astype(float)


def lines(first: pd.DataFrame, second: pd.DataFrame) -> tuple[Line, ...]:
    """Compare two groups of patients fact by fact.

    Args:
        first: as of :func:`clinical_facts`; the difference is first minus second, in SD.
        second: likewise.
    """
    if not len(first) or not len(second):
        return ()
    found = case_mix(second, first)  # its difference is second minus first
    return tuple(
        Line(
            LABELS[one.variable],
            _written(one, one.second),
            _written(one, one.first),
            _signed(one.standardised),
        )
        for one in found
        if one.first.known + one.second.known
    )


def _written(one: Difference, group: Summary) -> str:
    """Write mean and SD, or count and share; and of how many it is not known."""
    missing = f"; {group.missing} not known" if group.missing else ""
    if not group.known:
        return "not known"
    if one.binary:
        count = round(group.mean * group.known)
        return f"{count} ({100 * group.mean:.0f}{NO_BREAK}%){missing}"
    spread = f" ± {group.sd:.1f}" if math.isfinite(group.sd) else ""
    return f"{group.mean:.1f}{spread}{missing}"


def _signed(difference: float) -> str:
    return f"{difference:+.2f}".replace("-", MINUS) if math.isfinite(difference) else "not defined"
