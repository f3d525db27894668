"""Guideline recommendations for CRT as pure functions of the ECG and a few clinical facts.

LVEF <= 35 % on therapy and symptoms are a guideline's entry conditions: where a patient's are not
known they are taken to be met, and named in `assumed`. What decides between two classes is never
taken: where it is not known, every value it may have is tried, and if they lead to different
classes the class is not known, for the reason given.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Class = Literal["I", "IIa", "IIb", "III"]

# For ranking patients: a stronger recommendation is a higher score.
RANK: dict[Class, int] = {"I": 3, "IIa": 2, "IIb": 1, "III": 0}
LVEF_LIMIT = 35.0  # %
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

# The society's heart failure guideline of the same year, whose table could be read; the pacing
# guideline (Glikson 2021, Eur Heart J 42:3427, 10.1093/eurheartj/ehab364) could not.
ESC_2021 = "McDonagh 2021 (ESC heart failure), Eur Heart J 42:3599, section 6.2, p. 3627"
ESC_2021_PACING = "Glikson 2021 (ESC pacing and CRT), Eur Heart J 42:3427"
HRS_2023 = "Chung 2023 (HRS/APHRS/LAHRS), 10.1016/j.hrthm.2023.03.1538"


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


def esc_2021(candidate: Candidate) -> Recommendation:
    """Return the class of the 2021 ESC guidelines.

    The rows for sinus rhythm and the narrow QRS were compared with the table of recommendations in
    the heart failure guideline. That table has none for atrial fibrillation without a need for
    pacing (its text: "may be an option in selected patients"); the row here is the pacing
    guideline's as commonly restated, and unchecked.
    """
    return _decided(candidate, _esc_rows)


def _esc_rows(candidate: Candidate) -> Recommendation:
    def say(name: Class | None, reason: str) -> Recommendation:
        return Recommendation(name, reason, (), ESC_2021, checked=True)

    early = _outside(candidate, ESC_2021)
    if early is not None:
        return early
    qrs = candidate.qrs_ms
    if qrs < 130:
        return say("III", "QRS below 130 ms without need for ventricular pacing")
    if candidate.lvef is not None and candidate.lvef > LVEF_LIMIT:
        return say(None, "LVEF above 35 %: no statement unless pacing is needed")
    if candidate.nyha == 1:
        return say(None, "no symptoms: no statement")
    if candidate.sinus_rhythm is False:
        severe = candidate.nyha is not None and candidate.nyha >= 3
        reason = "atrial fibrillation, QRS of 130 ms and more, NYHA III-IV"
        return Recommendation(
            "IIa" if severe else None,
            reason if severe else "atrial fibrillation, NYHA II: no statement",
            (),
            ESC_2021_PACING,
            checked=False,
        )
    if candidate.lbbb:
        return say("I" if qrs >= 150 else "IIa", f"LBBB, QRS {_band(qrs, 130)}")
    return say("IIa" if qrs >= 150 else "IIb", f"no LBBB, QRS {_band(qrs, 130)}")


def _outside(candidate: Candidate, source: str) -> Recommendation | None:
    """Return the answer where the rows by QRS do not apply at all."""
    if math.isnan(candidate.qrs_ms):
        reason = "not known: QRS duration could not be measured"
        return Recommendation(None, reason, (), source, checked=True, known=False)
    if candidate.paced:
        reason = "ventricular pacing: judged by its share and by LVEF, not by the QRS"
        return Recommendation(None, reason, (), source, checked=True)
    return None


def hrs_2023(candidate: Candidate) -> Recommendation:
    """Return the class of the 2023 HRS/APHRS/LAHRS guideline on cardiac physiologic pacing.

    The rows without LBBB and those below 120 ms were compared with the guideline's pocket edition
    (guidelinecentral, p. 16); the rows with LBBB could not be.
    """
    return _decided(candidate, _hrs_rows)


def _hrs_rows(candidate: Candidate) -> Recommendation:
    def say(name: Class | None, reason: str, checked: bool = True) -> Recommendation:
        return Recommendation(name, reason, (), HRS_2023, checked)

    early = _outside(candidate, HRS_2023)
    if early is not None:
        return early
    if candidate.lvef is not None and candidate.lvef > LVEF_LIMIT:
        return say(None, "LVEF above 35 %: depends on the expected share of pacing", False)
    qrs, severe = candidate.qrs_ms, candidate.nyha is not None and candidate.nyha >= 3
    if qrs < 120:
        return say("III", "QRS below 120 ms")
    if candidate.sinus_rhythm is False:
        return say(None, "atrial fibrillation: depends on the expected share of pacing", False)
    if candidate.lbbb and candidate.nyha != 1:
        if qrs >= 150:
            return say("I", "LBBB, QRS of 150 ms and more", False)
        women = candidate.sex == "F"
        return say("I" if women else "IIa", "LBBB, QRS 120-149 ms; class I in women", False)
    if candidate.lbbb:
        return say(None, "LBBB without symptoms", False)
    if qrs >= 150:
        if candidate.nyha == 1:
            return say(None, "no LBBB, no symptoms: no statement")
        return say("IIa" if severe else "IIb", "no LBBB, QRS of 150 ms and more")
    return say("IIb" if severe else "III", "no LBBB, QRS 120-149 ms")


_Found = dict[tuple[Any, ...], Recommendation]


def _decided(candidate: Candidate, rows: Callable[[Candidate], Recommendation]) -> Recommendation:
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


def _band(qrs_ms: float, low: int) -> str:
    return "of 150 ms and more" if qrs_ms >= 150 else f"{low}-149 ms"
