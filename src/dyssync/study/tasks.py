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

from dyssync.cohort.splits import Part
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
)
from dyssync.prediction.bundle import load_model, save_model
from dyssync.pretraining.encoder import load_encoder
from dyssync.pretraining.loop import pretrain
from dyssync.study.contributions import write_contributions, write_statements
from dyssync.study.lead_maps import write_lead_maps
from dyssync.study.plan import CELL, ENCODER, FIT_ALL, Material, Task, cell_key
from dyssync.study.results import write_csv
from dyssync.whole import whole_folder
from dyssync.workers import OnProgress


def do_task(task: Task, material: Material, on_progress: OnProgress) -> None:
    """Do one task, unless its folder is there already."""
    target = material.folder / task.key
    if target.is_dir():
        return
    checkpoint = material.folder / f".{task.key}.checkpoint"
    do = {ENCODER: _pretrain, CELL: _fit_cell, FIT_ALL: _fit_all}[task.kind]
    with whole_folder(target) as folder:
        do(task, material, folder, Watch(on_progress, checkpoint))
    shutil.rmtree(checkpoint, ignore_errors=True)


def _pretrain(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    model = material.config.make_model(task.model)
    assert isinstance(model, Pretrained)
    config = model.pretraining_config()
    if material.corpus is None:
        patients = material.split(task.seed).train if task.seed else material.cohort.responses.index
        labelled, _ = material.labelled([str(p) for p in patients])
        ecgs = signals_of(labelled, "pretraining without a corpus")
        encoder = pretrain(ecgs, config, seed=task.seed, weights=model.weights, watch=watch)
    else:
        # a corpus is large and serves many studies: its encoder outlives this one
        kept = material.cache / "encoders" / config.digest(material.corpus, model.weights)
        if kept.is_dir():
            encoder = load_encoder(kept)
        else:
            encoder = pretrain(material.corpus, config, weights=model.weights, watch=watch)
            encoder.save(kept)
    encoder.save(folder / ENCODER)


def _model_for(task: Task, material: Material) -> ResponseModel:
    model = material.config.make_model(task.model)
    if task.encoder is None:
        return model
    assert isinstance(model, Pretrained)
    return model.start_from(material.folder / task.encoder / ENCODER)


def _fit_cell(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    split = material.split(task.seed)
    x, y = material.labelled(split.train)
    validation = material.labelled(split.validation)
    tested, responses = material.labelled(split.test)
    model = _model_for(task, material)
    if isinstance(model, Pretrained) and model.encoder is not None:
        load_encoder(Path(model.encoder)).check_unseen(tested)
    model.fit(x, y, seed=task.seed, validation=validation, watch=watch)
    write_csv(folder / "predictions.csv", _predictions(task, material, model))
    # where leads stand in users' own pictures is not known
    if isinstance(model, LooksAtPictures) and not material.cohort.holds_pictures:
        write_lead_maps(folder, task, model, _first_of_responders(tested, responses), material)
    if isinstance(model, ExplainsItself):
        signals = signals_of(tested, task.model)
        write_contributions(folder, task.model, task.seed, model, signals)
    save_model(model, task.model, folder / "model")


def _predictions(task: Task, material: Material, model: ResponseModel) -> pd.DataFrame:
    """Return one row a patient of the validation and test part; several recordings are averaged."""
    parts: tuple[Part, ...] = ("validation", "test")
    rows = []
    for part in parts:
        inputs, y = material.labelled(material.split(task.seed).part(part))
        p = model.response_probability(inputs)
        found = pd.DataFrame({"patient_id": [x.patient_id for x in inputs], "y": y, "p": p})
        mean = found.groupby("patient_id", sort=True).mean().reset_index()
        mean.insert(1, "part", part)
        rows.append(mean)
    table = pd.concat(rows, ignore_index=True).astype({"y": np.int64})
    table.insert(0, "model", task.model)
    table.insert(1, "seed", task.seed)
    return table


def _first_of_responders(inputs: Sequence[Input], y: Labels) -> list[Input]:
    """Return the first recording of every responder, sorted by patient."""
    backwards = zip(reversed(inputs), reversed(y), strict=True)
    first = {x.patient_id: x for x, label in backwards if label}
    return [first[patient] for patient in sorted(first, key=str)]


def _fit_all(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    """Fit to all patients, for as long as the seeds found good; for the bundle, never tested."""
    seeds = [split.seed for split in material.splits]
    fitted = [load_model(material.folder / cell_key(task.model, s) / "model") for s in seeds]
    model = _model_for(task, material)
    model.set_params(**fitted[0].refit_params(fitted))
    x, y = material.labelled([str(p) for p in material.cohort.responses.index])
    model.fit(x, y, seed=0, watch=watch)
    if isinstance(model, Rule):
        write_statements(folder, task.model, model, signals_of(x, task.model))
    save_model(model, task.model, folder / "model")
