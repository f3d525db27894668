"""Clinical facts in a call of CDS Hooks: age, sex and LVEF, as far as the record holds them.

Runs in the reading process, like the reading of the call.

References:
    HL7 FHIR R4, Patient and Observation; LOINC; UCUM.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

from dyssync.cohort.clinical import read_facts_of
from dyssync.errors import CohortError
from dyssync.image import Input
from dyssync.web.hook_call import LVEF, PATIENT, Json, items, resources
from dyssync.web.refusals import Refused

LOINC = "http://loinc.org"
# Left-ventricular ejection fraction; by ultrasound; by 2D ultrasound.
LVEF_CODES = ("10230-1", "18043-0", "8806-2")
STANDS = ("final", "amended", "corrected")  # statuses of an Observation that was looked at
SEXES: Mapping[str, str] = {"female": "F", "male": "M"}
DAYS_A_YEAR = 365.25
OTHER_SEX = (
    "the file and the record tell different sexes of the patient; is the ECG of somebody else?"
)


def facts_of_call(call: Json, recorded: date) -> dict[str, object]:
    """Return age, sex and LVEF by their names in a table; what is not known is left out.

    So is what no table may hold (an age of 130, an LVEF of 300 %): the ECG is answered without, and
    the answer says what is missing.

    Args:
        call: the call.
        recorded: when the ECG was, which the age is of.
    """
    found: dict[str, object] = {}
    for patient in resources(call, PATIENT):
        if patient.get("resourceType") == "Patient":
            found |= _of_patient(patient, recorded)
            break
    newest = next(_ejection_fractions(call), None)
    if newest is not None:
        found["lvef"] = newest
    return {name: value for name, value in found.items() if _can_be(name, value)}


def _can_be(name: str, value: object) -> bool:
    try:
        read_facts_of({name: value})
    except CohortError:
        return False
    return True


def _of_patient(patient: Json, recorded: date) -> Iterator[tuple[str, object]]:
    sex = SEXES.get(str(patient.get("gender")))
    if sex is not None:
        yield "sex", sex
    try:
        born = date.fromisoformat(str(patient.get("birthDate")))
    except ValueError:  # missing, or known to the year alone
        return
    yield "age", round((recorded - born).days / DAYS_A_YEAR, 2)


def _ejection_fractions(call: Json) -> Iterator[float]:
    """Return values in per cent, in the order of the search: the newest first."""
    for one in resources(call, LVEF):
        code, quantity = one.get("code"), one.get("valueQuantity")
        if one.get("resourceType") != "Observation" or one.get("status") not in STANDS:
            continue
        if not isinstance(code, dict) or not isinstance(quantity, dict):
            continue
        codes = [(each.get("system"), each.get("code")) for each in items(code.get("coding"))]
        value, units = quantity.get("value"), (quantity.get("code"), quantity.get("unit"))
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        if "%" in units and any((LOINC, each) in codes for each in LVEF_CODES):
            yield _float(value)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # JSON has whole numbers of any length
        return math.inf


def check_same_sex(x: Input, facts: Mapping[str, object]) -> None:
    """Refuse an ECG whose file tells another sex than the record: it may be somebody else's.

    Raises:
        Refused: 422, so it is.
    """
    if x.sex is not None and facts.get("sex", x.sex) != x.sex:
        raise Refused(422, OTHER_SEX)
