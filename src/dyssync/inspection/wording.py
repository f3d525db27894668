"""Measurements as a person reads them: rounded, with units, the main ones first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from dyssync.measurements import Measurements

# More digits than a person could read off paper say nothing.
DECIMALS = {
    "ms": 0, "deg": 0, "1/min": 0, "mV": 2, "uVs": 1, "mV ms": 0, "dB": 0, "mV/s": 1,
}  # fmt: skip
NONE = "-"  # not defined

Patterns: TypeAlias = tuple[tuple[str, str], ...]  # measurement, word
# Bundle-branch patterns by rank: the first that applies names the conduction.
PATTERNS = (
    ("lbbb_strauss", "strict LBBB"),
    ("lbbb_esc", "LBBB"),
    ("lbbb_aha", "LBBB"),
    ("rbbb", "RBBB"),
    ("ivcd", "IVCD"),
)
FASCICULAR = (("lafb", "LAFB"), ("lpfb", "LPFB"))
# Heading of each group of measurements, by the name of its module.
TITLES = {
    "intervals": "Rate, rhythm, intervals",
    "areas": "QRS and T: areas and angles in space (vectorcardiogram of Kors)",
    "axes": "Axes and amplitudes",
    "activation": "Notches and activation times",
    "bundle_branch": "Conduction",
    "selvester": "Scar",
    "loops": "Loops",
    "quality": "Signal",
}


def shown(value: float, unit: str) -> str:
    """Return a measurement without its unit.

    >>> shown(126.4, "ms"), shown(1.0, "0/1"), shown(float("nan"), "mV"), shown(-0.001, "mV")
    ('126', 'yes', '-', '0.00')
    """
    if not math.isfinite(value):
        return NONE
    if unit == "0/1":
        return "yes" if value else "no"
    text = f"{value:.{DECIMALS[unit]}f}" if unit in DECIMALS else f"{value:.3g}"
    return text.removeprefix("-") if float(text) == 0 else text


def measured(found: Measurements, name: str) -> str:
    """Return one of the measurements of an ECG without its unit."""
    return shown(found[name], found.units[found.names.index(name)])


def conduction(found: Measurements) -> str:
    """Return the patterns of conduction in a few words, and which of them are not known."""
    if math.isnan(found["qrs_duration_ms"]):
        return NONE
    paced = found.answers["paced"]
    if paced.value:
        return "paced"
    branch = _patterns(found, PATTERNS)
    words = [*branch[:1], *_patterns(found, FASCICULAR)]
    # where LBBB or RBBB is not known, what remains of a wide QRS is not known of itself
    unknown = _unknown(found, (*PATTERNS[:-1], *FASCICULAR))
    unknown = unknown or ([] if branch else _unknown(found, PATTERNS[-1:]))
    if paced.value is None:
        unknown = [f"paced {paced}"]
    known = [" + ".join(words)] if words else [] if unknown else ["no block"]
    return "; ".join([*known, *unknown])


def _patterns(found: Measurements, patterns: Patterns) -> list[str]:
    return [word for name, word in patterns if found.answers[name].value]


def _unknown(found: Measurements, patterns: Patterns) -> list[str]:
    """Return what is not known and why, a phrase a reason: "strict LBBB, LBBB not known (V6)"."""
    words: dict[str, list[str]] = {}
    for name, word in patterns:
        answer = found.answers[name]
        if answer.value is None:
            words.setdefault(str(answer), []).append(word)
    return [f"{', '.join(dict.fromkeys(some))} {why}" for why, some in words.items()]


def rhythm(found: Measurements) -> str:
    """Return what is known of the rhythm in a few words."""
    from dyssync.measurements.measurement import NO_P  # loaded by whoever has measured

    if math.isnan(found["qrs_duration_ms"]):
        return NONE
    paced, fibrillates = (found.answers[name] for name in ("paced", "atrial_fibrillation"))
    if paced.value:
        words = "ventricular pacing"
    elif fibrillates.value is None:
        words = f"atrial fibrillation {fibrillates}"
    elif fibrillates.value:
        words = "irregular without P waves: atrial fibrillation likely"
    elif NO_P in found.cautions:
        words = "no P wave that repeats"
    else:
        words = "P wave before each QRS"
    other = found["ectopic_share"]
    return words + (f"; {other:.0%} of the beats have another shape" if other > 0 else "")


def grid(rows: list[list[str]], indent: str = "") -> list[str]:
    """Return rows of cells as lines, the first column to the left, the others to the right.

    >>> grid([["", "I"], ["QRS", "96"]])
    ['      I', 'QRS  96']
    """
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        (
            indent
            + "  ".join(
                f"{cell:<{w}}" if k == 0 else f"{cell:>{w}}"
                for k, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
        ).rstrip()
        for row in rows
    ]
