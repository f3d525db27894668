"""At which of its two levels a server calls a patient a responder, a non-responder, or defers."""

from __future__ import annotations

from dyssync.evaluation.conformal import DEFER
from dyssync.prediction.short import ShortAnswer

LEVELS = (80, 90)  # %, of each class that keep their outcome


def verdict_of(answer: ShortAnswer, level: int) -> str:
    """Return "responder", "non-responder" or "defer"; the latter where nothing can be said."""
    if answer.silent:
        return DEFER
    return answer.said.set_80 if level == LEVELS[0] else answer.said.set_90
