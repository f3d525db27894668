"""The results of a study, and what several sections of its report derive from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints
from dyssync.cohort.splits import ratio_of_parts
from dyssync.evaluation.delong import refit_factor
from dyssync.evaluation.estimates import each_model
from dyssync.figures.palette import Look, looks
from dyssync.figures.plate import file_name
from dyssync.report.cohort_facts import CohortFacts, summarise_cohort
from dyssync.report.summary import Estimates, Row, Summary, estimates_index, summary_index
from dyssync.report.wording import Estimate
from dyssync.study.results import StudyResults


@dataclass(frozen=True, eq=False)
class Answers:
    """Out-of-fold answers of one model, a patient each; who has none is left out.

    Attributes:
        model: name.
        y: (n,) outcomes, 1 = responder.
        z: (n,) logits, what ranks are made of.
        p: (n,) probabilities of response, 0-1.
    """

    model: str
    y: Ints
    z: Floats
    p: Floats

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.y)

    @property
    def gradable(self) -> bool:
        """Whether both classes are there."""
        return len(np.unique(self.y)) == 2


@dataclass(frozen=True, eq=False)
class Overview:
    """What every section may use.

    Attributes:
        results: all tables of the run.
        cohort: counts of patients.
        models: names, in the order of the answers.
        n_fits: fits a model, each with its own test part.
        answers: out-of-fold answers, a model each.
        summary: rows of the summary table by model and metric.
        estimates: what the answers are worth.
        looks: colour and mark of each model.
        file_names: of each model, for the files of its figures; no two are equal.
    """

    results: StudyResults
    cohort: CohortFacts
    models: tuple[str, ...]
    n_fits: int
    answers: tuple[Answers, ...]
    summary: Summary
    estimates: Estimates
    looks: Mapping[str, Look]
    file_names: Mapping[str, str]

    @property
    def threshold(self) -> float:
        """From which probability a patient is called a responder; named before any result."""
        return self.results.run.threshold

    @property
    def graded(self) -> int:
        """Number of patients with an answer; independent splits never test some."""
        return max((one.n for one in self.answers), default=0)

    @property
    def graded_share(self) -> float:
        """Share of responders among them, 0-1; NaN without any."""
        most = max(self.answers, key=lambda one: one.n, default=None)
        return float(most.y.mean()) if most is not None and most.n else float("nan")

    @property
    def floor(self) -> float:
        """How often it is right to give all of them the commoner answer."""
        return max(self.graded_share, 1 - self.graded_share)

    @property
    def refit_factor(self) -> float:
        """Of the variance of an out-of-fold metric, as in the run's tables."""
        return refit_factor(ratio_of_parts(self.results.tables["splits"]))

    def row(self, model: str, metric: str) -> Row | None:
        """Return mean, SD and interval of a metric over the fits of a model; None without."""
        return self.summary.get((model, metric))

    def estimate(self, model: str, metric: str) -> Estimate:
        """Return what a model's answers are worth, at the named threshold."""
        return self.estimates.find(model, metric, self.threshold)

    def of_model(self, table: str, model: str) -> pd.DataFrame:
        """Return the rows of a table that belong to a model."""
        rows = self.results.tables[table]
        return rows[rows["model"].astype(str) == model]


def look_over(results: StudyResults) -> Overview:
    """Derive from the results what several sections need."""
    tables = results.tables
    answers = tuple(Answers(*one) for one in each_model(tables["answers"]))
    names = [*(one.model for one in answers), *tables["summary"]["model"].astype(str)]
    models = tuple(dict.fromkeys(names))
    return Overview(
        results=results,
        cohort=summarise_cohort(results),
        models=models,
        n_fits=int(tables["splits"]["seed"].nunique()),
        answers=answers,
        summary=summary_index(tables["summary"]),
        estimates=estimates_index(tables["estimates"]),
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
