"""Clinical facts as they are typed into the page or sent to the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dyssync.cohort.clinical import CLINICAL, FACTS, clinical_fact, read_clinical, with_clinical
from dyssync.ecg import ECG
from dyssync.errors import CohortError
from dyssync.image import Input
from dyssync.web.refusals import Refused

FIELDS = FACTS
AGES = (0.0, 130.0)  # years
SEXES = ("F", "M")
TITLES: Mapping[str, str] = {
    "age": "Age", "sex": "Sex", "ischaemic": "Ischaemic aetiology", "lvef": "LVEF",
    "nyha": "NYHA class", "af": "Atrial fibrillation",
}  # fmt: skip
TYPED, FROM_FILE, NOT_GIVEN = "typed in", "from the file", "not given"
WORDS: Mapping[str, Mapping[float, str]] = {
    "sex": {1.0: "female", 0.0: "male"},
    "ischaemic": {1.0: "yes", 0.0: "no"},
    "af": {1.0: "yes", 0.0: "no"},
    "nyha": {1.0: "I", 2.0: "II", 3.0: "III", 4.0: "IV"},
}


@dataclass(frozen=True)
class Fact:
    """A clinical fact as the page shows it: what it is called, its value, where it comes from."""

    title: str
    value: str
    origin: str


def read_number(name: str, text: str) -> float:
    """Return a number that was typed in.

    Raises:
        Refused: it is none.
    """
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise Refused(422, f"{name} is no number; correct it, or leave it empty") from error


def with_facts(x: Input, typed: Mapping[str, str]) -> Input:
    """Return a recording with what was typed in of the patient; a picture takes none.

    Raises:
        Refused: values that cannot be, all at once.
    """
    problems = []
    row: dict[str, object] = {name: text for name, text in typed.items() if name in CLINICAL}
    try:
        read_clinical(row)
    except CohortError:
        problems += _impossible(row)
    if "age" in typed:
        row["age"] = age = read_number("age", typed["age"])
        if not AGES[0] <= age <= AGES[1]:
            problems.append(f"age is out of range; {AGES[0]:g} to {AGES[1]:g} years are needed")
    if "sex" in typed:
        row["sex"] = typed["sex"].upper()
        if row["sex"] not in SEXES:
            problems.append("sex is unknown; F or M is needed")
    if problems:
        raise Refused(422, "; ".join(problems))
    return with_clinical(x, row) if isinstance(x, ECG) else x


def _impossible(row: Mapping[str, object]) -> list[str]:
    """Word the clinical facts that cannot be, without what was typed."""
    found = []
    for name, value in row.items():
        try:
            read_clinical({name: value})
        except CohortError:
            column = CLINICAL[name]
            needed = "0 or 1" if column.high == 1 else f"{column.low:g} to {column.high:g}"
            found.append(f"{name} cannot be; {needed} {column.unit}".rstrip() + " is needed")
    return found


def shown_facts(x: Input, typed: Mapping[str, str]) -> tuple[Fact, ...]:
    """Return every clinical fact with its origin: typed in, from the file, or not given."""
    if not isinstance(x, ECG):
        return ()
    return tuple(_shown(x, name, name in typed) for name in FIELDS)


def _shown(ecg: ECG, name: str, typed: bool) -> Fact:
    value = clinical_fact(ecg, name)
    if value != value:  # NaN: not known
        return Fact(TITLES[name], "", NOT_GIVEN)
    return Fact(TITLES[name], in_words(name, value), TYPED if typed else FROM_FILE)


def in_words(name: str, value: float) -> str:
    """Return a clinical fact as a person says it.

    >>> in_words("nyha", 3.0), in_words("lvef", 27.0), in_words("age", 66.0)
    ('III', '27 %', '66 years')
    """
    if name in WORDS:
        return WORDS[name][value]
    unit = "years" if name == "age" else CLINICAL[name].unit
    return f"{value:g} {unit}".rstrip()
