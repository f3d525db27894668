"""Which pieces of work a study has, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyssync.arrays import Floats
from dyssync.cohort import Cohort
from dyssync.cohort.splits import Split
from dyssync.image import Input
from dyssync.models.protocols import Labels, Pretrained, ResponseModel
from dyssync.study.config import StudyConfig

ENCODER, CELL, REFITS = "encoder", "cell", "refits"
ORDER = (ENCODER, CELL, REFITS)
QUICK_SHARE = 0.02  # of the cost of a first fit, for one to recordings that are measured already


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Attributes:
        key: name of its folder.
        kind: ENCODER pretrains, CELL fits and tests one model in one seed, REFITS fits a quick
            model to bootstrap samples of all patients.
        model: name in the registry.
        seed: of the cell; 0 where there is none.
        needs: keys of tasks that must be done before.
        encoder: key of the task, one of `needs`, whose encoder the model starts from.
        cost: expected work, in pictures or their like; for the time estimate.
    """

    key: str
    kind: str
    model: str
    seed: int
    needs: tuple[str, ...] = ()
    encoder: str | None = None
    cost: float = 1.0


@dataclass(frozen=True, eq=False)
class Learnt:
    """Recordings to learn from or to test on, and what is known of their patients.

    Attributes:
        inputs: recordings, n.
        responses: (n,) 0/1.
        falls: (n,) % of LVESV, NaN where not known.
        weights: (n,) recordings of one patient share the weight of one.
    """

    inputs: list[Input]
    responses: Labels
    falls: Floats
    weights: Floats


@dataclass(frozen=True)
class Material:
    """What every task works on; sent to each worker once.

    Attributes:
        config: of the study.
        cohort: patients, recordings and responses.
        n_corpus: unlabelled ECGs, or None to pretrain on training patients.
        splits: one a seed, in the order of seeds 1, 2, ...
        folder: holds a folder a finished task.
        cache: holds what several studies share.
        made_of: digest of settings and data; what a task of another one left is not taken for done.
    """

    config: StudyConfig
    cohort: Cohort
    n_corpus: int | None
    splits: tuple[Split, ...]
    folder: Path
    cache: Path
    made_of: str = ""

    def labelled(self, patients: Sequence[str]) -> Learnt:
        """Return all recordings of these patients with their outcomes."""
        return self.rows(self.cohort.rows_of(patients))

    def once(self, patients: Sequence[str]) -> Learnt:
        """Return the first recording of each of these patients with his outcome."""
        later = self.cohort.table["patient_id"].duplicated().to_numpy()
        return self.rows([i for i in self.cohort.rows_of(patients) if not later[i]])

    def rows(self, rows: Sequence[int]) -> Learnt:
        """Return these rows of the cohort with their outcomes."""
        responses = self.cohort.table["responder"].to_numpy(np.int64)
        at = list(rows)
        return Learnt(
            [self.cohort.inputs[i] for i in at],
            responses[at],
            self.cohort.falls[at],
            self.cohort.weights[at],
        )

    def split(self, seed: int) -> Split:
        """Return the split of one seed."""
        return self.splits[seed - 1]


def plan(material: Material) -> list[Task]:
    """Return all tasks of a study, what others wait for first."""
    tasks = [task for name in material.config.models for task in _tasks_of(name, material)]
    return sorted(tasks, key=lambda task: (ORDER.index(task.kind), -task.cost))


def cell_key(model: str, seed: int) -> str:
    """Return the key of the cell of a model and seed."""
    return f"{model}-{seed:02d}"


def refits_key(model: str) -> str:
    """Return the key of the bootstrap refits of a model."""
    return f"{model}-refits"


def _tasks_of(name: str, material: Material) -> list[Task]:
    model = material.config.make_model(name)
    encoders, tasks = dict[int, str](), list[Task]()
    if isinstance(model, Pretrained):
        encoders = _encoder_keys(name, model, material)
        n = len(material.splits[0].train) if material.n_corpus is None else material.n_corpus
        cost = model.pretraining_config().passes_of(n) * n
        seed_of = {key: seed for seed, key in encoders.items()}
        tasks = [Task(key, ENCODER, name, seed, cost=cost) for key, seed in seed_of.items()]
    for split in material.splits:
        tasks.append(
            Task(
                cell_key(name, split.seed),
                CELL,
                name,
                split.seed,
                needs=(encoders[split.seed],) if encoders else (),
                encoder=encoders.get(split.seed),
                cost=model.work(len(split.train)),
            )
        )
    if refitted(model, material):
        # the recordings are measured once: what a quick fit costs beside that is next to nothing
        share = QUICK_SHARE * material.config.refits
        work = share * model.work(len(material.cohort.responses))
        tasks.append(Task(refits_key(name), REFITS, name, seed=0, cost=work))
    return tasks


def refitted(model: ResponseModel, material: Material) -> bool:
    """Return whether a model is fitted to bootstrap samples, to see how steady its answers are."""
    return model.QUICK_TO_FIT and material.config.refits > 0


def _encoder_keys(name: str, model: Pretrained, material: Material) -> dict[int, str]:
    """Return the encoder task of every seed; empty if none is trained."""
    if not model.pretrains(corpus=material.n_corpus is not None):
        return {}
    seeds = [split.seed for split in material.splits]
    if material.n_corpus is not None:
        return dict.fromkeys(seeds, f"{ENCODER}-{name}-corpus")
    return {seed: f"{ENCODER}-{name}-{seed:02d}" for seed in seeds}
