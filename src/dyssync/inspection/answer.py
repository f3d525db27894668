"""The one answer in words, for command line, page and exports alike."""

from __future__ import annotations

from dyssync.inspection.wording import NONE
from dyssync.prediction.beside import TITLES
from dyssync.prediction.predictor import Contribution
from dyssync.prediction.short import ShortAnswer

SHOWN_REASONS = 5
RESEARCH_ONLY = "Research use only. Not a medical device. Not for diagnosis or treatment decisions."
EXCLUDED = {"responder": "non-response", "non-responder": "response"}  # by the outcome that is left
NAMELESS = ("guideline-esc-2021", "guideline-hrs-2023")  # they do not say whose they are


def headline(answer: ShortAnswer) -> str:
    """Return the answer in natural frequencies, or that there is none.

    "Of 100 such patients about 71 responded (58 to 82); of 100 in the whole study, 63."
    """
    if answer.silent:
        said = frequencies(answer)
        return f"Defer: {said[:1].lower()}{said[1:]}"
    both = "Defer: both outcomes stay possible. " if answer.defers else ""
    return f"{both}{frequencies(answer)}"


def frequencies(answer: ShortAnswer) -> str:
    """Return the answer in natural frequencies alone; it holds for patients who are deferred too.

    "Of 100 such patients about 71 responded (58 to 82); of 100 in the whole study, 63."
    """
    study = f"of 100 in the whole study, {of_100(answer.base_rate)}"
    if answer.silent:
        return f"The model can say nothing of this recording; {study} responded."
    span = ""
    if answer.low is not None and answer.high is not None:
        span = f" ({of_100(answer.low)} to {of_100(answer.high)})"
    p = answer.said.probability
    return f"Of 100 such patients about {of_100(p)} responded{span}; {study}."


def decision(answer: ShortAnswer) -> str:
    """Return which outcome is excluded at 80 and 90 %, and what that rests on."""
    sets = ((80, answer.said.set_80), (90, answer.said.set_90))
    words = [
        f"at {level} % {f'{EXCLUDED[left]} is excluded' if left in EXCLUDED else 'deferred'}"
        for level, left in sets
    ]
    return "; ".join(words)


def rests_on(answer: ShortAnswer) -> str:
    """Return the model, what it goes by, and the features that moved it most."""
    said = answer.said
    words = [f"{answer.model}, by {said.basis}"]
    if said.contributions:
        words.append(", ".join(reason(c) for c in said.contributions[:SHOWN_REASONS]))
    if answer.encoder is not None:
        words.append(f"its network was first {answer.encoder}")
    return "; ".join(words)


def beside(answer: ShortAnswer) -> tuple[str, ...]:
    """Return what the rules say that need no patients to learn from, a line each."""
    return tuple(
        f"{TITLES[rule]}: {said}" if rule in NAMELESS else said
        for rule, said in answer.beside.items()
    )


def sentences(answer: ShortAnswer) -> tuple[str, ...]:
    """Return all of it as sentences, the answer first."""
    made = (decision(answer), f"rests on {rests_on(answer)}", *beside(answer))
    return (headline(answer), *(f"{text[:1].upper()}{text[1:]}." for text in made))


def reason(found: Contribution) -> str:
    """Return a feature with its value and what it added to the log-odds."""
    value = NONE if found.value is None else f"{found.value:.4g}"
    return f"{found.feature} {value} ({found.log_odds:+.2f})"


def of_100(share: float) -> int:
    """Return a share as so many of 100."""
    return round(100 * share)
