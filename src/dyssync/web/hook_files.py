"""The ECG in a call of CDS Hooks: files that stand inside FHIR resources, in base64.

Runs in the reading process, like the reading of the call.

References:
    HL7 FHIR R4, Attachment.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping

from dyssync.web.archive import plain_name
from dyssync.web.hook_call import ECG_FILE, Json, items, resources
from dyssync.web.refusals import Refused

NONE_HERE = (
    f"no ECG in prefetch {ECG_FILE}: a DocumentReference, DiagnosticReport, Media or Binary with "
    "the file itself in base64 (data) is needed; links are not followed, nothing is fetched"
)
MOST_FILES = 10  # of one resource: formats of one ECG, or header and samples


def files_of_call(call: Json) -> dict[str, bytes]:
    """Return the files of the first resource that holds any: searches give the newest first.

    Raises:
        Refused: 412 what was prefetched holds no ECG; 422 a file is no base64.
    """
    for resource in resources(call, ECG_FILE):
        files: dict[str, bytes] = {}
        for name, data in _files(resource):
            files[f"{len(files)}-{name}" if name in files else name] = data
        if files:
            return files
    raise Refused(412, NONE_HERE)


# How the attachments of a resource are found, by its type.
_ATTACHMENTS: Mapping[str, Callable[[Json], list[Json]]] = {
    "DocumentReference": lambda held: items(
        [one.get("attachment") for one in items(held.get("content"))]
    ),
    "DiagnosticReport": lambda held: items(held.get("presentedForm")),
    "Media": lambda held: items([held.get("content")]),
    "Binary": lambda held: [held],
}


def _files(resource: Json) -> Iterator[tuple[str, bytes]]:
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
