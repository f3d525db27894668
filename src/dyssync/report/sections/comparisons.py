"""Model against model: the few questions named beforehand, and other pairs to look at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dyssync.evaluation.comparisons import EXPLORATORY, NAMED, NO_MODEL
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
from dyssync.report.verdicts import Verdict, verdicts
from dyssync.report.wording import metric, p_value, points


@dataclass(frozen=True)
class Question:
    """A named comparison: the answer in a sentence, the numbers behind it, whether it is shown."""

    sentence: str
    figures: str
    shown: bool


@dataclass(frozen=True)
class Pair:
    """Two models of an exploratory comparison, with the difference in AUROC and its interval."""

    model_a: str
    model_b: str
    difference: str
    interval: str


@dataclass(frozen=True)
class ComparisonFacts:
    """What was asked beforehand, and what is only to look at."""

    named: tuple[Question, ...]
    exploratory: tuple[Pair, ...]


def gather(study: Overview) -> ComparisonFacts:
    """Return every comparison of the run."""
    found = verdicts(study.results.tables["comparisons"])
    auroc = metric("auroc")
    pairs = tuple(
        Pair(
            v.model_a,
            v.model_b,
            auroc.number(v.difference.value, signed=True),
            auroc.interval(v.difference, signed=True),
        )
        for v in found
        if v.kind == EXPLORATORY
    )
    return ComparisonFacts(tuple(_question(v) for v in found if v.kind == NAMED), pairs)


def _question(v: Verdict) -> Question:
    words = points(v.difference) if v.metric == "accuracy" else _plain(v)
    p = f"{p_value(v.p)}, Holm {p_value(v.p_holm)}"
    return Question(f"{v.model_a} {_claim(v)}.", f"{words}; {p}", v.better or v.worse)


def _plain(v: Verdict) -> str:
    shown = metric(v.metric)
    value = shown.number(v.difference.value, signed=True)
    return f"{value} {shown.interval(v.difference, signed=True)}"


def _claim(v: Verdict) -> str:
    """Return what can be said, in words that claim no more."""
    if not math.isfinite(v.p_holm):
        return f"cannot be compared with {v.model_b} in {metric(v.metric).label}"
    is_shown = "is shown" if v.better or v.worse else "is not shown"
    if v.metric == "accuracy":
        side = "fewer" if v.worse else "more"
        return f"{is_shown} to classify {side} patients rightly than one answer for all"
    if v.model_b == NO_MODEL:
        side = "below" if v.worse else "above"
        order = f"{is_shown} to rank responders {side} non-responders"
        return f"{order} (AUROC against 0.5)"
    return f"{is_shown} to have a {'lower' if v.worse else 'higher'} AUROC than {v.model_b}"


SECTION = Section("Comparisons", template_beside(__file__), gather)
