"""The ECG in a call of CDS Hooks: files that stand inside FHIR resources, in base64.

Runs in the reading process: what a call holds may be anything, and may unpack to anything.

References:
    CDS Hooks 2.0, https://cds-hooks.hl7.org/2.0; HL7 FHIR R4, Attachment.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dyssync.web.archive import plain_name
from dyssync.web.refusals import Refused

HOOK, PREFETCH = "patient-view", "ecg"
NEEDED = f"a call of CDS Hooks with hook {HOOK} and prefetch {PREFETCH} is needed"
NONE_HERE = (
    f"no ECG in prefetch {PREFETCH}: a DocumentReference, DiagnosticReport, Media or Binary with "
    "the file itself in base64 (data) is needed; links are not followed, nothing is fetched"
)
FIELDS: Mapping[str, type] = {"hookInstance": str, "context": dict, "prefetch": dict}
MOST_RESOURCES = 100  # of a Bundle that are looked through
MOST_FILES = 10  # of one resource: formats of one ECG, or header and samples

_Json = Mapping[str, Any]


def files_of_call(body: bytes) -> dict[str, bytes]:
    """Return the files of the first resource that holds any: searches give the newest first.

    Args:
        body: of the call.

    Raises:
        Refused: 400 it is no such call; 412 it holds no ECG; 422 a file is no base64.
    """
    try:
        call = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"body is no JSON; {NEEDED}") from error
    if not isinstance(call, dict) or call.get("hook") != HOOK:
        raise Refused(400, f"body is another call; {NEEDED}")
    if any(not isinstance(call.get(name, kind()), kind) for name, kind in FIELDS.items()):
        raise Refused(400, f"{', '.join(FIELDS)}: one is of another type; {NEEDED}")
    for resource in _resources(call.get("prefetch", {}).get(PREFETCH)):
        files: dict[str, bytes] = {}
        for name, data in _files(resource):
            files[f"{len(files)}-{name}" if name in files else name] = data
        if files:
            return files
    raise Refused(412, NONE_HERE)


def _resources(held: object) -> Iterator[_Json]:
    """Return a resource, or those of a Bundle."""
    if held is None:  # which a search without a result leaves
        return
    if not isinstance(held, dict):
        raise Refused(400, f"prefetch {PREFETCH} is no resource; {NEEDED}")
    if held.get("resourceType") != "Bundle":
        yield held
        return
    for entry in _items(held.get("entry"))[:MOST_RESOURCES]:
        if isinstance(resource := entry.get("resource"), dict):
            yield resource


def _items(value: object) -> list[_Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


# How the attachments of a resource are found, by its type.
_ATTACHMENTS: Mapping[str, Callable[[_Json], list[_Json]]] = {
    "DocumentReference": lambda held: _items(
        [one.get("attachment") for one in _items(held.get("content"))]
    ),
    "DiagnosticReport": lambda held: _items(held.get("presentedForm")),
    "Media": lambda held: _items([held.get("content")]),
    "Binary": lambda held: [held],
}


def _files(resource: _Json) -> Iterator[tuple[str, bytes]]:
    """Return files by name; their titles tell header and samples of a record apart."""
    find = _ATTACHMENTS.get(str(resource.get("resourceType")))
    for k, one in enumerate(find(resource)[:MOST_FILES] if find else ()):
        data = one.get("data")
        if isinstance(data, str) and data:
            title = one.get("title")
            named = plain_name(title) if isinstance(title, str) else ""
            yield named or f"file-{k}", _decoded(data)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)  # FHIR lets lines be broken
    except (ValueError, binascii.Error) as error:
        raise Refused(422, "data of a file is no base64; send it again") from error
