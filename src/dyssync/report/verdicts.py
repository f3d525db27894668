"""The comparisons of a study, and what each of them shows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dyssync.evaluation.comparisons import NAMED
from dyssync.report.wording import Estimate

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
