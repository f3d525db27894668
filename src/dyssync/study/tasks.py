"""The pieces of a study that can be done one by one, each leaving a folder that is whole or absent.

A task depends on nothing but its inputs and its seed: done on one process or eight, in any order,
after an interruption or without, it leaves the same bytes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.cohort.cohort import Cohort
from dyssync.cohort.splits import Part, Split
from dyssync.ecg import ECG
from dyssync.image import Input
from dyssync.learning.training import Watch
from dyssync.models.base import (
    ExplainsItself,
    Labels,
    ResponseModel,
    Rule,
    signals_of,
)
from dyssync.prediction.bundle import FINAL, load_model, save_model
from dyssync.study.config import StudyConfig
from dyssync.study.contributions import write_contributions, write_statements
from dyssync.study.results import write_csv, write_json

ENCODER, CELL, FIT_ALL = "encoder", "cell", "fit-all"


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Attributes:
        key: name of its folder.
        kind: ENCODER pretrains, CELL fits and tests one model in one seed, FIT_ALL fits a model to
            all patients.
        model: name in the registry.
        seed: of the cell; 0 where there is none.
        needs: keys of tasks that must be done before.
        cost: expected work, in pictures or their equivalent; for the time estimate.
    """

    key: str
    kind: str
    model: str
    seed: int
    needs: tuple[str, ...] = ()
    cost: float = 1.0


@dataclass(frozen=True)
class Material:
    """What every task works on; sent to each worker once.

    Attributes:
        config: of the study.
        cohort: patients, ECGs and responses.
        corpus: unlabelled ECGs, or None to pretrain on training patients.
        splits: one a seed, in the order of seeds 1, 2, ...
        folder: holds a folder a finished task.
        cache: holds what several studies share.
    """

    config: StudyConfig
    cohort: Cohort
    corpus: Sequence[ECG] | None
    splits: tuple[Split, ...]
    folder: Path
    cache: Path

    def labelled(self, patients: Sequence[str]) -> tuple[list[Input], Labels]:
        """Return all recordings of these patients with their responses."""
        rows = self.cohort.rows_of(patients)
        responses = self.cohort.table["responder"].to_numpy(np.int64)[rows]
        return [self.cohort.inputs[i] for i in rows], responses

    def split(self, seed: int) -> Split:
        """Return the split of one seed."""
        return self.splits[seed - 1]


def plan(material: Material) -> list[Task]:
    """Return all tasks of a study, what others wait for first."""
    tasks = [task for name in material.config.models for task in _tasks_of(name, material)]
    order = {ENCODER: 0, CELL: 1, FIT_ALL: 2}
    return sorted(tasks, key=lambda task: (order[task.kind], -task.cost))


def _tasks_of(model: str, material: Material) -> list[Task]:
    parameters = material.config.parameters_of(model)
    epochs = float(parameters.get("epochs", 1))
    seeds = [split.seed for split in material.splits]
    encoders = _encoder_keys(model, material)
    corpus = material.splits[0].train if material.corpus is None else material.corpus
    passes = float(parameters.get("pretraining_passes", 0))
    draws = min(passes * len(corpus), float(parameters.get("pretraining_draws", 0)))
    tasks = [
        Task(key, ENCODER, model, seed, cost=draws)
        for key, seed in {key: seed for seed, key in encoders.items()}.items()
    ]
    cells = []
    for split in material.splits:
        needs = (encoders[split.seed],) if encoders else ()
        key, cost = cell_key(model, split.seed), epochs * len(split.train)
        cells.append(Task(key, CELL, model, split.seed, needs, cost))
    last = (*(cell_key(model, seed) for seed in seeds), *([encoders[0]] if encoders else []))
    cost = 0.5 * epochs * len(material.cohort.responses)
    return [*tasks, *cells, Task(fit_all_key(model), FIT_ALL, model, 0, last, cost)]


def _encoder_keys(model: str, material: Material) -> dict[int, str]:
    """Return the encoder task of every seed, 0 for all patients; empty if none is trained."""
    parameters = material.config.parameters_of(model)
    if "pretraining_draws" not in parameters or parameters["encoder"] is not None:
        return {}
    seeds = [*(split.seed for split in material.splits), 0]
    if material.corpus is not None:
        return dict.fromkeys(seeds, f"{ENCODER}-{model}-corpus")
    return {seed: f"{ENCODER}-{model}-{seed:02d}" for seed in seeds}


def cell_key(model: str, seed: int) -> str:
    """Return the key of the cell of a model and seed."""
    return f"{model}-{seed:02d}"


def fit_all_key(model: str) -> str:
    """Return the key of the fit on all patients."""
    return f"{model}-{FINAL}"


def do_task(task: Task, material: Material, on_progress: Callable[[float], None]) -> None:
    """Do one task, unless its folder is there already."""
    target = material.folder / task.key
    if target.is_dir():
        return
    temporary = material.folder / f".{task.key}"
    checkpoint = material.folder / f".{task.key}.checkpoint"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    watch = Watch(on_progress, checkpoint)
    {ENCODER: _pretrain, CELL: _fit_cell, FIT_ALL: _fit_all}[task.kind](
        task, material, temporary, watch
    )
    os.replace(temporary, target)
    shutil.rmtree(checkpoint, ignore_errors=True)


