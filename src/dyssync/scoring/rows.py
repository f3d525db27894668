"""A row of scores: one ECG, by its id and the digest of its content, and what was said of it.

docs/archives.md describes the columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from dyssync.ecg import ECG
from dyssync.errors import one_line
from dyssync.image import Input
from dyssync.measurements import measure
from dyssync.prediction.predictor import ModelPrediction, Prediction
from dyssync.prediction.short import calibration_range, short_answer

Row: TypeAlias = dict[str, Any]

ANSWER: Mapping[str, pa.DataType] = {
    "probability": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "set_80": pa.string(),
    "set_90": pa.string(),
    "basis": pa.string(),
}
QUALITY = ("snr_db", "worst_snr_db")  # measurements of f33
FAILURE = "failure"
SILENT = "no model that was asked answers to it"


def schema_of(models: Sequence[str]) -> pa.Schema:
    """Return the columns of scores.

    Args:
        models: that get columns of their own, beside the one answer.
    """
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            ("sha256", pa.string()),
            ("model", pa.string()),
            *ANSWER.items(),
            *((f"{_column(name)}_{key}", kind) for name in models for key, kind in ANSWER.items()),
            *((name, pa.float64()) for name in QUALITY),
            ("cautions", pa.list_(pa.string())),
            (FAILURE, pa.string()),
        ],
        metadata={"made_by": "dyssync predict --out"},
    )


def _column(model: str) -> str:
    return model.replace("-", "_")


def row_of(id: str, sha256: str, x: Input, said: Prediction, models: Sequence[str]) -> Row:
    """Return the row of an ECG that was scored; of one to which nobody answers, a failure.

    Args:
        id: of the ECG.
        sha256: of its content.
        x: itself; measured anew, where nobody keeps what was measured.
        said: what models say of it.
        models: that get columns of their own.
    """
    row: Row = {"id": id, "sha256": sha256, "cautions": [one_line(text) for text in said.cautions]}
    answer = short_answer(said)
    if answer is not None:
        row |= {"model": answer.model, **_cells(answer.said)}
    for name in models:
        if name in said.models:
            own = _cells(said.models[name])
            row |= {f"{_column(name)}_{key}": value for key, value in own.items()}
    if answer is None and not set(models) & set(said.models):
        return failed_row(id, sha256, SILENT)
    if isinstance(x, ECG):
        found = measure(x)
        row |= {name: _known(float(found[name])) for name in QUALITY}
    return row


def failed_row(id: str, sha256: str | None, problem: str) -> Row:
    """Return the row of an ECG that gave nothing, and why."""
    return {"id": id, "sha256": sha256, FAILURE: one_line(problem)}


def _cells(said: ModelPrediction) -> Row:
    low, high = calibration_range(said)
    return {
        "probability": said.probability,
        "low": low,
        "high": high,
        "set_80": said.set_80,
        "set_90": said.set_90,
        "basis": said.basis,
    }


def _known(value: float) -> float | None:
    return None if value != value else value
