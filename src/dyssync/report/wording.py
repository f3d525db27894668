"""How the report writes numbers and names: one place, so that all sections agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dyssync.evaluation.metrics import METRICS

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
NO_BREAK = "\N{NO-BREAK SPACE}"
MISSING = "not defined"


@dataclass(frozen=True)
class MetricWords:
    """How a metric is written; what it is stands in `dyssync.evaluation.metrics`."""

    label: str
    percent: bool = False

    def number(self, value: float, signed: bool = False) -> str:
        """Return `value` in the metric's scale: one decimal of a percent, or three decimals."""
        if not math.isfinite(value):
            return MISSING
        shown = f"{100 * value:.1f}" if self.percent else f"{value:.3f}"
        if float(shown) == 0:
            shown = shown.removeprefix("-")  # no "-0.000"
        elif signed and value > 0:
            shown = f"+{shown}"
        return shown.replace("-", MINUS)

    def interval(self, found: Estimate, signed: bool = False) -> str:
        """Return the 95 % interval in brackets; says so where there is none."""
        if not found.has_interval:
            return "no interval"
        return f"[{self.number(found.low, signed)}, {self.number(found.high, signed)}]"

    @property
    def head(self) -> str:
        """The label with its unit."""
        return f"{self.label}, %" if self.percent else self.label


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; NaN where undefined."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def sign(self) -> int:
        """1 where the interval lies above 0, -1 below, 0 where it holds 0 or is not known."""
        return int(self.low > 0) - int(self.high < 0)


def metric(name: str) -> MetricWords:
    """Return how to write what a table calls `name`; what is no metric under its own name."""
    if name not in METRICS:
        return MetricWords(name.capitalize())
    return MetricWords(METRICS[name].label, METRICS[name].percent)


def percent(share: float, decimals: int = 0) -> str:
    r"""Write a share as a percentage, all in one piece.

    >>> percent(0.625), percent(0.625, 1), percent(math.nan)
    ('62\xa0%', '62.5\xa0%', 'not defined')
    """
    return f"{100 * share:.{decimals}f}{NO_BREAK}%" if math.isfinite(share) else MISSING


def p_value(p: float) -> str:
    r"""Write a p-value with its sign, all in one piece.

    >>> p_value(0.0002), p_value(0.0412), p_value(0.41)
    ('p\xa0<\xa00.001', 'p\xa0=\xa00.041', 'p\xa0=\xa00.41')
    """
    if not math.isfinite(p):
        return "p not defined"
    text = "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
    return text.replace(" ", NO_BREAK)


def points(found: Estimate) -> str:
    r"""Write a difference of shares in percentage points, with its interval.

    >>> points(Estimate(0.03, 0.011, 0.101))
    '+3.0\xa0points [+1.1, +10.1]'
    """
    words = MetricWords("", percent=True)
    value = f"{words.number(found.value, signed=True)}{NO_BREAK}points"
    return f"{value} {words.interval(found, signed=True)}"


def count(n: int, one: str, many: str = "") -> str:
    """Write a number with its noun.

    >>> count(1, "seed"), count(1140, "seed"), count(2, "entry", "entries")
    ('1 seed', '1,140 seeds', '2 entries')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def span(values: Sequence[float], unit: str = "") -> str:
    r"""Write the smallest and largest of whole numbers, or the one number that all are.

    >>> span([57, 57]), span([56, 57], "%")
    ('57', '56–57\xa0%')
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return MISSING
    low, high = f"{min(finite):,.0f}", f"{max(finite):,.0f}"
    numbers = low if low == high else f"{low}{DASH}{high}"
    return f"{numbers}{NO_BREAK}{unit}" if unit else numbers


def listing(names: list[str]) -> str:
    """Join names as in a sentence.

    >>> listing(["a"]), listing(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def text_of(value: Any) -> str:
    """Write any value of a record or table for people.

    >>> text_of(None), text_of(True), text_of(0.50), text_of(["a", 3]), text_of([])
    ('not set', 'yes', '0.5', 'a, 3', 'none')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):  # NaN: an empty cell
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(text_of(item) for item in value) or "none"
    return str(value)


def flat(values: Mapping[str, Any], prefix: str = "") -> tuple[tuple[str, str], ...]:
    """Write all values of a record, a line each; those inside others with a dotted name.

    >>> flat({"seeds": 3, "parameters": {"lightgbm": {"leaves": 7}}})
    (('seeds', '3'), ('parameters.lightgbm.leaves', '7'))
    """
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            rows.extend(flat(value, f"{prefix}{key}."))
        else:
            rows.append((f"{prefix}{key}", text_of(value)))
    return tuple(rows)
