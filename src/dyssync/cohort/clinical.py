"""Clinical columns a cohort table may have beside the ECG: what is allowed, and its range.

Only these are ever offered to a model. The response, the volumes it is made of, and every other
column of the table stay out by construction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from dyssync.cohort.cells import Age, age_of, number_of, sex_of, shown, text_of
from dyssync.ecg import ECG, Sex
from dyssync.errors import CohortError
from dyssync.image import ECGImage, Input

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
AGE_NOTE = "age in the table"  # key of the note of a recording


@dataclass(frozen=True)
class PatientFacts:
    """What a row tells of a patient.

    Attributes:
        age: with what is to be said of it; None where not known.
        sex: None where not known, or neither.
        clinical: columns of :data:`CLINICAL` by name; what is not known is left out.
    """

    age: Age | None
    sex: Sex | None
    clinical: Mapping[str, float]


def read_facts_of(row: Mapping[str, object], *, letters: bool = True) -> PatientFacts:
    """Read all facts of a table row.

    Args:
        row: cells by column; columns that are no facts are passed over.
        letters: as in :func:`dyssync.cohort.cells.sex_of`.

    Raises:
        CohortError: cells that cannot be read; all at once.
    """
    problems: list[str] = []
    age: Age | None = None
    sex: Sex | None = None
    clinical: dict[str, float] = {}
    try:
        age = age_of(row.get("age", ""))
    except CohortError as error:
        problems.append(str(error))
    try:
        sex = sex_of(row.get("sex", ""), letters=letters)
    except CohortError as error:
        problems.append(str(error))
    try:
        clinical = read_clinical(row)
    except CohortError as error:
        problems.append(str(error))
    if problems:
        raise CohortError("; ".join(problems))
    return PatientFacts(age, sex, clinical)


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
        text = text_of(row.get(name, ""))
        if not text:
            continue
        value = _number(text, column)
        if value is None:
            needed = "0 or 1" if column.high == 1 else f"{column.low:g} to {column.high:g}"
            unit = f" {column.unit}" if column.unit else ""
            problems.append(f"{name} is {shown(row[name])}; {needed}{unit} is needed, or nothing")
        else:
            found[name] = value
    if problems:
        raise CohortError("; ".join(problems))
    return found


def _number(text: str, column: ClinicalColumn) -> float | None:
    text = (YES_NO if column.high == 1 else ROMAN).get(text, text)
    value = number_of(text.removesuffix("%").strip() if column.unit == "%" else text)
    if value is None:
        return None
    is_class = column.unit == ""
    fits = column.low <= value <= column.high and (not is_class or value == round(value))
    return value if fits else None


Recording = TypeVar("Recording", bound=ECG | ECGImage)


def with_clinical(x: Recording, row: Mapping[str, object]) -> Recording:
    """Return `x` with what a table row says of the patient; that overrides what was known.

    So of a picture, and of the ECG that was read off it.

    An age that is a class (">89") stands with its caution in the notes, as :data:`AGE_NOTE`.

    Raises:
        CohortError: a value that cannot be.
    """
    facts = read_facts_of(row)
    said = {AGE_NOTE: facts.age.caution} if facts.age and facts.age.caution else {}
    known = replace(
        x,
        age=facts.age.years if facts.age else x.age,
        sex=facts.sex or x.sex,
        clinical={**x.clinical, **facts.clinical},
        notes={**x.notes, **said},
    )
    if isinstance(known, ECGImage) and known.ecg is not None:
        known = replace(known, ecg=with_clinical(known.ecg, row))
    return known


def facts_of(x: Input) -> Mapping[str, float]:
    """Return the clinical facts that are known of a recording's patient, by name."""
    found = {name: clinical_fact(x, name) for name in FACTS}
    return {name: value for name, value in found.items() if not math.isnan(value)}


def knows_facts(inputs: Iterable[Input]) -> bool:
    """Return whether any clinical fact is known of any patient."""
    return any(facts_of(x) for x in inputs)


def clinical_fact(x: Input, name: str) -> float:
    """Return a clinical fact of the patient: age in years, sex (1 woman, 0 man), or a column.

    NaN where it is not known.
    """
    if name == "age":
        return float("nan") if x.age is None else x.age
    if name == "sex":
        return float("nan") if x.sex is None else float(x.sex == "F")
    return x.clinical.get(name, float("nan"))
