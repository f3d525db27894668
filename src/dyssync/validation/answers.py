"""What the models of a bundle say of every patient of a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.cohort import Cohort
from dyssync.cohort.clinical import facts_of
from dyssync.evaluation.conformal import LEVELS, conformal_answers
from dyssync.evaluation.logistic import logits
from dyssync.image import Input, ecg_of
from dyssync.keeping import keeping
from dyssync.measurements import measure
from dyssync.prediction.bundle import Bundle
from dyssync.prediction.crossfit import Answered
from dyssync.prediction.members import BASE_RATE, Answerer, Members, enough_facts, load_answerer
from dyssync.prediction.pictures import asked_about
from dyssync.workers import OnProgress, each, unwatched

USUAL, ALONE = "fit", "ecg"  # which members answered
ANSWERS = (
    "model", "patient_id", "y", "recordings", "members", "basis", "z", "p",
    "p_non_responder", "p_responder", "set_80", "set_90", "p_ecg_alone",
)  # fmt: skip
# Of the ECG, beside the clinical facts: what divides patients into the groups of the guidelines.
MEASURED = {"qrs_duration_ms": "qrs_ms", "lbbb_esc": "lbbb"}
TOGETHER = 8  # patients that a worker gets at a time

Patient = tuple[Input, ...]  # the recordings of one
_Row = dict[str, object]


@dataclass(frozen=True, eq=False)
class CohortAnswers:
    """What was said of n patients, and what is known of them.

    Attributes:
        table: a row a model and patient, columns :data:`ANSWERS`. z: log-odds of p; members: "fit"
            or "ecg" (fitted without clinical facts); p_ecg_alone: what the latter say, NaN of a
            model that has none; p_non_responder, p_responder: conformal p-values.
        facts: a row a patient, in the order of the cohort: clinical facts, and QRS duration (ms)
            and LBBB (0/1) of the first recording; NaN where not known.
    """

    table: pd.DataFrame
    facts: pd.DataFrame


def answer_cohort(
    bundle: Bundle,
    names: Sequence[str],
    cohort: Cohort,
    *,
    workers: int = 1,
    on_progress: OnProgress = unwatched,
) -> CohortAnswers:
    """Ask models of a bundle about every patient, each for himself.

    A patient with several recordings gets one answer, from the mean logit of those that speak.

    Args:
        bundle: opened.
        names: of the models.
        cohort: recordings that these models can take.
        workers: processes; no number depends on it.
        on_progress: called with how many patients are done, of how many.

    Raises:
        ModelError: a member is damaged or missing.
        InputError: the system ended one of the processes.
    """
    responses = cohort.responses
    place = dict(zip(responses.index, range(len(responses)), strict=True))
    recordings: list[list[Input]] = [[] for _ in place]
    for patient, x in zip(cohort.table["patient_id"], cohort.inputs, strict=True):
        recordings[place[patient]].append(asked_about(x, bundle.about))
    rows: list[_Row] = []
    facts: list[Mapping[str, float]] = []
    found = each(
        _answer_in_worker, [tuple(own) for own in recordings], workers=workers, together=TOGETHER,
        begin=_begin, given=(bundle, tuple(names)),
    )  # fmt: skip
    for patient, y, (said, known) in zip(responses.index, responses, found, strict=True):
        rows += [{"patient_id": patient, "y": int(y), **row} for row in said]
        facts.append(known)
        on_progress(len(facts), len(place))
    table = pd.DataFrame(rows, columns=list(ANSWERS))
    order = table["model"].map({name: k for k, name in enumerate(names)})
    table = table.loc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)
    return CohortAnswers(table, pd.DataFrame(facts, index=responses.index))


_models: Mapping[str, Answerer] = {}  # of a worker, which lives as long as one validation


def _begin(bundle: Bundle, names: tuple[str, ...]) -> None:
    global _models
    _models = {name: load_answerer(bundle, name) for name in names}


def _answer_in_worker(patient: Patient) -> tuple[list[_Row], Mapping[str, float]]:
    return _answer(_models, patient)


def _answer(
    models: Mapping[str, Answerer], patient: Patient
) -> tuple[list[_Row], Mapping[str, float]]:
    with keeping():  # the members of all models share one measurement and one picture
        rows = [{"model": name, **_say(model, patient)} for name, model in models.items()]
        return rows, _known(patient)


def _say(model: Answerer, patient: Patient) -> _Row:
    # as a study does: one recording with the facts tells them of the patient
    telling = next((x for x in patient if enough_facts(x, model.facts)), patient[0])
    members, basis = model.who(telling)
    said = members.answer_patient(patient)
    usual = members is model.usual
    return {
        "recordings": len(patient),
        "members": USUAL if usual else ALONE,
        "basis": BASE_RATE if said.silent[0] else basis,
        "z": float(logits(said.p)[0]),
        "p": float(said.p[0]),
        "p_non_responder": float(said.p_values[0, 0]),
        "p_responder": float(said.p_values[0, 1]),
        **{f"set_{100 * k:.0f}": conformal_answers(said.p_values, k)[0] for k in LEVELS},
        "p_ecg_alone": _without_facts(model.ecg_alone, patient, None if usual else said),
    }


def _without_facts(alone: Members | None, patient: Patient, said: Answered | None) -> float:
    if alone is None:
        return float("nan")
    return float((alone.answer_patient(patient) if said is None else said).p[0])


def _known(patient: Patient) -> Mapping[str, float]:
    """Return what is known of a patient: facts of any recording, measurements of the first."""
    facts: dict[str, float] = {}
    for x in reversed(patient):
        facts |= facts_of(x)
    first = ecg_of(patient[0])
    if first is not None:
        values = measure(first)
        facts |= {name: float(values[key]) for key, name in MEASURED.items()}
    return facts
