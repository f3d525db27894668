"""The facts of a whole table as plain values, with what cannot be read row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.cohort.clinical import CLINICAL, FACTS, PatientFacts, read_facts_of
from dyssync.cohort.table import Problem
from dyssync.errors import CohortError
from dyssync.formats.reading.sexes import foreign_letters, neither_codes


@dataclass(frozen=True)
class PlainFacts:
    """A table whose facts are plain values.

    Attributes:
        table: age in years, sex F or M, the columns of `CLINICAL` as numbers; what is not known, or
            cannot be read, is missing. One cell never takes another along.
        problems: cells that cannot be read, a row at a time.
        cautions: values that are not quite what the cell says.
    """

    table: pd.DataFrame
    problems: list[Problem]
    cautions: list[Problem]


def plain_facts(table: pd.DataFrame, sexes: Iterable[object] | None = None) -> PlainFacts:
    """Read the facts of all rows; columns that the table lacks stay away.

    Args:
        table: a row a recording.
        sexes: what its column sex holds where `table` is a part of a larger one: what a letter
            means, the whole column says. None: `table` is whole.
    """
    there = [name for name in FACTS if name in table]
    if not there:
        return PlainFacts(table, [], [])
    if sexes is None:
        sexes = table["sex"].dropna() if "sex" in table else ()
    sexes = tuple(sexes)
    letters, neither = not foreign_letters(sexes), neither_codes(sexes)
    problems, cautions, values = [], [], []
    patients = table["patient_id"] if "patient_id" in table else pd.Series("", index=table.index)
    for i, row in enumerate(table[there].to_dict("records")):
        cells = {str(name): cell for name, cell in row.items()}
        if str(cells.get("sex")).strip().casefold() in neither:
            cells["sex"] = ""
        patient = str(patients.iloc[i])
        try:
            facts = read_facts_of(cells, letters=letters)
        except CohortError as error:
            problems.append(Problem(i + 2, patient, str(error)))
            facts = _readable(cells, letters)
        if facts.age is not None and facts.age.caution:
            cautions.append(Problem(i + 2, patient, facts.age.caution))
        values.append(_values(facts))
    plain = pd.DataFrame(values, index=table.index)
    return PlainFacts(table.assign(**{name: plain[name] for name in there}), problems, cautions)


def _readable(cells: Mapping[str, object], letters: bool) -> PatientFacts:
    """Return what the other cells of a row say, where some cannot be read."""
    found = PatientFacts(None, None, {})
    for name, cell in cells.items():
        try:
            one = read_facts_of({name: cell}, letters=letters)
        except CohortError:
            continue
        found = PatientFacts(
            one.age or found.age, one.sex or found.sex, {**found.clinical, **one.clinical}
        )
    return found


def _values(facts: PatientFacts) -> dict[str, object]:
    return {
        "age": np.nan if facts.age is None else facts.age.years,
        "sex": facts.sex,
        **{name: facts.clinical.get(name, np.nan) for name in CLINICAL},
    }
