"""The members of one model of a bundle, loaded once, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from dyssync.arrays import Floats
from dyssync.cohort.clinical import facts_of
from dyssync.errors import FAULTS, InputError, ModelError
from dyssync.image import Input
from dyssync.models.base import has_heartbeat
from dyssync.models.protocols import Contributions, ExplainsItself, ResponseModel, Rule
from dyssync.prediction.bundle import Answering, Bundle, OnRestored, ignore
from dyssync.prediction.crossfit import Answered, CrossFit
from dyssync.prediction.saved import unanswered

WITH_FACTS, ECG_ALONE, BASE_RATE = "ECG and clinical facts", "ECG alone", "base rate"
# Of the facts that the training cohort knew, as many must be known of a patient for the members
# that use them to answer: with fewer, most of what they go by would be medians.
LEAST_FACTS = 0.5


@dataclass(frozen=True, eq=False)
class Members:
    """Fits of one model, in the order of the fit's logits."""

    models: tuple[ResponseModel, ...]
    fit: CrossFit

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the logit of each recording by each member, (n, M); NaN without a heartbeat.

        Raises:
            ModelError: a member cannot answer, or its answer is none.
        """
        found = np.column_stack([_logits(model, X) for model in self.models])
        found[[not has_heartbeat(x) for x in X]] = np.nan
        return found

    def answer(self, X: Sequence[Input]) -> Answered:
        """Return what they say of recordings."""
        return self.fit.answer(self.logits(X))

    def answer_patient(self, recordings: Sequence[Input]) -> Answered:
        """Return what they say of one patient: by the mean logit of the recordings that speak."""
        logits = self.logits(recordings)
        speaking = ~np.isnan(logits).any(axis=1)
        mean = logits[speaking].mean(axis=0) if speaking.any() else logits[0]
        return self.fit.answer(mean[None])

    def contributions(self, x: Input) -> Contributions | None:
        """Return what each feature added to the answer's log-odds; None where it is not known."""
        parts = [m.contributions([x]) for m in self.models if isinstance(m, ExplainsItself)]
        if len(parts) < len(self.models):
            return None
        slope = self.fit.slope
        return Contributions(
            parts[0].names,
            parts[0].values,
            slope * np.mean([part.log_odds for part in parts], axis=0),
            self.fit.intercept + slope * np.mean([part.base for part in parts], axis=0),
        )


def _logits(model: ResponseModel, X: Sequence[Input]) -> Floats:
    """Return the logits of one member; what it learnt may be anybody's."""
    try:
        found = np.asarray(model.logits(X), dtype=np.float64)
    except InputError:
        raise
    except FAULTS as error:
        raise unanswered(type(model).__name__, error) from error
    if found.shape != (len(X),) or np.isinf(found).any():
        raise ModelError(f"{type(model).__name__}: its answer is none; copy the bundle again")
    return found


@dataclass(frozen=True, eq=False)
class Answerer:
    """A model of a bundle: members that use clinical facts, and those of the ECG alone.

    Each of the two is read when it is first asked, unless :func:`load_answerer` did.

    Attributes:
        bundle: that holds it.
        name: of the model.
        said: how its members answer together.
    """

    bundle: Bundle
    name: str
    said: Answering
    _read: dict[bool, Members] = field(default_factory=dict, repr=False)  # by: of the ECG alone

    @property
    def facts(self) -> tuple[str, ...]:
        """Clinical facts that the training cohort knew."""
        signals = self.bundle.about.training.signals
        return () if signals is None else signals.clinical

    @property
    def updated(self) -> bool:
        """Whether anything was changed after the study."""
        return bool(self.said.history)

    @property
    def usual(self) -> Members:
        """The members that use clinical facts, of a model that uses any."""
        return self._members(alone=False)

    @property
    def ecg_alone(self) -> Members | None:
        """Those fitted without; None of a model that uses none."""
        return None if self.said.ecg_alone is None else self._members(alone=True)

    def who(self, x: Input, each: OnRestored = ignore) -> tuple[Members, str]:
        """Return which members answer for a recording, and what they go by.

        Args:
            x: the recording.
            each: called with each member that is read for it now, before the next is.

        Raises:
            ModelError: a member is damaged or missing.
        """
        if self.said.ecg_alone is None:
            usual = self._members(alone=False, each=each)
            return usual, goes_by(usual.models[0], x)
        alone = not enough_facts(x, self.facts)
        return self._members(alone=alone, each=each), ECG_ALONE if alone else WITH_FACTS

    def _members(self, *, alone: bool, each: OnRestored = ignore) -> Members:
        if alone not in self._read:
            fit = self.said.ecg_alone if alone else self.said.usual
            assert fit is not None
            self._take([alone], [fit], each)
        return self._read[alone]

    def read_all(self) -> None:
        """Read all members, those of both kinds together: they share files.

        Raises:
            ModelError: a member is damaged or missing.
        """
        fits = [self.said.usual, *([] if self.said.ecg_alone is None else [self.said.ecg_alone])]
        self._take([False, True][: len(fits)], fits, ignore)

    def _take(self, kinds: Sequence[bool], fits: Sequence[CrossFit], each: OnRestored) -> None:
        wanted = [member for fit in fits for member in fit.members]
        missing = [member for member in wanted if member not in self.bundle.members[self.name]]
        if missing:
            raise ModelError(
                f"{self.name}: members {', '.join(missing)} are missing; copy the bundle again"
            )
        models = iter(self.bundle.several(self.name, wanted, each))
        for alone, fit in zip(kinds, fits, strict=True):
            self._read[alone] = Members(tuple(islice(models, len(fit.members))), fit)


def goes_by(model: ResponseModel, x: Input) -> str:
    """Return what a model goes by that has no members of the ECG alone: a rule may use facts."""
    used = model.facts if isinstance(model, Rule) else ()
    return WITH_FACTS if any(name in facts_of(x) for name in used) else ECG_ALONE


def enough_facts(x: Input, facts: Sequence[str]) -> bool:
    """Return whether enough is known of a patient for members that use clinical facts."""
    known = facts_of(x)
    return sum(name in known for name in facts) >= LEAST_FACTS * len(facts) and bool(facts)


def load_answerer(bundle: Bundle, name: str, *, lazy: bool = False) -> Answerer:
    """Return a model with all its members, or with none of them read yet.

    Raises:
        ModelError: a member is damaged or missing.
    """
    found = Answerer(bundle, name, bundle.answering(name))
    if not lazy:
        found.read_all()
    return found
