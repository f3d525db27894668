"""Ridge regression on all measurements, with less doubt of the few that are known to matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from dyssync.arrays import Bools, Floats
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.models.base import (
    SMALLEST_SCALE,
    ProbabilityMixin,
    base_rate_of,
    check_labels,
    check_names,
    check_weights,
    learnt_number,
    learnt_numbers,
    learnt_rate,
)
from dyssync.models.fall import falls_to_learn
from dyssync.models.linear import fit_fall, fit_response
from dyssync.models.measured import CLINICAL_NAMES, feature_names, signal_matrix
from dyssync.models.protocols import Choices, Contributions, Labelled, Labels, Ranges, State

# Named by the literature before any data are seen (see physiology.py): they may move more freely.
FAVOURED = ("qrs_area_uvs", *CLINICAL_NAMES)
CLIP = 3.0  # SD; beyond, a measurement says more of its beat than of the heart


class Ridge(ProbabilityMixin):
    """Linear model of all measurements and clinical facts.

    It learns the fall of LVESV where the volumes are known, and response = a fall of 15 %; else the
    response, by logistic regression. Values are standardised, cut at 3 SD and, where missing,
    replaced by the median.

    Args:
        clinical: whether clinical facts are used where they are known.
        target: "fall", or "response" even where the volumes are known.
        fall_penalty: L2 penalty of a weight, for the fall in %.
        response_penalty: L2 penalty of a weight, for the response.
        favour: share of the penalty that QRS area and clinical facts bear, 0-1.

    References:
        Penalties by a search on virtual patients (docs/measuring-models.md).
    """

    SHRUNKEN: ClassVar[bool] = True
    QUICK_TO_FIT: ClassVar[bool] = True
    CHOICES: ClassVar[Choices] = {"target": ("fall", "response")}
    RANGES: ClassVar[Ranges] = {
        "fall_penalty": (1e-6, 1e9),
        "response_penalty": (1e-6, 1e9),
        "favour": (1e-6, 1.0),
    }

    def __init__(
        self,
        *,
        clinical: bool = True,
        target: str = "fall",
        fall_penalty: float = 1500.0,
        response_penalty: float = 333.0,
        favour: float = 0.05,
    ) -> None:
        self.clinical = clinical
        self.target = target
        self.fall_penalty = fall_penalty
        self.response_penalty = response_penalty
        self.favour = favour

    def ecg_alone(self) -> Self | None:
        """Return it unfitted and without clinical facts; None where it looks at none anyway."""
        return type(self)(**{**self.get_params(), "clinical": False}) if self.clinical else None

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
        """Solve for the weights; nothing is left for chance or for early stopping."""
        labels = check_labels(X, y)
        weights = check_weights(weight, len(X))
        self.classes_ = np.array([0, 1])
        self.base_rate_ = base_rate_of(labels, weights)
        self.names_ = self._names()
        values = self._matrix(X)
        seen = np.isfinite(values).any(axis=0)
        values[:, ~seen] = 0.0
        self.median_: Floats = np.nanmedian(values, axis=0)
        self.mean_: Floats = np.nanmean(values, axis=0)
        spread = np.nanstd(values, axis=0)
        self.scale_: Floats = np.where(spread > 0, spread, 1.0)
        share = np.where(np.isin(self.names_, FAVOURED), self.favour, 1.0)
        z = self._standardised(values)
        falls = falls_to_learn(fall, labels) if self.target == "fall" else None
        if falls is None:
            fitted = fit_response(z, labels, weights, [self.response_penalty * share])
        else:
            fitted = fit_fall(z, falls, weights, [self.fall_penalty * share])
        self.weights_: Floats = fitted.slopes
        self.intercept_ = fitted.intercept
        return self

    def _names(self) -> list[str]:
        return feature_names("dictionary", clinical=self.clinical)

    def _matrix(self, X: Sequence[Input]) -> Floats:
        return signal_matrix(X, "ridge", "dictionary", clinical=self.clinical)

    def _standardised(self, values: Floats) -> Floats:
        filled = np.where(np.isnan(values), self.median_, values)
        return np.clip((filled - self.mean_) / self.scale_, -CLIP, CLIP)

    def _silent(self, values: Floats) -> Bools:
        n_ecg = len(self.names_) - (len(CLINICAL_NAMES) if self.clinical else 0)
        return np.asarray(np.isnan(values[:, :n_ecg]).all(axis=1))

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the log-odds of response, (n,) float64; NaN without a heartbeat."""
        weights = self._learned("weights_")
        values = self._matrix(X)
        logits = self._standardised(values) @ weights + self.intercept_
        return np.where(self._silent(values), np.nan, logits)

    def contributions(self, X: Sequence[Input]) -> Contributions:
        """Return weight times standardised value of each measurement."""
        weights = self._learned("weights_")
        values = self._matrix(X)
        shares = self._standardised(values) * weights
        base = np.full(len(shares), self.intercept_)
        return Contributions(tuple(self.names_), values, shares, base)

    def state(self) -> State:
        """Return medians, means, scales and weights by measurement, and the intercept."""
        self._learned("weights_")
        values: dict[str, Any] = {
            "names": list(self.names_),
            "intercept": self.intercept_,
            "base_rate": self.base_rate_,
        }
        for name in ("median", "mean", "scale", "weights"):
            values[name] = [float(v) for v in getattr(self, f"{name}_")]
        return State(values)

    def restore(self, state: State) -> Self:
        """Take back what was learnt.

        Raises:
            ModelError: it is damaged, or was learnt on measurements that are not taken here.
        """
        self.classes_ = np.array([0, 1])
        self.names_ = self._names()
        check_names(list(state.values["names"]), self.names_)
        for name in ("median", "mean", "scale", "weights"):
            setattr(self, f"{name}_", learnt_numbers(state.values, name, len(self.names_)))
        if not (self.scale_ > SMALLEST_SCALE).all():
            raise ModelError("scale: numbers above 0 are needed; copy the bundle again")
        self.intercept_ = learnt_number(state.values, "intercept")
        self.base_rate_ = learnt_rate(state.values)
        return self
