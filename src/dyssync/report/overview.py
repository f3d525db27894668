"""The results of a study, and what several sections of its report derive from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dyssync.evaluation.predictions import ModelPredictions, predictions_by_model
from dyssync.figures.palette import Look, looks
from dyssync.figures.plate import file_name
from dyssync.report.cohort_facts import CohortFacts, summarise_cohort
from dyssync.report.summary import Row, Summary, find, summary_index, threshold_rules
from dyssync.study.results import StudyResults


@dataclass(frozen=True, eq=False)
class Overview:
    """What every section may use.

    Attributes:
        results: all tables of the run.
        cohort: counts of patients.
        models: names, in the order of the predictions.
        n_seeds: seeds of the run.
        predictions: test predictions, a model each.
        summary: rows of the summary table by model, threshold rule and metric.
        rules: threshold rules, the fixed one first.
        looks: colour and mark of each model.
        file_names: of each model, for the files of its figures; no two are equal.
    """

    results: StudyResults
    cohort: CohortFacts
    models: tuple[str, ...]
    n_seeds: int
    predictions: tuple[ModelPredictions, ...]
    summary: Summary
    rules: tuple[str, ...]
    looks: Mapping[str, Look]
    file_names: Mapping[str, str]

    def row(self, model: str, metric: str) -> Row | None:
        """Return the summary of a metric of a model, at the first rule where one is needed."""
        return find(self.summary, model, self.rules[0] if self.rules else "", metric)


def look_over(results: StudyResults) -> Overview:
    """Derive from the results what several sections need."""
    predictions = predictions_by_model(results.tables["predictions"])
    summary = results.tables["summary"]
    names = [*(one.model for one in predictions), *summary["model"].astype(str)]
    models = tuple(dict.fromkeys(names))
    return Overview(
        results=results,
        cohort=summarise_cohort(results),
        models=models,
        n_seeds=int(results.tables["splits"]["seed"].nunique()),
        predictions=predictions,
        summary=summary_index(summary),
        rules=threshold_rules(summary),
        looks=looks(models),
        file_names=_file_names(models),
    )


def _file_names(models: tuple[str, ...]) -> dict[str, str]:
    """Return file names of the models; a number tells apart those that would be equal."""
    names: dict[str, str] = {}
    for model in models:
        name = file_name(model)
        names[model] = name if name not in names.values() else f"{name}_{len(names)}"
    return names
