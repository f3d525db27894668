"""The floor under every model: everyone gets the training part's share of responders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from dyssync.arrays import Floats
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.models.base import (
    ProbabilityMixin,
    base_rate_of,
    check_labels,
    check_weights,
    learnt_rate,
)
from dyssync.models.protocols import Labelled, Labels, State


class Prevalence(ProbabilityMixin):
    """Predict the share of responders among the training patients."""

    QUICK_TO_FIT: ClassVar[bool] = True

    def fit(
        self,
        X: Sequence[Input],
        y: Labels,
        *,
        seed: int = 0,
        fall: Floats | None = None,
        weight: Floats | None = None,
        validation: Labelled | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Count the responders."""
        self.classes_ = np.array([0, 1])
        self.base_rate_ = base_rate_of(check_labels(X, y), check_weights(weight, len(X)))
        return self

    def takes_pictures(self) -> bool:
        """Return True: whatever it is given will do."""
        return True

    def only_clean(self) -> bool:
        """Return False: it looks at no picture at all, so all are the same to it."""
        return False

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return NaN for all, (n,) float64: of a single patient it says nothing."""
        self._learned("base_rate_")
        return np.full(len(X), np.nan)

    def state(self) -> State:
        """Return the share."""
        return State({"base_rate": self._learned("base_rate_")})

    def restore(self, state: State) -> Self:
        """Take the share back."""
        self.classes_ = np.array([0, 1])
        self.base_rate_ = learnt_rate(state.values)
        return self
