"""The built-in cohort: what a study without a cohort runs on, made once and kept in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyssync.cohort.cohort import Cohort
from dyssync.evaluation.metrics import auroc
from dyssync.models.protocols import Pretrained
from dyssync.simulation.cohort import VERSION, simulate_cohort
from dyssync.simulation.corpus import CORPUS_VERSION, simulate_corpus
from dyssync.study.config import StudyConfig
from dyssync.study.story import Story

PATIENTS = 285  # as many as in Mori 2025
CORPUS = {"quick": 512, "paper": 4096}  # unlabelled ECGs for ssl-resnet18, by preset
COHORT_SEED, CORPUS_SEED = 1, 2
# The preset of a model that shortens "quick" for 285 patients, so that `make demo` ends within a
# quarter of an hour on two cores, even of a processor that has no AVX-512.
SHORTENED = "quick-virtual"


def builtin_cohort(config: StudyConfig, cache: Path, story: Story, workers: int) -> StudyConfig:
    """Return the configuration with the virtual cohort, and a corpus where a model takes one.

    Both are simulated on the first call, with a fixed seed, and reused after. The quick preset is
    shortened by what each model says of :data:`SHORTENED`, except where the user set a number.
    """
    folder = cache / f"virtual-cohort-{PATIENTS}-v{VERSION}"
    if not folder.is_dir():
        story.say(f"no --cohort given: simulating {PATIENTS} virtual patients")
        simulate_cohort(
            PATIENTS,
            COHORT_SEED,
            folder,
            workers=workers,
            on_progress=story.progress("virtual patients"),
        )
    changes: dict[str, Any] = {"cohort": folder / "cohort.csv"}
    if config.preset == "quick":
        made = {name: config.make_model(name) for name in config.models}
        quick = {name: dict(model.PRESETS.get(SHORTENED, {})) for name, model in made.items()}
        for name, own in config.parameters.items():
            quick[name] |= own
        changes["parameters"] = {name: values for name, values in quick.items() if values}
    pretrained = any(isinstance(config.make_model(m), Pretrained) for m in config.models)
    if config.corpus is None and pretrained:
        n = CORPUS[config.preset]
        corpus = cache / f"virtual-corpus-{n}-v{CORPUS_VERSION}"
        if not corpus.is_dir():
            story.say(f"simulating {n} unlabelled ECGs for pretraining")
            simulate_corpus(
                n,
                CORPUS_SEED,
                corpus,
                workers=workers,
                on_progress=story.progress("unlabelled ECGs"),
            )
        changes["corpus"] = corpus
    return config.model_copy(update=changes)


def bayes_auroc(table: Path, cohort: Cohort) -> float | None:
    """Return the best AUROC that can be expected on a simulated cohort; None for a real one.

    It is that of the noise-free probability in ``truth.csv`` beside the table; no model reads that.
    """
    truth_file = table.parent / "truth.csv"
    if not truth_file.is_file():
        return None
    truth = pd.read_csv(truth_file, dtype={"patient_id": str})
    if not {"patient_id", "p_response"} <= set(truth.columns):
        return None
    known = truth.set_index("patient_id")["p_response"]
    responses = cohort.responses
    if not responses.index.isin(known.index).all():
        return None
    y = np.asarray(responses, dtype=np.int64)
    return auroc(y, known.loc[responses.index].to_numpy(np.float64))
