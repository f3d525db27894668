"""How steady a quick model's answers are: fitted again to bootstrap samples of the patients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from dyssync.arrays import Floats
from dyssync.evaluation.stability import prediction_stability
from dyssync.models.protocols import ResponseModel
from dyssync.study.plan import Learnt, Material
from dyssync.study.results import TABLES, read_csv, write_csv
from dyssync.workers import OnProgress

STABILITY_FILE = "stability.csv"
REFIT_STREAM = 0x2EF17  # apart from every other use of the seed


def write_refits(folder: Path, name: str, material: Material, on_progress: OnProgress) -> None:
    """Write how far the answers to each patient move when other patients are in the study.

    The same people are drawn for every model. All numbers are in-sample: they tell how much a
    prediction depends on the cohort, not how good it is.

    Args:
        folder: of the task.
        name: of the model in the registry.
        material: of the study.
        on_progress: told after each refit.
    """
    responses = material.cohort.responses
    patients = [str(p) for p in responses.index]
    everyone = material.labelled(patients)
    rows = {patient: material.cohort.rows_of([patient]) for patient in patients}
    original = _answers(_fitted(name, material, everyone), everyone, patients, material)
    refits = []
    for draw in range(material.config.refits):
        rng = np.random.default_rng(np.random.SeedSequence([draw, REFIT_STREAM]))
        sample = _sample(patients, rng)
        learnt = material.rows([row for patient in sample for row in rows[patient]])
        if len(np.unique(learnt.responses)) == 2:
            fitted = _fitted(name, material, learnt)
            refits.append(_answers(fitted, everyone, patients, material))
        on_progress(draw + 1, material.config.refits)
    said = np.array(refits).reshape(-1, len(patients))
    found = prediction_stability(original, said, material.config.threshold)
    table = pd.DataFrame(
        {
            "model": name,
            "patient_id": patients,
            "y": responses.to_numpy(np.int64),
            "original": original,
            "mean": said.mean(axis=0) if len(said) else np.nan,
            "low": found.low,
            "high": found.high,
            "mape": found.mape,
            "flips": found.changed,
        }
    )
    write_csv(folder / STABILITY_FILE, table)


def gather_refits(folders: Sequence[Path]) -> pd.DataFrame:
    """Return the table `stability` of all models that were refitted."""
    tables = [read_csv(f / STABILITY_FILE) for f in folders if (f / STABILITY_FILE).is_file()]
    columns = list(TABLES["stability"])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _sample(patients: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [patients[i] for i in rng.integers(len(patients), size=len(patients))]


def _fitted(name: str, material: Material, learnt: Learnt) -> ResponseModel:
    model = material.config.make_model(name)
    return model.fit(
        learnt.inputs, learnt.responses, seed=0, fall=learnt.falls, weight=learnt.weights
    )


def _answers(
    model: ResponseModel, everyone: Learnt, patients: Sequence[str], material: Material
) -> Floats:
    """Return the model's own probability of each patient; NaN where it can say nothing."""
    ids = [x.patient_id for x in everyone.inputs]
    logits = pd.Series(model.logits(everyone.inputs)).groupby(ids).mean()
    return np.asarray(expit(logits.loc[list(patients)].to_numpy(np.float64)))
