"""What the report says about performance: tables, comparisons, counts. Computes no metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from dyssync.evaluation.curves import Confusion, ModelPredictions, count_confusion
from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.protocol import CHOSEN, FIXED
from dyssync.report.wording import count, metric, p_value
from dyssync.study.results import TABLES, StudyResults

FIXED_THRESHOLD = 0.5  # where a run has not noted its own; the study (10.1111/jce.70212) names none
THRESHOLD = "threshold"  # the row of the metrics table that holds it
NUMBERS = TABLES["summary"][3:]  # behind model, threshold rule and metric
NO_COUNTS = Confusion(0, 0, 0, 0)


@dataclass(frozen=True)
class Published:
    """One model of the published study; mean over 10 seeds, NaN where not published."""

    model: str
    accuracy: float
    accuracy_sd: float
    ppv: float


# Mori et al., J Cardiovasc Electrophysiol 2025, doi 10.1111/jce.70212, abstract
PUBLISHED = (
    Published("ResNet-18", 0.741, math.nan, 0.842),
    Published("ResNet-18, self-supervised", 0.785, 0.055, 0.813),
    Published("LightGBM", 0.794, math.nan, 0.728),
)


@dataclass(frozen=True)
class Cell:
    """A metric of a model: mean and SD, interval, and a note where seeds are without a value."""

    value: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True)
class PerformanceTable:
    """One line a model; ``published`` lines have as many cells."""

    rule: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    published: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Comparison:
    """A corrected test of two models; ``separable`` is None where no interval exists."""

    rule: str
    metric: str
    model_a: str
    model_b: str
    difference: str
    interval: str
    p: str
    n_seeds: int
    separable: bool | None
    sentence: str
    figures: str


@dataclass(frozen=True)
class ModelConfusion:
    """Counts of one model over the test parts of all seeds."""

    model: str
    confusion: Confusion
    n_seeds: int


@dataclass(frozen=True)
class ConfusionTable:
    """The counts of all models at the thresholds of one rule."""

    rule: str
    title: str
    rows: tuple[ModelConfusion, ...]


Summary = Mapping[tuple[str, str, str], Mapping[str, float]]


def summary_index(summary: pd.DataFrame) -> Summary:
    """Return the rows of the summary table by (model, threshold rule, metric)."""
    return {
        (str(row["model"]), str(row["threshold_rule"]), str(row["metric"])): {
            name: float(row[name]) for name in NUMBERS
        }
        for row in summary.to_dict("records")
    }


def rule_title(rule: str, index: Summary) -> str:
    """Return what a threshold rule is called in a heading."""
    if rule == FIXED:
        row = next((r for (_, u, n), r in index.items() if (u, n) == (FIXED, THRESHOLD)), None)
        return f"at the fixed threshold {row['mean'] if row else FIXED_THRESHOLD:g}"
    if rule == CHOSEN:
        return "at the threshold chosen on the validation part of each seed"
    return f"at the threshold rule “{rule}”"


def performance_tables(
    results: StudyResults, models: Sequence[str]
) -> tuple[PerformanceTable, ...]:
    """Return a table a threshold rule; measures that need no threshold are in the first only."""
    summary = results.tables["summary"]
    index = summary_index(summary)
    tables: list[PerformanceTable] = []
    for rule in threshold_rules(summary):
        columns = tuple(n for n in METRICS if not tables or metric(n).uses_threshold)
        rows = tuple(
            (model, tuple(_cell(find(index, model, rule, name), name) for name in columns))
            for model in models
        )
        published = () if tables else _published(columns)
        tables.append(PerformanceTable(rule, rule_title(rule, index), columns, rows, published))
    return tuple(tables)


def find(index: Summary, model: str, rule: str, name: str) -> Mapping[str, float] | None:
    """Return a summary row; one without a threshold is found whatever rule it was filed under."""
    row = index.get((model, rule, name))
    if row is None and not metric(name).uses_threshold:
        row = next((r for (m, _, n), r in index.items() if (m, n) == (model, name)), None)
    return row


def threshold_rules(summary: pd.DataFrame) -> list[str]:
    """Return the rules that have a metric that needs a threshold, the fixed one first."""
    found = [
        str(rule)
        for rule, held in summary.groupby("threshold_rule", sort=False)
        if any(metric(str(name)).uses_threshold for name in held["metric"])
    ]
    return sorted(found, key=lambda rule: rule != FIXED)  # stable: else as in the table


def _cell(row: Mapping[str, float] | None, name: str) -> Cell:
    if row is None:
        return Cell("not computed")
    shown = metric(name)
    undefined = int(row["n_undefined"])
    n_seeds = int(row["n_defined"]) + undefined
    note = f"undefined in {undefined} of {count(n_seeds, 'seed')}" if undefined else ""
    if not math.isfinite(row["mean"]):
        return Cell(shown.number(row["mean"]), note=note)
    value = shown.number(row["mean"])
    if math.isfinite(row["sd"]):
        value = f"{value} ± {shown.number(row['sd'])}"
    if math.isfinite(row["low"]) and math.isfinite(row["high"]):
        return Cell(value, f"{shown.number(row['low'])} to {shown.number(row['high'])}", note)
    return Cell(value, "no interval", note)


def _published(columns: tuple[str, ...]) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    rows = []
    for study in PUBLISHED:
        accuracy = metric("accuracy").number(study.accuracy)
        if math.isfinite(study.accuracy_sd):
            accuracy += f" ± {metric('accuracy').number(study.accuracy_sd)}"
        known = {"accuracy": Cell(accuracy), "ppv": Cell(metric("ppv").number(study.ppv))}
        rows.append((study.model, tuple(known.get(name, Cell("")) for name in columns)))
    return tuple(rows)


def comparisons(tests: pd.DataFrame) -> tuple[Comparison, ...]:
    """Return every pairwise test with its sentence; AUROC first, then as in the table."""
    found = [_comparison({str(k): v for k, v in row.items()}) for row in tests.to_dict("records")]
    return tuple(sorted(found, key=lambda c: c.metric != "auroc"))


def _comparison(row: Mapping[str, object]) -> Comparison:
    name, a, b = str(row["metric"]), str(row["model_a"]), str(row["model_b"])
    values = [float(str(row[key])) for key in ("difference", "low", "high", "p_value")]
    difference, low, high, p = values
    shown, n_seeds = metric(name), int(float(str(row["n_seeds"])))
    separable = None
    if math.isfinite(low) and math.isfinite(high):
        separable = not low <= 0 <= high
    points = " percentage points" if shown.percent else ""
    interval = f"{shown.number(low, signed=True)} to {shown.number(high, signed=True)}"
    if separable is None:
        sentence = f"{a} and {b} cannot be compared in {shown.label}: there is no interval."
    elif not separable:
        sentence = f"{a} and {b} are not separable in {shown.label}."
    else:
        word = "higher" if difference > 0 else "lower"
        verdict = "better" if (difference > 0) == shown.higher_is_better else "worse"
        sentence = f"{a} has a {word} ({verdict}) {shown.label} than {b}."
    written = interval if separable is not None else "no interval"
    return Comparison(
        rule=str(row["threshold_rule"]),
        metric=name,
        model_a=a,
        model_b=b,
        difference=shown.number(difference, signed=True),
        interval=written,
        p=p_value(p),
        n_seeds=n_seeds,
        separable=separable,
        sentence=sentence,
        figures=(
            f"{shown.number(difference, signed=True)}{points}; 95 % interval {written}; "
            f"{p_value(p)}; {count(n_seeds, 'seed')}"
        ),
    )


def confusion_tables(
    results: StudyResults, predictions: Sequence[ModelPredictions]
) -> tuple[ConfusionTable, ...]:
    """Count the test predictions of every model at each rule's threshold, summed over the seeds.

    A rule is left out for a model whose thresholds were not noted in the metrics table.
    """
    summary, metrics = results.tables["summary"], results.tables["metrics"]
    index = summary_index(summary)
    noted = metrics[metrics["metric"] == THRESHOLD]
    thresholds = {
        (str(row["model"]), str(row["threshold_rule"]), int(row["seed"])): float(row["value"])
        for row in noted.to_dict("records")
    }
    tables = []
    for rule in threshold_rules(summary) or [FIXED]:
        default = FIXED_THRESHOLD if rule == FIXED else math.nan
        rows = []
        for one in predictions:
            cuts = [thresholds.get((one.model, rule, seed), default) for seed in one.seeds]
            if all(math.isfinite(cut) for cut in cuts):
                counts = map(count_confusion, one.y, one.p, cuts)
                rows.append(ModelConfusion(one.model, sum(counts, NO_COUNTS), len(cuts)))
        if rows:
            tables.append(ConfusionTable(rule, rule_title(rule, index), tuple(rows)))
    return tuple(tables)
