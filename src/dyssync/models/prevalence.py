"""The floor under every model: everyone gets the training part's share of responders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from dyssync.arrays import Floats
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.models.base import ProbabilityMixin, check_labels
from dyssync.models.protocols import Labelled, Labels, State


class Prevalence(ProbabilityMixin):
    """Predict the share of responders among the training patients."""

    def fit(
        self,
        X: Sequence[Input],
        y: Labels,
        *,
        seed: int = 0,
        validation: Labelled | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Count the responders."""
        self.classes_ = np.array([0, 1])
        self.share_ = float(check_labels(X, y).mean())
        return self

    def only_clean(self) -> bool:
        """Return False: it looks at no picture at all, so all are the same to it."""
        return False

    def response_probability(self, X: Sequence[Input]) -> Floats:
        """Return the same probability for all, (n,) float64."""
        return np.full(len(X), self._learned("share_"), dtype=np.float64)

    def state(self) -> State:
        """Return the share."""
        return State({"share": self._learned("share_")})

    def restore(self, state: State) -> Self:
        """Take the share back."""
        self.classes_ = np.array([0, 1])
        self.share_ = float(state.values["share"])
        return self
