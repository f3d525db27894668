"""What models learn from the labels of real ECGs that stand in for patients with CRT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints
from dyssync.cohort.cohort import CohortTable, read_cohort
from dyssync.cohort.splits import Split, fold_patients
from dyssync.image import Input
from dyssync.keeping import keeping
from dyssync.models.base import signals_of
from dyssync.models.measured import feature_matrix
from dyssync.whole import make_folder, write_text
from dyssync.workers import OnProgress, unwatched
from fit_table import Fit, Score, Work, go_through, left_to_do
from learners import Learners, Named, score

# The ECG alone: what is asked here is no response to CRT, and most tables hold no facts.
MODELS = "ssl-resnet18,sim-resnet18,lightgbm,logistic,ridge"
REPEATS, FOLDS = 4, 5  # 20 splits, each 80 % to 20 % by patient; everyone is tested four times
LVH = "ptbxl500_lvh"
TABLES: Mapping[str, str] = {
    "cohort_lvh": "ludb/cohort_lvh.csv",
    "cohort_mi": "ptbxl/cohort_mi.csv",
}
COHORTS = (*TABLES, LVH)
Part: TypeAlias = tuple[list[Input], Ints, Floats]  # recordings, responses, weights


def cohort_of(name: str, data: Path, folder: Path) -> Path:
    """Return the table of a stand-in.

    Args:
        name: of :data:`COHORTS`.
        data: folder of the real ECGs.
        folder: in which a table is made where there is none: PTB-XL's left-ventricular
            hypertrophy against all others, the first recording of each patient.
    """
    if name in TABLES:
        return data / TABLES[name]
    home = data / "ptbxl500"
    labels = pd.read_csv(home / "labels.csv", dtype=str).drop_duplicates("patient_id")
    made = pd.DataFrame(
        {
            "patient_id": "ptbxl-" + labels["patient_id"],
            "ecg": [str((home / ecg).resolve()) for ecg in labels["ecg"]],
            "responder": ["LVH" in words.split() for words in labels["statements"].fillna("")],
        }
    ).astype({"responder": int})
    table = make_folder(folder) / f"{LVH}.csv"
    write_text(table, made.to_csv(index=False, lineterminator="\n"))
    return table


def learn(
    named: Named,
    name: str,
    labels: str,
    data: Path,
    folder: Path,
    table: Path,
    *,
    workers: int = 1,
    on_progress: OnProgress = unwatched,
) -> None:
    """Do the fits to a stand-in that the table does not hold yet.

    Args:
        named: the models.
        name: of :data:`COHORTS`.
        labels: "own", or "shuffled" among the patients, anew for each split.
        data: folder of the real ECGs.
        folder: of what is made of them.
        table: to go on with.
        workers: processes.
        on_progress: called with how many fits are done now, of how many.

    Raises:
        ModelError: an encoder has seen one of the patients.
    """
    path = cohort_of(name, data, folder)
    cohort = read_cohort(path)
    learners = named.made()
    teachers = round(len(cohort.responses) * (1 - 1 / FOLDS))
    fits = [
        learners.fit(model, name, labels, teachers, draw)
        for model in named.names
        for draw in range(REPEATS * FOLDS)
    ]
    if not left_to_do(fits, table):
        return
    for start in learners.starts.values():
        start.encoder.check_unseen(cohort.inputs)
    make = partial(_work_on, named, path, labels == "shuffled")
    with keeping():
        go_through(fits, make, table, workers=workers, on_progress=on_progress)


def _work_on(named: Named, path: Path, shuffle: bool) -> Work:
    """Look at the recordings of a table; return what does one fit to them."""
    cohort, learners = read_cohort(path), named.made()
    feature_matrix(signals_of(cohort.inputs, path.stem), "dictionary", clinical=False)
    learners.look_at(cohort.inputs, cohort.table["responder"].to_numpy(np.int64), len(cohort.table))
    return real_work(learners, cohort, cohort.inputs, shuffle)


def real_work(
    learners: Learners, cohort: CohortTable, inputs: tuple[Input, ...], shuffle: bool
) -> Work:
    """Return what does one fit.

    Args:
        learners: makes the models.
        cohort: its table.
        inputs: its recordings.
        shuffle: deal the responses out anew among the patients, for each split.
    """

    def work(fit: Fit) -> Score:
        responses = _dealt_anew(cohort.responses, fit.draw) if shuffle else cohort.responses
        split = fold_patients(responses, REPEATS, FOLDS)[fit.draw]
        (x, y, weights), (tested, outcomes, _) = _parts(responses, split)
        model = learners.make(fit.model).fit(x, y, seed=fit.draw, weight=weights)
        return score(outcomes, model.response_probability(tested))

    def _parts(responses: pd.Series[int], split: Split) -> Iterator[Part]:
        for patients in (split.train, split.test):
            rows = cohort.rows_of(patients)
            owners = cohort.table["patient_id"].iloc[rows]
            y = np.asarray(responses.loc[owners], dtype=np.int64)
            yield [inputs[i] for i in rows], y, cohort.weights[rows]

    return work


def _dealt_anew(responses: pd.Series[int], draw: int) -> pd.Series[int]:
    rng = np.random.default_rng(np.random.SeedSequence([draw, 0x5F0FF1E]))
    return pd.Series(rng.permutation(responses.to_numpy()), index=responses.index)
