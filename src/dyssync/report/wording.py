"""How the report writes numbers and names: one place, so that all sections agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dyssync.evaluation.metrics import METRICS

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
NO_BREAK = "\N{NO-BREAK SPACE}"
MISSING = "not defined"


@dataclass(frozen=True)
class Metric:
    """A metric as the report names it; ``percent``: shown times 100."""

    label: str
    percent: bool
    higher_is_better: bool
    uses_threshold: bool
    meaning: str

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


# What a metric means, in words for a cardiologist, and whether it is a share shown in percent.
# Names, labels and directions are those of `dyssync.evaluation.metrics.METRICS`.
MEANINGS: Mapping[str, tuple[str, bool]] = {
    "accuracy": ("share of patients who were classified correctly", True),
    "ppv": ("of those predicted to respond, the share who did", True),
    "npv": ("of those predicted not to respond, the share who did not", True),
    "sensitivity": ("share of the responders who were recognised", True),
    "specificity": ("share of the non-responders who were recognised", True),
    "auroc": ("how often a responder is ranked above a non-responder; 0.5 is chance", False),
    "auprc": ("average PPV over all thresholds; chance is the share of responders", False),
    "brier": ("mean squared error of the probability; lower is better", False),
    "threshold": ("probability from which a patient is called a responder", False),
}


def metric(name: str) -> Metric:
    """Return how to show the metric called `name`; an unknown one under its own name."""
    meaning, percent_scale = MEANINGS.get(name, ("", False))
    if name not in METRICS:
        return Metric(name.capitalize(), percent_scale, True, False, meaning)
    known = METRICS[name]
    return Metric(known.label, percent_scale, known.higher_is_better, known.uses_threshold, meaning)


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
