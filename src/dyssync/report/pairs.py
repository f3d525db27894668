"""Models compared two by two: the corrected tests of a study, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from dyssync.evaluation.metrics import METRICS
from dyssync.report.summary import Summary, find
from dyssync.report.wording import count, metric, p_value


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


def comparisons(tests: pd.DataFrame, summary: Summary) -> tuple[Comparison, ...]:
    """Return every pairwise test with its sentence; AUROC first, then as in the table.

    Args:
        tests: table of the run.
        summary: tells on which side of a metric's ideal the two models lie.
    """
    rows = [{str(k): v for k, v in row.items()} for row in tests.to_dict("records")]
    found = [_comparison(row, summary) for row in rows]
    return tuple(sorted(found, key=lambda c: c.metric != "auroc"))


def _comparison(row: dict[str, object], summary: Summary) -> Comparison:
    rule, name = str(row["threshold_rule"]), str(row["metric"])
    a, b = str(row["model_a"]), str(row["model_b"])
    values = [float(str(row[key])) for key in ("difference", "low", "high", "p_value")]
    difference, low, high, p = values
    shown, n_seeds = metric(name), int(float(str(row["n_seeds"])))
    known = math.isfinite(low) and math.isfinite(high)
    separable = not low <= 0 <= high if known else None
    interval = f"{shown.number(low, signed=True)} to {shown.number(high, signed=True)}"
    written = interval if known else "no interval"
    points = " percentage points" if shown.percent else ""
    if separable is None:
        sentence = f"{a} and {b} cannot be compared in {shown.label}: there is no interval."
    elif not separable:
        sentence = f"{a} and {b} are not separable in {shown.label}."
    else:
        means = [r["mean"] for m in (a, b) if (r := find(summary, m, rule, name)) is not None]
        word = _word(name, difference, means)
        sentence = f"{a} has a {word} {shown.label} than {b}."
    return Comparison(
        rule=rule,
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


def _word(name: str, difference: float, means: list[float]) -> str:
    """Return "higher" or "lower", and whether that is better where it is known to be."""
    word = "higher" if difference > 0 else "lower"
    if name not in METRICS or len(means) < 2:
        return word
    upwards = METRICS[name].higher_is_better(*means)
    if upwards is None:  # the ideal lies between the two
        return word
    return f"{word} ({'better' if (difference > 0) == upwards else 'worse'})"
