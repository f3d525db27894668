"""The JSON schema of a prediction, as `dyssync predict --json` and the API give it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dyssync.inspection.answer import RESEARCH_ONLY
from dyssync.prediction.predictor import Prediction

FILE = Path(__file__).parent / "prediction.schema.json"


def prediction_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of `Prediction.to_dict()`, from its fields."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Prediction).json_schema(mode="serialization")
    for kind in (schema, *schema["$defs"].values()):
        kind["required"] = list(kind["properties"])  # what is not known is null, never left out
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "prediction.schema.json",
        "$comment": RESEARCH_ONLY,
        **schema,
    }


def write_schema() -> None:
    """Write the published file anew."""
    FILE.write_text(json.dumps(prediction_schema(), indent=1) + "\n", encoding="utf-8")
