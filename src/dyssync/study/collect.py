"""Gather what the tasks of a study left into its tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dyssync.cohort.splits import split_table
from dyssync.ecg import ECG
from dyssync.evaluation.protocol import metric_table, pairwise_tests, summarise_metrics
from dyssync.evaluation.thresholds import study_thresholds
from dyssync.image import Input
from dyssync.models.protocols import Rule
from dyssync.models.rules import UNCHECKED
from dyssync.signals.beats import detect_beats
from dyssync.study.contributions import (
    gather_contributions,
    gather_importances,
    gather_statements,
)
from dyssync.study.lead_maps import gather_lead_maps
from dyssync.study.plan import Material, cell_key, fit_all_key
from dyssync.study.record import EnvironmentRecord, RunRecord
from dyssync.study.results import StudyResults, read_csv


def collect(material: Material, record: RunRecord, environment: EnvironmentRecord) -> StudyResults:
    """Gather the folders of all cells into the tables of the study."""
    config = material.config
    cells = [(name, s.seed, material.folder / cell_key(name, s.seed))
             for name in config.models for s in material.splits]  # fmt: skip
    predictions = pd.concat([read_csv(f / "predictions.csv") for _, _, f in cells])
    metrics = metric_table(predictions, study_thresholds(predictions, config.threshold))
    split = material.splits[0]
    test_share = len(split.test) / (len(split.train) + len(split.validation))
    tables = {
        "cohort": material.cohort.table,
        "excluded": material.cohort.excluded,
        "splits": split_table(material.cohort.responses, material.splits),
        "predictions": predictions,
        "metrics": metrics,
        "summary": summarise_metrics(metrics, test_share),
        "tests": pairwise_tests(metrics, test_share),
    }
    folders = [(name, folder) for name, _, folder in cells]
    finals = [material.folder / fit_all_key(name) for name in config.models]
    lead_tables, maps = gather_lead_maps(folders)
    explanations = lead_tables | {
        "importances": gather_importances(folders),
        "rules": gather_statements(finals),
    }
    return StudyResults(
        record,
        environment,
        tables,
        explanations,
        maps,
        (
            *_cautions(material, metrics),
            *silent_recordings(material.cohort.inputs),
            *unchecked_rows(explanations["rules"]),
        ),
        gather_contributions(folders),
    )


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
    signals = [ecg for ecg in ecgs if isinstance(ecg, ECG)]
    n = sum(not len(detect_beats(ecg.signal, ecg.fs)) for ecg in signals)
    if not n:
        return ()
    return (f"No heartbeat was found in {n} of {len(signals)} recordings: to models of the beat "
            "they are empty.",)  # fmt: skip


def _cautions(material: Material, metrics: pd.DataFrame) -> tuple[str, ...]:
    """Return what a reader must know before the numbers, a sentence each."""
    cohort, config, found = material.cohort, material.config, []
    n_test = len(material.splits[0].test)
    if config.shuffle_labels:
        found.append(
            "Labels were shuffled: this run is a negative control, AUROC must be near 0.5."
        )
    if cohort.holds_pictures:
        found.append(
            "The cohort holds users' own pictures: models that need a signal are left out, and "
            "where the leads stand is not known, so no Grad-CAM shares by lead are given."
        )
    if config.preset != "paper":
        found.append(
            f"Preset {config.preset}: smaller pictures and fewer epochs than the paper's settings."
        )
    if config.seeds < 10:
        found.append(f"{config.seeds} seeds; the study has 10, and intervals are wide with fewer.")
    if n_test < 50:
        found.append(f"{n_test} test patients a seed: accuracy varies by chance alone by "
                     f"{100 * 0.5 / np.sqrt(n_test):.0f} points (one SD).")  # fmt: skip
    if len(cohort.excluded):
        found.append(f"{len(cohort.excluded)} recordings were left out, see the cohort flow.")
    if cohort.table["fs"].nunique() > 1:
        rates = ", ".join(f"{fs:g}" for fs in sorted(cohort.table["fs"].unique()))
        found.append(f"Recordings differ in sampling rate ({rates} Hz).")
    if "lvesv_followup_ml" in cohort.table:
        found.append(
            "Only patients with follow-up echo are here; early deaths are missing, which are "
            "non-responders (selection bias)."
        )
    for name in config.models:
        rule = config.make_model(name)
        if isinstance(rule, Rule):
            found += [f"{name}: {limit}." for limit in rule.limits(cohort.signals)]
    if metrics["value"].isna().any():
        found.append(
            "Some metrics are undefined in some seeds (nobody called a responder, or all)."
        )
    return tuple(found)
