"""In short: what came out, in a few sentences that claim no more than the tables show."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dyssync.report.overview import Overview
from dyssync.report.pairs import Comparison, comparisons
from dyssync.report.section import Section, template_beside
from dyssync.report.wording import count, listing, percent

CHANCE_AUROC = 0.5


def gather(study: Overview) -> tuple[str, ...]:
    """Return the sentences."""
    tests = comparisons(study.results.tables["tests"], study.summary)
    return (*_floor(study), *_chance(study), *_order(tests))


def _floor(study: Overview) -> tuple[str, ...]:
    cohort = study.cohort
    if not cohort.patients:
        return ("The cohort is empty.",)
    test = next((part for part in cohort.parts if part.name == "test"), None)
    tested = f"; each seed tests {test.patients} patients" if test else ""
    return (
        f"{count(cohort.patients, 'patient')}, {count(cohort.responders, 'responder')} "
        f"({percent(cohort.share)}). {count(len(study.models), 'model')}, "
        f"{count(study.n_seeds, 'seed')}{tested}.",
        "The floor: calling every patient by the commoner class is right in "
        f"{percent(cohort.commoner_share)}.",
    )


def _chance(study: Overview) -> tuple[str, ...]:
    above, below, without = [], [], []
    for model in study.models:
        row = study.row(model, "auroc")
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


def _order(tests: Sequence[Comparison]) -> tuple[str, ...]:
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


SECTION = Section("In short", template_beside(__file__), gather)
