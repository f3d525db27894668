"""Subgroups: whether a model does as well in women, in ischaemic disease, in every centre."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dyssync.cohort.rows import one_row_each
from dyssync.evaluation.comparisons import NO_MODEL
from dyssync.evaluation.patient_groups import groups_of
from dyssync.evaluation.subgroups import FEWEST, Subgroup, subgroups
from dyssync.report.overview import Overview
from dyssync.report.patient_table import clinical_facts
from dyssync.report.section import Section, template_beside
from dyssync.report.wording import Estimate, metric


@dataclass(frozen=True)
class Level:
    """A subgroup; of each model O/E and AUROC with intervals, or why there are none."""

    group: str
    level: str
    n: int
    responders: int
    cells: tuple[tuple[str, ...], ...]

    @property
    def refused(self) -> str:
        """Why no model has an estimate, or nothing."""
        reasons = {cell[0] for cell in self.cells if len(cell) == 1}
        return reasons.pop() if len(reasons) == len(set(self.cells)) == 1 else ""


@dataclass(frozen=True)
class SubgroupFacts:
    """Models (columns) and subgroups (rows); `fewest` of each class are needed."""

    models: tuple[str, ...]
    levels: tuple[Level, ...]
    fewest: int


def gather(study: Overview) -> SubgroupFacts:
    """Return calibration and discrimination of every model in every subgroup."""
    groups = _groups(study.results.tables["cohort"])
    models = tuple(one.model for one in study.answers if one.n and one.model != NO_MODEL)
    found = {model: _of_model(study, model, groups) for model in models}
    levels = []
    if models and not groups.empty:
        for at in zip(*found.values(), strict=True):
            first: Subgroup = at[0]
            cells = tuple(_cell(one) for one in at)
            levels.append(Level(first.group, first.level, first.n, first.responders, cells))
    return SubgroupFacts(models, tuple(levels), FEWEST)


def _groups(table: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of each patient by id, as far as the table tells."""
    patients = one_row_each(table)
    facts = clinical_facts(patients).set_index(patients["patient_id"])
    if "male" in facts:
        facts["sex"] = 1 - facts["male"]
    return groups_of(facts, table)


def _of_model(study: Overview, model: str, groups: pd.DataFrame) -> tuple[Subgroup, ...]:
    own = study.of_model("answers", model).set_index("patient_id")
    own = own.loc[[patient for patient in groups.index if patient in own.index]]
    return subgroups(
        groups.loc[own.index],
        own["y"].to_numpy("int64"),
        own["p"].to_numpy("float64"),
        score=own["z"].to_numpy("float64"),
        factor=study.refit_factor,
    )


def _cell(one: Subgroup) -> tuple[str, ...]:
    if one.refused:
        return (one.refused,)
    oe, auroc = metric("observed_to_expected"), metric("auroc")
    ratio = Estimate(one.oe, one.oe_low, one.oe_high)
    area = Estimate(one.auroc, one.auroc_low, one.auroc_high)
    return (
        f"O/E {oe.number(ratio.value)} {oe.interval(ratio)}",
        f"AUROC {auroc.number(area.value)} {auroc.interval(area)}",
    )


SECTION = Section("Subgroups", template_beside(__file__), gather)
