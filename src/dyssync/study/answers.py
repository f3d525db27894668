"""The out-of-fold answers of a study, and how its bundle will answer: one and the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dyssync.evaluation.conformal import conformal_answers
from dyssync.prediction.bundle import Answering
from dyssync.prediction.crossfit import Graded, cross_fit
from dyssync.prediction.members import BASE_RATE, ECG_ALONE, WITH_FACTS, enough_facts, goes_by
from dyssync.prediction.training_data import known_facts
from dyssync.study.plan import Material
from dyssync.study.results import TABLES


def gather_answers(
    material: Material, predictions: pd.DataFrame, predictions_ecg: pd.DataFrame
) -> tuple[pd.DataFrame, Mapping[str, Answering]]:
    """Return the table `answers`, and by model how its members answer.

    A patient of whom too few clinical facts are known gets the answer of the members that use
    none, as in a prediction.

    Args:
        material: of the study.
        predictions: of all cells.
        predictions_ecg: the same of models fitted without clinical facts.
    """
    tables, answering = [], {}
    informed = _informed(material)
    for name in material.config.models:
        usual = _graded(predictions, name, "fit", material)
        alone = None
        if (predictions_ecg["model"] == name).any():
            alone = _graded(predictions_ecg, name, "ecg", material)
        answering[name] = Answering(usual.fit, None if alone is None else alone.fit)
        model = material.config.make_model(name)
        basis = {str(x.patient_id): goes_by(model, x) for x in material.cohort.inputs}
        tables.append(_table(name, usual, alone, informed, basis))
    return pd.concat(tables, ignore_index=True), answering


def _graded(predictions: pd.DataFrame, name: str, word: str, material: Material) -> Graded:
    tested = predictions[predictions["model"] == name]
    seeds = sorted(int(seed) for seed in tested["seed"].unique())
    model = material.config.make_model(name)
    return cross_fit(
        tested,
        [f"{word}-{seed:02d}" for seed in seeds],
        own_scale=model.OWN_SCALE,
        shrunken=model.SHRUNKEN,
        base_rate=float(material.cohort.responses.mean()),
    )


def _table(
    name: str,
    usual: Graded,
    alone: Graded | None,
    informed: Mapping[str, bool],
    basis: Mapping[str, str],
) -> pd.DataFrame:
    said = usual.table.assign(basis=usual.table["patient_id"].map(basis), p_ecg_alone=np.nan)
    if alone is not None:
        by_facts = np.array([informed[str(patient)] for patient in said["patient_id"]])
        without = alone.table.assign(basis=ECG_ALONE, p_ecg_alone=alone.table["p"])
        said = said.assign(basis=WITH_FACTS, p_ecg_alone=alone.table["p"])
        said = pd.concat([said[by_facts], without[~by_facts]]).sort_index()
    said["basis"] = said["basis"].where(~said["silent"].astype(bool), BASE_RATE)
    p_values = said[["p_non_responder", "p_responder"]].to_numpy(np.float64)
    sets = {f"set_{100 * k:.0f}": conformal_answers(p_values, k) for k in (0.8, 0.9)}
    return said.assign(model=name, **sets)[list(TABLES["answers"])].astype({"y": np.int64})


def _informed(material: Material) -> dict[str, bool]:
    """Return by patient whether enough clinical facts are known for members that use them."""
    facts = known_facts(material.cohort)
    found: dict[str, bool] = {}
    for x in material.cohort.inputs:
        patient = str(x.patient_id)
        found[patient] = found.get(patient, False) or enough_facts(x, facts)
    return found
