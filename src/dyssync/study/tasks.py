"""The pieces of a study done one by one, each leaving a folder that is whole or absent.

A task depends on nothing but its inputs and its seed: done on one process or eight, in any order,
after an interruption or without, it leaves the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from dyssync.cohort.clinical import knows_facts
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.learning.training import Watch
from dyssync.models.base import signals_of
from dyssync.models.protocols import (
    ExplainsItself,
    Labels,
    LooksAtPictures,
    Pretrained,
    ResponseModel,
    Rule,
    UsesFacts,
)
from dyssync.prediction.saved import save_model
from dyssync.pretraining.encoder import Encoder, load_encoder
from dyssync.pretraining.loop import pretrain
from dyssync.study.contributions import write_contributions, write_statements
from dyssync.study.lead_maps import write_lead_maps
from dyssync.study.plan import CELL, ENCODER, REFITS, Learnt, Material, Task
from dyssync.study.refits import write_refits
from dyssync.study.results import TABLES, write_csv
from dyssync.study.unlabelled import corpus_of
from dyssync.whole import is_whole, synced_later, whole_folder, write_receipt
from dyssync.workers import OnProgress

PREDICTIONS, PREDICTIONS_ECG = "predictions.csv", "predictions-ecg.csv"
MODEL, MODEL_ECG = "model", "model-ecg"  # folders; the second has seen the ECG alone


def is_done(task: Task, material: Material) -> bool:
    """Say whether a task has left all its files, and they are what they were."""
    return is_whole(material.folder / task.key, material.made_of)


def do_task(task: Task, material: Material, on_progress: OnProgress) -> None:
    """Do one task, unless it is done; what is there of it otherwise is replaced."""
    if is_done(task, material):
        return
    checkpoint = material.folder / f".{task.key}.checkpoint"
    do = {ENCODER: _pretrain, CELL: _fit_cell, REFITS: _refit}[task.kind]
    # the receipt vouches for the rest after a power failure: no need to wait for the disk
    with synced_later(), whole_folder(material.folder / task.key) as folder:
        do(task, material, folder, Watch(on_progress, checkpoint))
        write_receipt(folder, material.made_of)
    shutil.rmtree(checkpoint, ignore_errors=True)


def _pretrain(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    model = material.config.make_model(task.model)
    assert isinstance(model, Pretrained)
    config, start = model.pretraining_config(), model.first_encoder()
    if material.n_corpus is None:
        patients = material.split(task.seed).train if task.seed else material.cohort.responses.index
        labelled = material.labelled([str(p) for p in patients])
        ecgs = signals_of(labelled.inputs, "pretraining without a corpus")
        encoder = pretrain(
            ecgs, config, seed=task.seed, weights=model.weights, start=start, watch=watch
        )
    else:
        # a corpus is large and serves many studies: its encoder outlives this one
        corpus, _ = corpus_of(material.config, material.cache)
        began = start.record.sha256 if start else ""
        name = config.digest(corpus.digest, model.weights, began)
        kept = material.cache / "encoders" / name
        found = _kept_encoder(kept)
        encoder = found or pretrain(corpus, config, weights=model.weights, start=start, watch=watch)
        if found is None:
            encoder.save(kept)
    encoder.save(folder / ENCODER)


def _kept_encoder(folder: Path) -> Encoder | None:
    """Return an encoder from the cache; None where there is none, or a damaged one."""
    try:
        return load_encoder(folder)
    except ModelError:
        return None


def _model_for(task: Task, material: Material) -> ResponseModel:
    model = material.config.make_model(task.model)
    if task.encoder is None:
        return model
    assert isinstance(model, Pretrained)
    return model.start_from(material.folder / task.encoder / ENCODER)


def _fit_cell(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    split = material.split(task.seed)
    tested = material.labelled(split.test)
    model = _model_for(task, material)
    if isinstance(model, Pretrained) and model.encoder is not None:
        load_encoder(Path(model.encoder)).check_unseen(tested.inputs)
    _fit(model, task, material, watch)
    write_csv(folder / PREDICTIONS, _predictions(task, material, model, tested))
    # where leads stand in users' own pictures is not known
    if isinstance(model, LooksAtPictures) and not material.cohort.holds_pictures:
        responders = _first_of_responders(tested.inputs, tested.responses)
        write_lead_maps(folder, task, model, responders, material)
    if isinstance(model, ExplainsItself):
        write_contributions(folder, task.model, task.seed, model, tested.inputs)
    if isinstance(model, Rule) and task.seed == 1:  # what it says does not depend on the fit
        write_statements(folder, task.model, model, material.cohort.inputs)
    save_model(model, task.model, folder / MODEL)
    alone = model.ecg_alone() if isinstance(model, UsesFacts) else None
    if alone is not None and knows_facts(material.cohort.inputs):
        _fit(alone, task, material, Watch())
        write_csv(folder / PREDICTIONS_ECG, _predictions(task, material, alone, tested))
        save_model(alone, task.model, folder / MODEL_ECG)


def _fit(model: ResponseModel, task: Task, material: Material, watch: Watch) -> None:
    split = material.split(task.seed)
    train = material.labelled(split.train)
    held = material.once(split.validation)  # whoever has many recordings stops no fit by himself
    model.fit(
        train.inputs,
        train.responses,
        seed=task.seed,
        fall=train.falls,
        weight=train.weights,
        validation=(held.inputs, held.responses) if split.validation else None,
        watch=watch,
    )


def _predictions(
    task: Task, material: Material, model: ResponseModel, tested: Learnt
) -> pd.DataFrame:
    """Return one row a patient of the test part; the logits of several recordings are averaged.

    The probability is the model's own; the share of responders in the training part where it can
    say nothing.
    """
    rows = pd.DataFrame(
        {
            "patient_id": [x.patient_id for x in tested.inputs],
            "y": tested.responses,
            "logit": model.logits(tested.inputs),
        }
    )
    # of a recording without heartbeat the others of the patient speak
    table = rows.groupby("patient_id", sort=True).mean().reset_index()
    share = material.cohort.responses.loc[list(material.split(task.seed).train)].mean()
    table["p"] = np.where(table["logit"].isna(), share, expit(table["logit"]))
    table.insert(0, "model", task.model)
    table.insert(1, "seed", task.seed)
    table.insert(3, "part", "test")
    return table.astype({"y": np.int64})[list(TABLES["predictions"])]


def _first_of_responders(inputs: Sequence[Input], y: Labels) -> list[Input]:
    """Return the first recording of every responder, sorted by patient."""
    backwards = zip(reversed(inputs), reversed(y), strict=True)
    first = {x.patient_id: x for x, label in backwards if label}
    return [first[patient] for patient in sorted(first, key=str)]


def _refit(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    write_refits(folder, task.model, material, watch.on_progress)
