"""All numbers of a report in one value, before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.evaluation.curves import (
    CalibrationCurve,
    ClassHistogram,
    DecisionCurve,
    ModelPredictions,
    RocCurve,
    calibration_points,
    class_histogram,
    decision_points,
    predictions_by_model,
    roc_points,
)
from dyssync.report.cohort_facts import CohortFacts, RunFacts, summarise_cohort, summarise_run
from dyssync.report.explanation_facts import (
    FeatureRow,
    ModelMaps,
    RegionRow,
    feature_rows,
    model_maps,
    region_rows,
)
from dyssync.report.performance import (
    Comparison,
    ConfusionTable,
    PerformanceTable,
    Summary,
    comparisons,
    confusion_tables,
    find,
    performance_tables,
    summary_index,
)
from dyssync.report.wording import count, listing, metric, percent
from dyssync.study.results import StudyResults

CHANCE_AUROC = 0.5


@dataclass(frozen=True)
class SeedDots:
    """A metric of one model: a value a seed, mean and interval (NaN where there is none)."""

    model: str
    values: tuple[float, ...]
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class DotPlot:
    """Values a seed of one metric; the reference is what needs no model."""

    metric: str
    label: str
    reference: float
    reference_label: str
    rows: tuple[SeedDots, ...]


@dataclass(frozen=True, eq=False)
class ModelCurves:
    """The curves of one model over its test predictions; ``n`` predictions in ``n_seeds`` seeds."""

    model: str
    n: int
    n_seeds: int
    n_responders: int
    roc: RocCurve
    roc_of_seeds: tuple[RocCurve, ...]
    calibration: CalibrationCurve
    decision: DecisionCurve
    histogram: ClassHistogram


@dataclass(frozen=True, eq=False)
class Facts:
    """What a report says, section by section."""

    run: RunFacts
    cautions: tuple[str, ...]
    cohort: CohortFacts
    models: tuple[str, ...]
    n_seeds: int
    headlines: tuple[str, ...]
    ceiling: tuple[tuple[str, float, float], ...]
    tables: tuple[PerformanceTable, ...]
    spread: tuple[tuple[str, ...], ...]
    comparisons: tuple[Comparison, ...]
    dots: tuple[DotPlot, ...]
    curves: tuple[ModelCurves, ...]
    confusions: tuple[ConfusionTable, ...]
    regions: tuple[RegionRow, ...]
    maps: tuple[ModelMaps, ...]
    features: tuple[FeatureRow, ...]
    own_pictures: bool  # the cohort holds pictures instead of signals


def gather_facts(results: StudyResults) -> Facts:
    """Collect everything the report says from the tables of a run."""
    predictions = predictions_by_model(results.tables["predictions"])
    summary = results.tables["summary"]
    models = tuple(
        dict.fromkeys([*(one.model for one in predictions), *summary["model"].astype(str)])
    )
    cohort = summarise_cohort(results)
    tables = performance_tables(results, models)
    tests = comparisons(results.tables["tests"])
    n_seeds = int(results.tables["splits"]["seed"].nunique())
    index = summary_index(summary)
    rule = tables[0].rule if tables else ""
    return Facts(
        run=summarise_run(results),
        cautions=results.cautions,
        cohort=cohort,
        models=models,
        n_seeds=n_seeds,
        headlines=(
            *_floor_headlines(cohort, len(models), n_seeds),
            *_chance_headlines(index, models, rule),
            *_pair_headlines(tests),
        ),
        ceiling=_below_ceiling(results.config.get("bayes_auroc"), index, models, rule),
        tables=tables,
        spread=_spread(summary),
        comparisons=tests,
        dots=tuple(
            _dots(results.tables["metrics"], index, models, rule, name, cohort)
            for name in ("auroc", "accuracy")
        ),
        curves=tuple(_curves(one) for one in predictions),
        confusions=confusion_tables(results, predictions),
        regions=region_rows(results),
        maps=model_maps(results),
        features=feature_rows(results),
        own_pictures=bool(results.config.get("pictures")),
    )


def _curves(one: ModelPredictions) -> ModelCurves:
    y, p = one.pooled_y, one.pooled_p
    return ModelCurves(
        model=one.model,
        n=len(y),
        n_seeds=len(one.seeds),
        n_responders=int(y.sum()),
        roc=roc_points(y, p),
        roc_of_seeds=tuple(roc_points(*seed) for seed in zip(one.y, one.p, strict=True)),
        calibration=calibration_points(y, p),
        decision=decision_points(y, p),
        histogram=class_histogram(y, p),
    )


def _dots(
    metrics: pd.DataFrame,
    index: Summary,
    models: Sequence[str],
    rule: str,
    name: str,
    cohort: CohortFacts,
) -> DotPlot:
    shown = metric(name)
    factor = 100.0 if shown.percent else 1.0
    table = metrics[metrics["metric"] == name]
    if shown.uses_threshold:
        table = table[table["threshold_rule"].astype(str) == rule]
    rows = []
    for model in models:
        own = table[table["model"].astype(str) == model].drop_duplicates("seed")
        row = find(index, model, rule, name)
        mean, low, high = (math.nan,) * 3 if row is None else (row["mean"], row["low"], row["high"])
        values = tuple(float(v) * factor for v in own["value"] if math.isfinite(v))
        rows.append(SeedDots(model, values, mean * factor, low * factor, high * factor))
    commoner = max(cohort.share, 1 - cohort.share) if cohort.patients else math.nan
    if name == "auroc":
        reference, words = CHANCE_AUROC, "chance"
    else:
        reference, words = commoner * factor, "commoner class for all"
    label = f"{shown.label} in the test part" + (", %" if shown.percent else "")
    return DotPlot(name, label, reference, words, tuple(rows))


def _floor_headlines(cohort: CohortFacts, n_models: int, n_seeds: int) -> tuple[str, ...]:
    if not cohort.patients:
        return ("The cohort is empty.",)
    test = next((part for part in cohort.parts if part.name == "test"), None)
    tested = f"; each seed tests {test.patients} patients" if test else ""
    larger = max(cohort.share, 1 - cohort.share)
    return (
        f"{count(cohort.patients, 'patient')}, {count(cohort.responders, 'responder')} "
        f"({percent(cohort.share)}). {count(n_models, 'model')}, {count(n_seeds, 'seed')}{tested}.",
        f"The floor: calling every patient by the commoner class is right in {percent(larger)}.",
    )


def _below_ceiling(
    bayes: float | None, index: Summary, models: Sequence[str], rule: str
) -> tuple[tuple[str, float, float], ...]:
    """Return (model, mean AUROC, how far it lies below `bayes`); empty for a real cohort."""
    if bayes is None:
        return ()
    found = []
    for model in models:
        row = find(index, model, rule, "auroc")
        if row is not None and math.isfinite(row["mean"]):
            found.append((model, float(row["mean"]), float(bayes - row["mean"])))
    return tuple(found)


def _chance_headlines(index: Summary, models: Sequence[str], rule: str) -> tuple[str, ...]:
    above, below, without = [], [], []
    for model in models:
        row = find(index, model, rule, "auroc")
        if row is None or not math.isfinite(row["low"]):
            without.append(model)
        elif row["low"] > CHANCE_AUROC:
            above.append(model)
        else:
            below.append(model)
    lines = []
    if above:
        lines.append(
            f"Above chance in AUROC (the corrected 95 % interval lies above 0.5): {listing(above)}."
        )
    if below:
        lines.append(f"Not shown to be above chance in AUROC: {listing(below)}.")
    if without:
        lines.append(f"Without an interval of the AUROC, so not judged: {listing(without)}.")
    return tuple(lines)


def _pair_headlines(tests: Sequence[Comparison]) -> tuple[str, ...]:
    pairs = {(c.model_a, c.model_b): c for c in reversed(tests) if c.metric == "auroc"}
    judged = [c for c in pairs.values() if c.separable is not None]
    if not judged:
        return ()
    separable = sum(1 for c in judged if c.separable)
    if not separable:
        pairs_of = "The pair" if len(judged) == 1 else f"None of the {len(judged)} pairs"
        verb = "is not" if len(judged) == 1 else "is"
        return (f"{pairs_of} of models {verb} separable in AUROC: no order of merit follows.",)
    return (
        f"{separable} of {count(len(judged), 'pair')} of models "
        f"{'is' if separable == 1 else 'are'} separable in AUROC; the others are not.",
    )


def _spread(summary: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Return every row of the summary as text: the full table behind the short ones."""
    lines = []
    for row in summary.to_dict("records"):
        shown = metric(str(row["metric"]))
        numbers = [
            shown.number(float(row[key]))
            for key in ("mean", "sd", "low", "high", "minimum", "maximum")
        ]
        n = int(np.nan_to_num(row["n_defined"]))
        lines.append(
            (
                str(row["model"]),
                str(row["threshold_rule"]),
                shown.label + (", %" if shown.percent else ""),
                *numbers,
                str(n),
                str(int(np.nan_to_num(row["n_undefined"]))),
            )
        )
    return tuple(lines)
