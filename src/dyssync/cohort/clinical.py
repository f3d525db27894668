"""Clinical columns a cohort table may have beside the ECG: what is allowed, and its range.

Only these are ever offered to a model. The response, the volumes it is made of, and every other
column of the table stay out by construction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dyssync.ecg import ECG, Sex
from dyssync.errors import CohortError
from dyssync.image import Input

RESPONSE_FALL = 0.15  # LVESV falls by at least 15 % in 6 months (Mori 2025, 10.1111/jce.70212)
YES_NO = {"no": "0", "false": "0", "yes": "1", "true": "1"}
ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}


@dataclass(frozen=True)
class ClinicalColumn:
    """One clinical column.

    Attributes:
        unit: %, or "" for a class or 0/1.
        low, high: smallest and largest value that can be.
        meaning: what the column says.
    """

    unit: str
    low: float
    high: float
    meaning: str


# age and sex are fields of the ECG itself, for many files hold them
CLINICAL: Mapping[str, ClinicalColumn] = {
    "ischaemic": ClinicalColumn("", 0, 1, "ischaemic aetiology, 0/1"),
    "lvef": ClinicalColumn("%", 5, 80, "left-ventricular ejection fraction before implantation"),
    "nyha": ClinicalColumn("", 1, 4, "NYHA class, 1-4 or I-IV"),
    "af": ClinicalColumn("", 0, 1, "atrial fibrillation is the rhythm, 0/1"),
}


FACTS = ("age", "sex", *CLINICAL)


def read_clinical(row: Mapping[str, object]) -> dict[str, float]:
    """Return the clinical facts of a table row; empty cells are left out.

    >>> read_clinical({"lvef": 25, "nyha": "III", "af": "no", "ischaemic": None, "centre": "A"})
    {'lvef': 25.0, 'nyha': 3.0, 'af': 0.0}

    Raises:
        CohortError: values that cannot be; all at once.
    """
    found: dict[str, float] = {}
    problems = []
    for name, column in CLINICAL.items():
        text = str(row.get(name, "")).strip().lower()
        if text in ("", "nan", "none", "<na>"):
            continue
        value = _number(text, column)
        if value is None:
            needed = "0 or 1" if column.high == 1 else f"{column.low:g} to {column.high:g}"
            unit = f" {column.unit}" if column.unit else ""
            problems.append(f"{name} is {row[name]}; {needed}{unit} is needed, or nothing")
        else:
            found[name] = value
    if problems:
        raise CohortError("; ".join(problems))
    return found


def impossible_facts(row: Mapping[str, object]) -> str:
    """Return which clinical facts of a table row cannot be; "" where all can.

    >>> impossible_facts({"lvef": 3, "nyha": "II"})
    'lvef is 3; 5 to 80 % is needed, or nothing'
    """
    try:
        read_clinical(row)
    except CohortError as error:
        return str(error)
    return ""


def _number(text: str, column: ClinicalColumn) -> float | None:
    try:
        value = float((YES_NO if column.high == 1 else ROMAN).get(text, text))
    except ValueError:
        return None
    is_class = column.unit == ""
    fits = column.low <= value <= column.high and (not is_class or value == round(value))
    return value if fits else None


def with_clinical(ecg: ECG, row: Mapping[str, object]) -> ECG:
    """Return `ecg` with what a table row says of the patient; age and sex override the file's.

    Raises:
        CohortError: a value that cannot be.
    """
    age = row.get("age")
    known_age = isinstance(age, (int, float)) and not math.isnan(age)
    return replace(
        ecg,
        age=float(age) if known_age else ecg.age,  # type: ignore[arg-type]
        sex=_sex(row.get("sex")) or ecg.sex,
        clinical=read_clinical(row),
    )


def _sex(value: object) -> Sex | None:
    letter = str(value).strip().upper()[:1]
    return "F" if letter in ("F", "W") else "M" if letter == "M" else None


def facts_of(x: Input) -> Mapping[str, float]:
    """Return the clinical facts that are known of a recording's patient, by name."""
    if not isinstance(x, ECG):
        return {}
    found = {name: clinical_fact(x, name) for name in FACTS}
    return {name: value for name, value in found.items() if not math.isnan(value)}


def knows_facts(inputs: Iterable[Input]) -> bool:
    """Return whether any clinical fact is known of any patient."""
    return any(facts_of(x) for x in inputs)


def clinical_fact(ecg: ECG, name: str) -> float:
    """Return a clinical fact of the patient: age in years, sex (1 woman, 0 man), or a column.

    NaN where it is not known.
    """
    if name == "age":
        return float("nan") if ecg.age is None else ecg.age
    if name == "sex":
        return float("nan") if ecg.sex is None else float(ecg.sex == "F")
    return ecg.clinical.get(name, float("nan"))
