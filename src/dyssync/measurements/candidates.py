"""Who asks a guideline, what it answers, and what it can answer where a fact is not known."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Class = Literal["I", "IIa", "IIb", "III"]

# For ranking patients: a stronger recommendation is a higher score.
RANK: dict[Class, int] = {"I": 3, "IIa": 2, "IIb": 1, "III": 0}
# What a fact that decides may be where it is not known; a patient without symptoms is no candidate.
POSSIBLE: Mapping[str, tuple[Any, ...]] = {
    "lbbb": (True, False),
    "sinus_rhythm": (True, False),
    "paced": (True, False),
    "nyha": (2, 3),
    "sex": ("F", "M"),
}
IN_WORDS = {
    "qrs_ms": "QRS duration",
    "lbbb": "LBBB",
    "sinus_rhythm": "sinus rhythm",
    "paced": "ventricular pacing",
    "nyha": "NYHA class",
    "sex": "sex",
}
ENTRY = ("lvef", "nyha")  # facts of which the entry conditions are taken to be met


@dataclass(frozen=True)
class Candidate:
    """What a guideline asks about a patient; None where not known.

    Attributes:
        qrs_ms: global QRS duration, ms.
        lbbb: conventional LBBB.
        sinus_rhythm: False in atrial fibrillation.
        lvef: %.
        nyha: 1-4.
        sex: "F" or "M".
        paced: the ventricles are paced in the recording.
        qrs_most_ms: the longest that the QRS may be, where leads that would show it are lost.
        why: by name of a fact that is not known, the reason ("V6 unusable").
    """

    qrs_ms: float
    lbbb: bool | None
    sinus_rhythm: bool | None = None
    lvef: float | None = None
    nyha: int | None = None
    sex: Literal["F", "M"] | None = None
    paced: bool | None = False
    qrs_most_ms: float | None = None
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recommendation:
    """Class of recommendation for CRT.

    Attributes:
        name: I, IIa, IIb or III (1, 2a, 2b, 3 in American texts); None when the guideline makes no
            statement on such a patient, or when the class is not known.
        reason: the row of the guideline that applies, in our words; what is missing where the class
            is not known.
        assumed: facts that were not given and are taken to meet the entry conditions.
        source: of the guideline.
        checked: whether the row was compared with the guideline's own text.
        known: whether the class is known; a guideline that says nothing is.
    """

    name: Class | None
    reason: str
    assumed: tuple[str, ...]
    source: str
    checked: bool
    known: bool = True

    @property
    def rank(self) -> float:
        """Score for ranking patients, 0-3; NaN without a statement, or where it is not known."""
        return float("nan") if self.name is None else float(RANK[self.name])


_Found = dict[tuple[Any, ...], Recommendation]


def decided(candidate: Candidate, rows: Callable[[Candidate], Recommendation]) -> Recommendation:
    """Return what all values of the unknown facts lead to; not known where they do not agree."""
    possible = {name: some for name, some in POSSIBLE.items() if getattr(candidate, name) is None}
    if candidate.qrs_most_ms is not None:
        possible["qrs_ms"] = (candidate.qrs_ms, candidate.qrs_most_ms)
    found: _Found = {
        values: rows(replace(candidate, **dict(zip(possible, values, strict=True))))
        for values in itertools.product(*possible.values())
    }
    every = list(found.values())
    if len({one.name for one in every}) > 1:
        named = [_named(name, candidate) for name in _deciding(possible, found)]
        classes = {one.name for one in every}
        between = [name or "none" for name in (*RANK, None) if name in classes]
        reason = f"not known: {', '.join(named)} decides between {', '.join(between)}"
        return Recommendation(None, reason, (), every[0].source, checked=True, known=False)
    return replace(
        every[0],
        reason=" or ".join(dict.fromkeys(one.reason for one in every)),
        assumed=tuple(fact for fact in ENTRY if getattr(candidate, fact) is None),
        checked=all(one.checked for one in every),
    )


def _deciding(possible: Mapping[str, tuple[Any, ...]], found: _Found) -> list[str]:
    """Return the unknown facts of which another value alone would change the class."""

    def changes(k: int, others: tuple[Any, ...]) -> bool:
        return any(
            found[(*values[:k], other, *values[k + 1 :])].name != one.name
            for values, one in found.items()
            for other in others
        )

    return [name for k, (name, others) in enumerate(possible.items()) if changes(k, others)]


def _named(fact: str, candidate: Candidate) -> str:
    why = candidate.why.get(fact)
    return IN_WORDS[fact] + (f" ({why})" if why else "")
