"""Clinical facts as they are typed into the page or sent to the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dyssync.cohort.cells import OLDEST, text_of
from dyssync.cohort.clinical import CLINICAL, FACTS, clinical_fact, read_facts_of, with_clinical
from dyssync.errors import CohortError
from dyssync.image import Input
from dyssync.web.refusals import Refused

FIELDS = FACTS
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
    """Return a recording or picture with what was typed in of the patient.

    Facts are read as strictly as those of a table.

    Raises:
        Refused: values that cannot be, all at once, without what was typed.
    """
    problems = []
    for name, text in typed.items():
        try:
            read_facts_of({name: text})
        except CohortError:
            problems.append(_needed(name))
    if problems:
        raise Refused(422, "; ".join(problems))
    return with_clinical(x, typed)


def _needed(name: str) -> str:
    if name == "age":
        return f"age cannot be; years above 0 and up to {OLDEST:g} are needed"
    if name == "sex":
        return "sex is unknown; F or M is needed"
    column = CLINICAL[name]
    needed = "0 or 1" if column.high == 1 else f"{column.low:g} to {column.high:g}"
    return f"{name} cannot be; {needed} {column.unit}".rstrip() + " is needed"


def shown_facts(x: Input, typed: Mapping[str, str]) -> tuple[Fact, ...]:
    """Return every clinical fact with its origin: typed in, from the file, or not given."""
    return tuple(_shown(x, name, bool(text_of(typed.get(name, "")))) for name in FIELDS)


def _shown(x: Input, name: str, typed: bool) -> Fact:
    value = clinical_fact(x, name)
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
