"""From the out-of-fold answers of all models to the tables of a study.

`answers` holds a row a model and patient: model, patient_id, y (0/1), z (out-of-fold logit, what
ranks are made of) and p (recalibrated without the patient's own outcome, 0-1). A row in which one
of the three is not known takes no part and does not count in `n`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints
from dyssync.errors import InputError
from dyssync.evaluation.bootstrap import (
    Band,
    metric_band,
    patient_weights,
    probability_bands,
    threshold_bands,
)
from dyssync.evaluation.delong import REFIT_FACTOR, auroc_interval
from dyssync.evaluation.metrics import METRICS, NAN
from dyssync.evaluation.weighted import average_precision

COLUMNS = ("model", "metric", "threshold", "value", "low", "high", "method", "n")
DELONG, BOOTSTRAP = "DeLong", "bootstrap"


def estimates(
    answers: pd.DataFrame,
    thresholds: Sequence[float],
    seed: int,
    factor: float = REFIT_FACTOR,
) -> pd.DataFrame:
    """Return every metric of every model with its 95 % interval.

    Args:
        answers: see the module.
        thresholds: from which probability a patient is called a responder, in (0, 1).
        seed: of the bootstrap; models of the same patients share its draws.
        factor: of the variance, 1 where no model was fitted to these patients.

    Returns:
        Columns :data:`COLUMNS`, a row a model, metric and threshold (NaN where none matters); value
        and interval NaN where undefined; `n` patients.

    Raises:
        InputError: a patient has two rows of one model.
    """
    cuts = np.asarray(thresholds, dtype=np.float64)
    rows: list[tuple[object, ...]] = []
    for model, y, z, p in each_model(answers):
        bands = _bands(y, z, p, cuts, seed, factor) if len(y) else {}
        for name in METRICS:
            method = DELONG if name == "auroc" else BOOTSTRAP
            at = cuts if METRICS[name].uses_threshold else np.array([NAN])
            unknown = np.full(len(at), NAN)
            band = bands.get(name, Band(unknown, unknown, unknown))
            for found in zip(at, band.value, band.low, band.high, strict=True):
                rows.append((model, name, *map(float, found), method, len(y)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def each_model(answers: pd.DataFrame) -> Iterator[tuple[str, Ints, Floats, Floats]]:
    """Yield model, y, z and p (n,) of the patients whose answer is known, in the table's order.

    Raises:
        InputError: a patient has two rows of one model.
    """
    twice = answers[answers.duplicated(["model", "patient_id"])]
    if len(twice):
        model, patient = twice.iloc[0][["model", "patient_id"]]
        raise InputError(
            f"answers: {model} has two rows of patient {patient}; one a patient is needed. Average "
            "the logits of his recordings"
        )
    known = answers[["y", "z", "p"]].notna().all(axis=1)
    for model, rows in answers.groupby("model", sort=False):
        own = rows[known[rows.index]]
        y = own["y"].to_numpy(dtype=np.int64)
        z, p = (own[column].to_numpy(dtype=np.float64) for column in ("z", "p"))
        yield str(model), y, z, p


def _bands(
    y: Ints, z: Floats, p: Floats, thresholds: Floats, seed: int, factor: float
) -> Mapping[str, Band]:
    weight = patient_weights(len(y), seed)
    auroc = auroc_interval(y, z, factor)
    auprc = (average_precision(y, z, rows) for rows in (np.ones((1, len(y))), weight))
    return {
        "auroc": Band(*(np.array([v]) for v in (auroc.auroc, auroc.low, auroc.high))),
        "auprc": metric_band("auprc", next(auprc), next(auprc)[:, None], factor),
        **threshold_bands(y, p, thresholds, weight, factor),
        **probability_bands(y, p, weight, factor),
    }
