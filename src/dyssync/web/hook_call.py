"""A call of CDS Hooks, taken apart: the resources that a record has prefetched for it.

Runs in the reading process: what a call holds may be anything, and may unpack to anything.

References:
    CDS Hooks 2.0, https://cds-hooks.hl7.org/2.0; HL7 FHIR R4, Bundle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from dyssync.web.refusals import Refused

Json: TypeAlias = Mapping[str, Any]

HOOK = "patient-view"
# Names of what is prefetched; without the ECG there is no answer.
ECG_FILE, PATIENT, LVEF = ASKED = ("ecg", "patient", "lvef")
NEEDED = f"a call of CDS Hooks with hook {HOOK} and prefetch {ECG_FILE} is needed"
FIELDS: Mapping[str, type] = {"hookInstance": str, "context": dict, "prefetch": dict}
MOST_RESOURCES = 100  # of a Bundle that are looked through


def call_of(body: bytes) -> Json:
    """Return a call.

    Raises:
        Refused: 400, it is none.
    """
    try:
        call = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"body is no JSON; {NEEDED}") from error
    if not isinstance(call, dict) or call.get("hook") != HOOK:
        raise Refused(400, f"body is another call; {NEEDED}")
    if any(not isinstance(call.get(name, kind()), kind) for name, kind in FIELDS.items()):
        raise Refused(400, f"{', '.join(FIELDS)}: one is of another type; {NEEDED}")
    held = call.get("prefetch", {})
    # a search without a result leaves null
    wrong = [name for name in ASKED if not isinstance(held.get(name), (dict, type(None)))]
    if wrong:
        raise Refused(400, f"prefetch {', '.join(wrong)}: no resource; {NEEDED}")
    return call


def resources(call: Json, name: str) -> Iterator[Json]:
    """Yield what was prefetched under a name: one resource, those of a Bundle, or none."""
    held = call.get("prefetch", {}).get(name)
    if held is None:
        return
    if held.get("resourceType") != "Bundle":
        yield held
        return
    for entry in items(held.get("entry"))[:MOST_RESOURCES]:
        if isinstance(resource := entry.get("resource"), dict):
            yield resource


def items(value: object) -> list[Json]:
    """Return the objects of a list; none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
