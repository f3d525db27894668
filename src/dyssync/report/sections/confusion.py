"""Right and wrong, in counts: the predictions of all seeds at each threshold."""

from __future__ import annotations

from dataclasses import dataclass

from dyssync.evaluation.confusion import Confusion, count_confusion
from dyssync.evaluation.thresholds import THRESHOLD
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
from dyssync.report.summary import rule_title

NO_COUNTS = Confusion(0, 0, 0, 0)


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


def gather(study: Overview) -> tuple[ConfusionTable, ...]:
    """Count the test predictions of every model at each rule's threshold, summed over the seeds.

    A rule is left out for a model whose thresholds are not in the metrics table.
    """
    metrics = study.results.tables["metrics"]
    cuts = {
        (str(row["model"]), str(row["threshold_rule"]), int(row["seed"])): float(row["value"])
        for row in metrics[metrics["metric"] == THRESHOLD].to_dict("records")
    }
    tables = []
    for rule in study.rules:
        rows = []
        for one in study.predictions:
            own = [cuts.get((one.model, rule, seed)) for seed in one.seeds]
            noted = [cut for cut in own if cut is not None]
            if len(noted) == len(own):
                counts = map(count_confusion, one.y, one.p, noted)
                rows.append(ModelConfusion(one.model, sum(counts, NO_COUNTS), len(own)))
        if rows:
            tables.append(ConfusionTable(rule, rule_title(rule, study.results), tuple(rows)))
    return tuple(tables)


SECTION = Section("Right and wrong, in counts", template_beside(__file__), gather)
