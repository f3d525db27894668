"""Yes, no, or not known with the reason: what a criterion says of one ECG.

The logic is Kleene's with three values: a criterion that is not known matters only where it
decides. An answer has no truth value of its own, so that none can pass for a "no" by accident.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What is known of one statement.

    Attributes:
        value: True, False, or None where it is not known.
        reasons: what is missing, a phrase each ("V6 unusable", "sex"); empty where it is known.

    >>> YES & not_known("V6 unusable"), NO & not_known("V6 unusable")
    (Answer(value=None, reasons=('V6 unusable',)), Answer(value=False, reasons=()))
    """

    value: bool | None
    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        raise TypeError("an answer may be not known; ask for its value")

    def __and__(self, other: Answer) -> Answer:
        if self.value is False or other.value is False:
            return NO
        if self.value and other.value:
            return YES
        return not_known(*self.reasons, *other.reasons)

    def __or__(self, other: Answer) -> Answer:
        return ~(~self & ~other)

    def __invert__(self) -> Answer:
        return self if self.value is None else Answer(not self.value)

    @property
    def number(self) -> float:
        """1 for yes, 0 for no, NaN for not known."""
        return math.nan if self.value is None else float(self.value)

    @property
    def word(self) -> str:
        """Without its reasons."""
        return {True: "yes", False: "no", None: "not known"}[self.value]

    def __str__(self) -> str:
        return self.word + (f" ({', '.join(self.reasons)})" if self.reasons else "")


YES, NO, UNKNOWN = Answer(True), Answer(False), Answer(None)


def not_known(*reasons: str) -> Answer:
    """Return "not known" for these reasons, each once."""
    return Answer(None, tuple(dict.fromkeys(reasons)))


def yes_if(is_met: bool) -> Answer:
    """Return yes or no."""
    return YES if is_met else NO


def at_least(value: float, limit: float, reason: str) -> Answer:
    """Return whether `value` reaches `limit`; not known for `reason` where NaN.

    Args:
        value: measured; NaN where it is not known.
        limit: that is asked for.
        reason: what is missing where it is not known.

    >>> [str(at_least(v, 120.0, "QRS duration")) for v in (119.0, math.nan, 120.0)]
    ['no', 'not known (QRS duration)', 'yes']
    """
    if value >= limit:
        return YES
    return NO if value < limit else not_known(reason)


def all_of(answers: Sequence[Answer]) -> Answer:
    """Return yes where all are."""
    return at_least_so_many(answers, len(answers))


def any_of(answers: Sequence[Answer]) -> Answer:
    """Return yes where one is."""
    return at_least_so_many(answers, 1)


def at_least_so_many(answers: Sequence[Answer], n: int) -> Answer:
    """Return yes where at least `n` are, whatever the unknown ones may be.

    >>> str(at_least_so_many((YES, YES, not_known("V6 unusable")), 2))
    'yes'
    """
    met = sum(answer.value is True for answer in answers)
    missing = [answer for answer in answers if answer.value is None]
    if met >= n:
        return YES
    if met + len(missing) < n:
        return NO
    return not_known(*(reason for answer in missing for reason in answer.reasons))