def _pretrain(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    from dyssync.pretraining.encoder import load_encoder
    from dyssync.pretraining.loop import pretrain

    model: Any = material.config.make_model(task.model)
    config = model.pretraining_config()
    if material.corpus is None:
        patients = material.split(task.seed).train if task.seed else material.cohort.responses.index
        labelled, _ = material.labelled([str(p) for p in patients])
        ecgs = signals_of(labelled, "pretraining without a corpus")
        encoder = pretrain(
            ecgs,
            config,
            seed=task.seed,
            weights=model.weights,
            watch=watch,
        )
    else:
        # a corpus is large and serves many studies: its encoder outlives this one
        kept = material.cache / "encoders" / config.digest(material.corpus, model.weights)
        if kept.is_dir():
            encoder = load_encoder(kept)
        else:
            encoder = pretrain(material.corpus, config, weights=model.weights, watch=watch)
            encoder.save(kept)
    encoder.save(folder / ENCODER)


def _model_for(task: Task, material: Material, **changes: Any) -> ResponseModel:
    encoders = [key for key in task.needs if key.startswith(ENCODER)]
    if encoders:
        changes["encoder"] = str(material.folder / encoders[0] / ENCODER)
    return material.config.make_model(task.model, **changes)


def _fit_cell(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    split = material.split(task.seed)
    x, y = material.labelled(split.train)
    validation = material.labelled(split.validation)
    model = _model_for(task, material)
    _check_encoder(model, material.labelled(split.test)[0])
    model.fit(x, y, seed=task.seed, validation=validation, watch=watch)
    write_csv(folder / "predictions.csv", _predictions(task, material, model))
    # where leads stand in users' own pictures is not known
    if hasattr(model, "network_") and not material.cohort.holds_pictures:
        _explain(task, material, model, folder)
    if isinstance(model, ExplainsItself):
        tested = signals_of(material.labelled(split.test)[0], task.model)
        write_contributions(folder, task.model, task.seed, model, tested)
    save_model(model, task.model, folder / "model")


def _check_encoder(model: ResponseModel, tested: Sequence[Input]) -> None:
    encoder = getattr(model, "encoder", None)
    if encoder is not None:
        from dyssync.pretraining.encoder import load_encoder

        load_encoder(Path(encoder)).check_unseen(tested)


def _predictions(task: Task, material: Material, model: ResponseModel) -> pd.DataFrame:
    """Return one row a patient of the validation and test part; several recordings are averaged."""
    parts: tuple[Part, ...] = ("validation", "test")
    rows = []
    for part in parts:
        ecgs, y = material.labelled(material.split(task.seed).part(part))
        p = model.response_probability(ecgs)
        held = pd.DataFrame({"patient_id": [e.patient_id for e in ecgs], "y": y, "p": p})
        mean = held.groupby("patient_id", sort=True).mean().reset_index()
        mean.insert(1, "part", part)
        rows.append(mean)
    table = pd.concat(rows, ignore_index=True).astype({"y": np.int64})
    table.insert(0, "model", task.model)
    table.insert(1, "seed", task.seed)
    return table


def _explain(task: Task, material: Material, model: Any, folder: Path) -> None:
    """Write Grad-CAM maps of the responders of the test part, first recording of each."""
    import torch

    from dyssync.explanation.gradcam import gradcam
    from dyssync.explanation.regions import call_region, chance_shares, lead_shares, lead_weights
    from dyssync.learning.network_input import stack

    config = material.config
    ecgs, y = material.labelled(material.split(task.seed).test)
    first = {e.patient_id: e for e, label in zip(reversed(ecgs), reversed(y), strict=True) if label}
    chosen = [first[patient] for patient in sorted(first, key=str)]
    pictures = np.stack([model.picture(ecg).image for ecg in chosen])
    x = torch.from_numpy(stack(list(pictures)))
    maps = gradcam(model.network_, x, f"encoder.{config.gradcam_stage}")
    cells = model.lead_boxes()
    held = lead_weights(cells, model.size, maps.shape[1:])
    shares = lead_shares(maps, held)
    p = model.response_probability(chosen)
    rows = region_rows(task, [str(e.patient_id) for e in chosen], p, shares, held.limb_area_share)
    rows["region"] = [call_region(row, held, config.region_cut) for row in shares]
    write_csv(folder / "lead_regions.csv", rows)
    rng = np.random.default_rng(np.random.SeedSequence([task.seed, 0xCA4]))
    write_json(folder / "chance.json", chance_shares(maps, held, rng, config.region_cut))
    boxes = np.array([(b.x0, b.y0, b.x1, b.y1) for b in cells])
    leads = np.array([b.lead for b in cells])
    np.savez_compressed(folder / "cams.npz", maps=maps, pictures=pictures, boxes=boxes, leads=leads)


def region_rows(
    task: Task, patients: list[str], p: Any, shares: Any, limb_area_share: float
) -> pd.DataFrame:
    """Return the rows of lead_regions.csv, without the region."""
    from dyssync.ecg import LEADS, LIMB_LEADS

    n_limb = len(LIMB_LEADS)
    table = pd.DataFrame(
        {
            "model": task.model,
            "seed": task.seed,
            "patient_id": patients,
            "p": p,
            "limb_share": shares[:, :n_limb].sum(axis=1),
            "precordial_share": shares[:, n_limb:].sum(axis=1),
            "limb_area_share": limb_area_share,
            "region": "",
            "zero_map": ~np.isfinite(shares).all(axis=1),
        }
    )
    return table.assign(**{f"share_{lead}": shares[:, i] for i, lead in enumerate(LEADS)})


def _fit_all(task: Task, material: Material, folder: Path, watch: Watch) -> None:
    """Fit to all patients, for as long as the seeds found good; for the bundle, never tested."""
    seeds = [split.seed for split in material.splits]
    fitted = [load_model(material.folder / cell_key(task.model, s) / "model") for s in seeds]
    model = _model_for(task, material, **fitted[0].refit_params(fitted))
    x, y = material.labelled([str(p) for p in material.cohort.responses.index])
    model.fit(x, y, seed=0, watch=watch)
    if isinstance(model, Rule):
        write_statements(folder, task.model, model, signals_of(x, task.model))
    save_model(model, task.model, folder / "model")
