"""Gather what the tasks of a study left into its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.cohort import Cohort
from dyssync.cohort.splits import ratio_of_parts, split_table
from dyssync.evaluation.comparisons import compare_models
from dyssync.evaluation.delong import refit_factor
from dyssync.evaluation.estimates import estimates
from dyssync.evaluation.protocol import metric_table, summarise_metrics
from dyssync.image import Input, ecg_of
from dyssync.models.protocols import Rule
from dyssync.models.rules import UNCHECKED
from dyssync.prediction.bundle import Answering
from dyssync.signals.beats import detect_beats
from dyssync.study.answers import gather_answers
from dyssync.study.contributions import (
    gather_contributions,
    gather_importances,
    gather_statements,
)
from dyssync.study.lead_maps import gather_lead_maps
from dyssync.study.plan import Material, cell_key, refits_key
from dyssync.study.record import EnvironmentRecord, RunRecord
from dyssync.study.refits import gather_refits
from dyssync.study.results import TABLES, StudyResults, read_csv
from dyssync.study.tasks import PREDICTIONS, PREDICTIONS_ECG

ESTIMATES_SEED = 0xE57
# From which probability of response one might implant, where clinicians differ; the study's own is
# added. None is chosen by looking at results.
THRESHOLDS = (0.4, 0.5, 0.6, 0.7)


def collect(
    material: Material, record: RunRecord, environment: EnvironmentRecord
) -> tuple[StudyResults, Mapping[str, Answering]]:
    """Gather the folders of all tasks into the tables of the study.

    Returns:
        The results, and by model how the members of the bundle answer.
    """
    config = material.config
    cells = [(name, s.seed, material.folder / cell_key(name, s.seed))
             for name in config.models for s in material.splits]  # fmt: skip
    files = [folder for _, _, folder in cells]
    predictions = _gathered([folder / PREDICTIONS for folder in files], "predictions")
    predictions_ecg = _gathered([folder / PREDICTIONS_ECG for folder in files], "predictions_ecg")
    metrics = metric_table(predictions, config.threshold)
    answers, answering = gather_answers(material, predictions, predictions_ecg)
    splits = split_table(material.cohort.responses, material.splits)
    ratio = ratio_of_parts(splits)
    factor = refit_factor(ratio)
    thresholds = judged_thresholds(config.threshold)
    tables = {
        "cohort": material.cohort.table,
        "excluded": material.cohort.excluded,
        "without_outcome": material.cohort.without_outcome,
        "splits": splits,
        "predictions": predictions,
        "predictions_ecg": predictions_ecg,
        "metrics": metrics,
        "summary": summarise_metrics(metrics, ratio),
        "answers": answers,
        "estimates": estimates(answers, thresholds, ESTIMATES_SEED, factor),
        "comparisons": compare_models(answers, config.threshold, factor),
        "stability": gather_refits([material.folder / refits_key(n) for n in config.models]),
    }
    folders = [(name, folder) for name, _, folder in cells]
    lead_tables, maps = gather_lead_maps(folders)
    explanations = lead_tables | {
        "importances": gather_importances(folders),
        "rules": gather_statements(files),
    }
    results = StudyResults(
        record,
        environment,
        tables,
        explanations,
        maps,
        (
            *_cautions(material, metrics, record.simulated),
            *silent_recordings(material.cohort.inputs),
            *unchecked_rows(explanations["rules"]),
        ),
        gather_contributions(folders),
    )
    return results, answering


def judged_thresholds(named: float) -> tuple[float, ...]:
    """Return the thresholds at which answers are judged, the one named beforehand among them."""
    return tuple(sorted({*THRESHOLDS, named}))


def _gathered(files: Sequence[Path], name: str) -> pd.DataFrame:
    """Return the rows of the files that are there, one below the other."""
    tables = [read_csv(file) for file in files if file.is_file()]
    columns = list(TABLES[name])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def unchecked_rows(rules: pd.DataFrame) -> tuple[str, ...]:
    """Say for how many recordings a rule rests on a row that nobody compared with its source."""
    found = []
    for name, held in rules.groupby("model", sort=False):
        n = int(held["statement"].str.contains(UNCHECKED, regex=False).sum())
        if n:
            found.append(f"{name}: {n} of {len(held)} recordings fall on a {UNCHECKED}.")
    return tuple(found)


def silent_recordings(ecgs: Sequence[Input]) -> tuple[str, ...]:
    """Say of how many recordings the models of the beat, and tiles of it, know nothing."""
    signals = [ecg for ecg in map(ecg_of, ecgs) if ecg is not None]
    n = sum(not len(detect_beats(ecg.signal, ecg.fs)) for ecg in signals)
    if not n:
        return ()
    return (f"No heartbeat was found in {n} of {len(signals)} recordings: to models of the beat "
            "they are empty.",)  # fmt: skip


def _missing_outcomes(cohort: Cohort, simulated: bool) -> list[str]:
    gone = cohort.without_outcome
    if len(gone):
        died = int((gone["followup"].astype(str).str.strip().str.lower() == "died").sum())
        return [
            f"{len(gone)} patients are without an outcome ({died} died, {len(gone) - died} were "
            "lost) and take no part; see the cohort flow for what they may change."
        ]
    if simulated or "followup" in cohort.table:
        return []
    return [
        "Only patients with follow-up echo are here, as far as the table tells; early deaths, "
        "which are non-responders, may be missing. A column followup (echo, died, lost) would "
        "count them."
    ]


def _cautions(material: Material, metrics: pd.DataFrame, simulated: bool) -> tuple[str, ...]:
    """Return what a reader must know before the numbers, a sentence each."""
    cohort, config, found = material.cohort, material.config, []
    n_test = len(material.splits[0].test)
    if config.shuffle_labels:
        found.append(
            "Labels were shuffled: this run is a negative control, AUROC must be near 0.5."
        )
    if cohort.holds_pictures:
        found.append(
            "The cohort holds users' own pictures: networks of pages look at these, where the "
            "leads stand is not known to them, so no Grad-CAM shares by lead are given."
        )
        read, n = len(cohort.signals), len(cohort.inputs)
        found.append(
            f"{read} of {n} pages were read off for models that measure and networks of the median "
            "beat; of the others they say the base rate."
        )
    if config.preset != "paper":
        found.append(
            f"Preset {config.preset}: smaller pictures and fewer epochs than the paper's settings."
        )
    if config.n_fits < 10:
        found.append(f"{config.n_fits} fits; the study has 10, and vary more with fewer.")
    if n_test < 50:
        found.append(f"{n_test} test patients a fit: accuracy varies by chance alone by "
                     f"{100 * 0.5 / np.sqrt(n_test):.0f} points (one SD).")  # fmt: skip
    if len(cohort.excluded):
        found.append(f"{len(cohort.excluded)} recordings were left out, see the cohort flow.")
    if cohort.table["fs"].nunique() > 1:
        rates = ", ".join(f"{fs:g}" for fs in sorted(cohort.table["fs"].unique()))
        found.append(f"Recordings differ in sampling rate ({rates} Hz).")
    found += _missing_outcomes(cohort, simulated)
    for name in config.models:
        rule = config.make_model(name)
        if isinstance(rule, Rule):
            found += [f"{name}: {limit}." for limit in rule.limits(cohort.signals)]
    if metrics["value"].isna().any():
        found.append("Some metrics are undefined in some fits (nobody called a responder, or all).")
    return tuple(found)
