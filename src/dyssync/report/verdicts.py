"""The comparisons of a study, and what each of them shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from dyssync.evaluation.comparisons import NAMED
from dyssync.report.wording import Estimate, listing, metric, p_value

ALPHA = 0.05  # of Holm's p-values: the chance of any false claim among the named comparisons


@dataclass(frozen=True)
class Verdict:
    """One comparison.

    Attributes:
        kind: "named" before any result, or "exploratory".
        metric: name.
        model_a, model_b: a is compared with b.
        difference: a minus b.
        p, p_holm: NaN of an exploratory one.
    """

    kind: str
    metric: str
    model_a: str
    model_b: str
    difference: Estimate
    p: float
    p_holm: float

    @property
    def shown(self) -> bool:
        """Whether a difference is shown; an exploratory comparison shows nothing."""
        return self.kind == NAMED and self.p_holm < ALPHA

    @property
    def better(self) -> bool:
        """Whether a is shown to be better."""
        return self.shown and self.difference.value > 0

    @property
    def worse(self) -> bool:
        """Whether a is shown to be worse."""
        return self.shown and self.difference.value < 0


def verdicts(table: pd.DataFrame) -> tuple[Verdict, ...]:
    """Return all comparisons of the table, in its order."""
    return tuple(
        Verdict(
            kind=str(row["kind"]),
            metric=str(row["metric"]),
            model_a=str(row["model_a"]),
            model_b=str(row["model_b"]),
            difference=Estimate(*(float(row[name]) for name in ("difference", "low", "high"))),
            p=float(row["p"]),
            p_holm=float(row["p_holm"]),
        )
        for row in table.to_dict("records")
    )


def auroc_difference(found: Estimate) -> str:
    """Write a difference in AUROC with its interval."""
    shown = metric("auroc")
    return f"{shown.number(found.value, signed=True)} {shown.interval(found, signed=True)}"


def asked(found: Sequence[Verdict], name: str, other: str) -> list[Verdict]:
    """Return the named comparisons with a model, in a metric, that have an answer."""
    return [
        v
        for v in found
        if (v.kind, v.metric, v.model_b) == (NAMED, name, other) and math.isfinite(v.p_holm)
    ]


def claim_of(found: Sequence[Verdict], claim: str, write: Callable[[Estimate], str]) -> str:
    """Return who is shown to be better, or that nobody is, and who comes nearest."""
    better = [v for v in found if v.better]
    if not better:
        best = max(found, key=lambda v: v.difference.value)
        p = f"Holm {p_value(best.p_holm)}"
        lead = "" if len(found) == 1 else "best "
        return f"{none(len(found))} {claim}: {lead}{best.model_a}, {write(best.difference)} ({p})."
    rest = [v.model_a for v in found if not v.better]
    others = f" Not shown for {listing(rest)}." if rest else ""
    if len(better) == 1:
        (v,) = better
        p = f"Holm {p_value(v.p_holm)}"
        return f"{v.model_a} is {claim}: {write(v.difference)} ({p}).{others}"
    names = listing([v.model_a for v in better])
    return f"{names} are {claim}: {each(better, write)}.{others}"


def each(found: Sequence[Verdict], write: Callable[[Estimate], str]) -> str:
    """List comparisons with their numbers."""
    written = [f"{v.model_a} {write(v.difference)} (Holm {p_value(v.p_holm)})" for v in found]
    return listing(written)


def none(n: int) -> str:
    """Return the subject of a sentence that claims of no model anything."""
    return "The one model is not" if n == 1 else "No model is"
