"""What the API publishes of itself: bodies, answers, examples; the rest FastAPI derives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dyssync.cohort.cells import OLDEST
from dyssync.cohort.clinical import CLINICAL
from dyssync.formats.reading.recording import UNITS
from dyssync.inspection.answer import RESEARCH_ONLY
from dyssync.prediction.predictor import Prediction
from dyssync.web.asking import ALL, ANSWER, MODELS
from dyssync.web.negotiation import FHIR, JSON, PDF
from dyssync.web.uploads import MAX_BODY_BYTES, MAX_FILES

DESCRIPTION = (
    f"{RESEARCH_ONLY}\n\nProbability of response to cardiac resynchronization therapy from one "
    '12-lead ECG. Nothing of an upload is kept. Errors are `{"detail": "one line"}`.'
)
REFUSALS = {
    400: "the body is broken or was cut off",
    401: "the token is missing or wrong",
    408: "the body came too slowly",
    413: f"more than {MAX_BODY_BYTES // 1024**2} MB, or a file that unpacks to too much",
    415: "no multipart body, or a file of no known format",
    422: "a file without a usable 12-lead ECG, or a field or query that cannot be",
    503: "all reading processes are busy, or other pictures are being read off",
}
NOT_OFFERED = f"another kind of answer was asked for; {JSON}, {FHIR} or {PDF} can be had"


@dataclass(frozen=True)
class Detail:
    """Why a request was refused, in one line."""

    detail: str


@dataclass(frozen=True)
class Health:
    """What the server is.

    Attributes:
        status: "ok".
        version: of dyssync.
        bundle: sha256 of the bundle's manifest.
        models: of the bundle.
        level: at which the page says "defer".
        use: what it must not be used for.
    """

    status: str
    version: str
    bundle: str
    models: tuple[str, ...]
    level: int
    use: str = RESEARCH_ONLY


# Of answers that are no JSON, by the header Accept.
OTHER_KINDS: dict[str, dict[str, Any]] = {
    FHIR: {"schema": {"type": "object", "description": "Bundle of FHIR R4, the one answer"}},
    PDF: {"schema": {"type": "string", "format": "binary", "description": "one page A4"}},
}


def predicted(found: Prediction) -> dict[str, Any]:
    """Return the JSON of a prediction: that of `dyssync predict --json`."""
    return found.to_dict()


def predictions() -> dict[int | str, dict[str, Any]]:
    """Return the answers of `/predict` for OpenAPI, which comes in several kinds."""
    found = answers_of(Prediction)
    found[200]["content"] = OTHER_KINDS
    return {**found, 406: {"model": Detail, "description": NOT_OFFERED}}


def answers_of(kind: Any) -> dict[int | str, dict[str, Any]]:
    """Return the answers of a route for OpenAPI: one kind of success, the refusals."""
    refusals: dict[int | str, dict[str, Any]] = {
        code: {"model": Detail, "description": why} for code, why in REFUSALS.items()
    }
    success: dict[str, Any] = {"description": "the answer"}
    if kind is not dict:
        success["model"] = kind
    return {200: success, **refusals}


def _number(text: str, low: float, high: float, example: float) -> dict[str, Any]:
    return {
        "type": "number", "minimum": low, "maximum": high, "description": text, "example": example,
    }  # fmt: skip


_EXAMPLES = {"ischaemic": 0, "lvef": 27, "nyha": 3, "af": 0}
_FIELDS: dict[str, Any] = {
    "file": {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "minItems": 1,
        "maxItems": MAX_FILES,
        "description": "an ECG in any format, a picture or PDF of a page, a ZIP of a WFDB record, "
        "or header and samples of one",
    },
    "fs": _number("Hz, where the file states no rate", 50, 4000, 500),
    "unit": {
        "type": "string", "enum": list(UNITS), "description": "where the file states none",
    },
    "page": {"type": "integer", "minimum": 1, "maximum": 10_000, "description": "of a PDF or TIFF"},
    "age": {
        "type": "number", "exclusiveMinimum": 0, "maximum": OLDEST, "example": 67,
        "description": "years; the file's own counts where this is left out",
    },
    "sex": {"type": "string", "enum": ["F", "M"]},
    **{
        name: _number(column.meaning, column.low, column.high, _EXAMPLES[name])
        for name, column in CLINICAL.items()
    },
}  # fmt: skip
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": _FIELDS,
                    "required": ["file"],
                    "additionalProperties": False,
                },
            }
        },
    }
}
CHOICE_OF_MODELS: dict[str, Any] = {
    "parameters": [
        {
            "name": MODELS,
            "in": "query",
            "required": False,
            "description": "all models, or the one that gives the answer, which takes less time; "
            "of no other kind of answer than JSON, which are of the one",
            "schema": {"type": "string", "enum": [ALL, ANSWER], "default": ALL},
        }
    ]
}
