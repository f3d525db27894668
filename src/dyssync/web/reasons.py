"""What an answer rests on: measurements by their part in it, and leads that a network looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dyssync.ecg import LEADS
from dyssync.explanation.profiles import LeadProfiles
from dyssync.inspection.wording import NONE, shown
from dyssync.measurements import DEFINITIONS
from dyssync.prediction.predictor import ModelPrediction
from dyssync.web.facts import NOT_GIVEN, TITLES, in_words

MOST = 8  # measurements that are shown
BY_NAME = {d.name: d for d in DEFINITIONS}


@dataclass(frozen=True)
class Reason:
    """One measurement or fact and its part in the answer.

    Attributes:
        name: of it.
        meaning: how it is defined; "" for a fact.
        value: with unit.
        log_odds: what it added; above 0 speaks for response.
        share: of the largest in the table, 0-1.
    """

    name: str
    meaning: str
    value: str
    log_odds: float
    share: float


def reasons_of(said: ModelPrediction) -> Sequence[Reason]:
    """Return the measurements that moved a model most, the largest first."""
    shown_ones = said.contributions[:MOST]
    most = max((abs(one.log_odds) for one in shown_ones), default=1.0)
    return [
        Reason(
            TITLES.get(one.feature, one.feature),
            BY_NAME[one.feature].meaning if one.feature in BY_NAME else "",
            _value(one.feature, one.value),
            one.log_odds,
            abs(one.log_odds) / most,
        )
        for one in shown_ones
    ]


def _value(name: str, value: float | None) -> str:
    if value is None:
        return NOT_GIVEN if name in TITLES else NONE
    if name in TITLES:
        return in_words(name, value)
    unit = BY_NAME[name].unit if name in BY_NAME else ""
    return f"{shown(value, unit)} {'' if unit == '0/1' else unit}".rstrip()


def lead_chips(said: ModelPrediction) -> Mapping[str, float]:
    """Return by lead what measurements of that lead alone added to the log-odds, together."""
    totals: dict[str, float] = {}
    for one in said.contributions:
        needs = BY_NAME[one.feature].needs if one.feature in BY_NAME else ()
        if len(needs) == 1:
            totals[needs[0]] = totals.get(needs[0], 0.0) + one.log_odds
    return {lead: round(totals[lead], 3) for lead in LEADS if lead in totals}


def seen_by_lead(profiles: LeadProfiles | None) -> Sequence[tuple[str, float]]:
    """Return lead and share of what a network looked at, 0-1; empty where it looked nowhere."""
    if profiles is None or profiles.shares is None:
        return ()
    return list(zip(LEADS, profiles.shares, strict=True))
