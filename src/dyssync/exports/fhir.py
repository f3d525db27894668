"""A case as a FHIR R4 Bundle: RiskAssessment, Observations, Device, DiagnosticReport.

Nobody is named in it: the Patient has a sex at most, and whoever takes the bundle in puts their own
reference in its place. Everything is preliminary.

References:
    HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4; LOINC; UCUM.
"""

from __future__ import annotations

import base64
import json
import math
import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias

from dyssync import __version__
from dyssync.cohort.clinical import RESPONSE_FALL
from dyssync.ecg import ECG
from dyssync.exports.case import NO_ANSWER, Case
from dyssync.exports.pdf import report_pdf
from dyssync.inspection.answer import RESEARCH_ONLY, decision, sentences
from dyssync.measurements import Measurements

Resource: TypeAlias = dict[str, Any]

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
OWN = "https://dyssync.example/fhir/measurement"  # of what LOINC has no code for; not registered
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
# Measurement -> system, code, words, unit in UCUM
MEASURED: Mapping[str, tuple[str, str, str, str]] = {
    "heart_rate_bpm": (LOINC, "8867-4", "Heart rate", "/min"),
    "pr_ms": (LOINC, "8625-6", "P-R interval", "ms"),
    "qrs_duration_ms": (LOINC, "8633-0", "QRS duration", "ms"),
    "qt_ms": (LOINC, "8634-8", "Q-T interval", "ms"),
    "qtc_bazett_ms": (LOINC, "8636-3", "Q-T interval corrected", "ms"),
    "qrs_axis_deg": (LOINC, "8632-2", "QRS axis", "deg"),
    "qrs_area_uvs": (OWN, "qrs-area", "QRS area, vectorcardiogram of Kors", "uV.s"),
}
MONTHS = 6  # until the echo that tells who responded


def fhir_bundle(case: Case) -> Resource:
    """Return the bundle, as JSON can hold it.

    The same file, bundle of models and resource give the same ``urn:uuid``, so that what is sent
    twice can be told.
    """
    patient, device = _patient(case), _device(case)
    observations = [] if case.found is None else _observations(case, case.found.measurements)
    panel = _panel(case, observations)
    risk = _risk(case)
    parts = [patient, device, panel, *observations, risk, _report(case, [panel, *observations])]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": case.made_at.isoformat(timespec="seconds"),
        "entry": [{"fullUrl": f"urn:uuid:{part['id']}", "resource": part} for part in parts],
    }


def report_fhir(case: Case) -> bytes:
    """Return the bundle as the bytes of a JSON file."""
    return (json.dumps(fhir_bundle(case), indent=1) + "\n").encode()


def _id(case: Case, name: str) -> str:
    key = f"{case.recording.source.sha256} {case.digest} {name}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"dyssync {key}"))


def _refer(case: Case, name: str) -> Resource:
    return {"reference": f"urn:uuid:{_id(case, name)}"}


def _resource(case: Case, kind: str, name: str, **fields: Any) -> Resource:
    return {"resourceType": kind, "id": _id(case, name), **fields}


