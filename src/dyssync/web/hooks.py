"""CDS Hooks: a service that a hospital's record asks while a patient's chart is open.

Its one card tells what the page tells first. It never suggests an action, and is always `info`.

References:
    CDS Hooks 2.0, https://cds-hooks.hl7.org/2.0.
"""

from __future__ import annotations

import re
from typing import Any

from dyssync import __version__
from dyssync.exports.case import NO_ANSWER, Case
from dyssync.inspection.answer import RESEARCH_ONLY, headline, sentences
from dyssync.web.hook_call import ECG_FILE, HOOK, LVEF, PATIENT
from dyssync.web.hook_facts import LVEF_CODES
from dyssync.web.published import REFUSALS, Detail

SERVICE = "crt-response"
SERVICES, ROUTE = "/cds-services", f"/cds-services/{SERVICE}"
MOST_SUMMARY = 139  # characters; "less than 140"
SUMMARY = "Research only. "
# What a record searches: the newest of each. LOINC 11524-6: EKG study. The rest is of use to models
# that go by clinical facts, and may be missing.
NEWEST = "patient={{context.patientId}}&_sort=-date&_count=1"
PREFETCHED = {
    ECG_FILE: f"DocumentReference?type=http://loinc.org|11524-6&{NEWEST}",
    PATIENT: "Patient/{{context.patientId}}",
    LVEF: "Observation?code="
    + ",".join(f"http://loinc.org|{code}" for code in LVEF_CODES)
    + f"&{NEWEST}",
}
MARKDOWN = re.compile(r"([\\`*_\[\]<>#])")  # what would be more than text

DISCOVERY: dict[str, Any] = {
    "services": [
        {
            "hook": HOOK,
            "title": "Response to cardiac resynchronization therapy (research only)",
            "description": (
                f"{RESEARCH_ONLY} Of 100 patients with such a 12-lead ECG, how many responded in "
                "one study; a card of information, no suggestion."
            ),
            "id": SERVICE,
            "prefetch": PREFETCHED,
            "usageRequirements": "The ECG must stand in the prefetched resource, in base64.",
        }
    ]
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "hook": {"type": "string", "enum": [HOOK]},
                        "hookInstance": {"type": "string"},
                        "context": {"type": "object"},
                        "prefetch": {
                            "type": "object",
                            "properties": {
                                ECG_FILE: {
                                    "type": ["object", "null"],
                                    "description": "DocumentReference, DiagnosticReport, Media "
                                    "or Binary of FHIR R4 with the file in base64, or a Bundle",
                                },
                                PATIENT: {"type": ["object", "null"]},
                                LVEF: {"type": ["object", "null"]},
                            },
                        },
                    },
                    "required": ["hook"],  # what else is missing is told by 412
                }
            }
        },
    }
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "one card"},
    412: {"model": Detail, "description": "no ECG in the prefetch"},
    **{code: {"model": Detail, "description": why} for code, why in REFUSALS.items()},
}


def card_of(case: Case) -> dict[str, Any]:
    """Return the answer to a call: one card, as JSON can hold it."""
    said = [f"No answer: {NO_ANSWER}."] if case.answer is None else list(sentences(case.answer))
    first = said[0] if case.answer is None else headline(case.answer)
    cautions = [f"- {_plain(text)}" for text in case.cautions]
    lines = [
        f"**{_plain(RESEARCH_ONLY)}**",
        *map(_plain, said),
        *(["Cautions:", "\n".join(cautions)] if cautions else []),
        _plain(f"{case.origin} Bundle {case.digest[:12]}."),
    ]
    return {
        "cards": [
            {
                "summary": _short(SUMMARY + first),
                "detail": "\n\n".join(lines),
                "indicator": "info",
                "source": {"label": f"dyssync {__version__}, research software"},
            }
        ]
    }


def _plain(text: str) -> str:
    """Return text in which Markdown sees nothing but text."""
    return MARKDOWN.sub(r"\\\1", text)


def _short(text: str) -> str:
    return text if len(text) <= MOST_SUMMARY else text[: MOST_SUMMARY - 1] + "…"