def _coded(system: str, code: str, words: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": words}], "text": words}


def _patient(case: Case) -> Resource:
    sex = case.recording.sex
    gender = {"F": "female", "M": "male"}.get(sex or "", "unknown")
    return _resource(case, "Patient", "patient", gender=gender)


def _device(case: Case) -> Resource:
    return _resource(
        case,
        "Device",
        "device",
        identifier=[{"system": "urn:dyssync:bundle:sha256", "value": case.digest}],
        status="active",
        deviceName=[{"name": "dyssync", "type": "model-name"}],
        version=[{"value": __version__}],
        type={"text": "research software"},
        note=[{"text": RESEARCH_ONLY}],
    )


def _observed(case: Case) -> Resource:
    """Return subject, time and device, which all observations share."""
    common: Resource = {"subject": _refer(case, "patient"), "device": _refer(case, "device")}
    moment = case.recording.recorded_at if isinstance(case.recording, ECG) else None
    if moment is not None:  # recorders tell no time zone, with which alone FHIR takes a time of day
        common["effectiveDateTime"] = moment.date().isoformat()
    return common


def _panel(case: Case, members: list[Resource]) -> Resource:
    panel = _resource(
        case,
        "Observation",
        "ecg",
        status="preliminary",
        code=_coded(LOINC, "34534-8", "12 lead EKG panel"),
        **_observed(case),
        note=[{"text": text} for text in (RESEARCH_ONLY, *case.cautions)],
    )
    if sha256 := case.recording.source.sha256:
        panel["identifier"] = [{"system": "urn:dyssync:file:sha256", "value": sha256}]
    if members:
        panel["hasMember"] = [{"reference": f"urn:uuid:{member['id']}"} for member in members]
    else:
        panel["dataAbsentReason"] = _coded(ABSENT, "unknown", "Unknown")
    return panel


def _observations(case: Case, found: Measurements) -> list[Resource]:
    return [_observation(case, name, float(found[name])) for name in MEASURED]


def _observation(case: Case, name: str, value: float) -> Resource:
    """Return a measurement; what is not defined is said to be absent, not left out."""
    system, code, words, unit = MEASURED[name]
    if math.isnan(value):
        said = {"dataAbsentReason": _coded(ABSENT, "unknown", "Unknown")}
    else:
        number = float(f"{value:.4g}")
        said = {"valueQuantity": {"value": number, "unit": unit, "system": UCUM, "code": unit}}
    coded = _coded(system, code, words)
    return _resource(
        case, "Observation", name, status="preliminary", code=coded, **_observed(case), **said
    )


def _risk(case: Case) -> Resource:
    return _resource(
        case,
        "RiskAssessment",
        "risk",
        status="preliminary",
        code={"text": "Response to cardiac resynchronization therapy"},
        method={"text": f"dyssync {__version__}, {_model(case)}"},
        subject=_refer(case, "patient"),
        occurrenceDateTime=case.made_at.isoformat(timespec="seconds"),
        performer=_refer(case, "device"),
        basis=[_refer(case, "ecg")],
        prediction=[_prediction(case)],
        note=[{"text": text} for text in (case.disclaimer, *case.cautions)],
    )


def _model(case: Case) -> str:
    return NO_ANSWER if case.answer is None else f"model {case.answer.model}"


def _prediction(case: Case) -> Resource:
    """Return the prediction; without a probability where nothing can be said."""
    months = {"value": MONTHS, "unit": "months", "system": UCUM, "code": "mo"}
    least = f"{100 * RESPONSE_FALL:.0f} %"
    said: Resource = {
        "outcome": {"text": f"response: left-ventricular end-systolic volume falls by {least}"},
        "whenRange": {"low": months, "high": months},
        "rationale": NO_ANSWER,
    }
    if case.answer is None:
        return said
    said["rationale"] = " ".join(sentences(case.answer))
    said["qualitativeRisk"] = {"text": "deferred" if case.answer.defers else decision(case.answer)}
    if not case.answer.silent:
        said["probabilityDecimal"] = round(case.answer.said.probability, 4)  # a share, 0-1
    return said


def _report(case: Case, observations: list[Resource]) -> Resource:
    said = NO_ANSWER if case.answer is None else " ".join(sentences(case.answer)[:2])
    page = base64.b64encode(report_pdf(case)).decode()
    return _resource(
        case,
        "DiagnosticReport",
        "report",
        status="preliminary",
        code=_coded(LOINC, "11524-6", "EKG study"),
        subject=_refer(case, "patient"),
        issued=case.made_at.isoformat(timespec="seconds"),
        result=[{"reference": f"urn:uuid:{one['id']}"} for one in observations],
        conclusion=f"{said} {case.disclaimer}",
        presentedForm=[
            {"contentType": "application/pdf", "data": page, "title": "Research only: one page"}
        ],
    )
