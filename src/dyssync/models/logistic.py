"""Penalised logistic regression on a few measurements chosen beforehand: the honest comparator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.measurements import measure
from dyssync.models.base import (
    SMALLEST_SCALE,
    ProbabilityMixin,
    base_rate_of,
    check_labels,
    check_weights,
    ecgs_of,
    learnt_number,
    learnt_numbers,
    learnt_rate,
)
from dyssync.models.protocols import Contributions, Labelled, Labels, Ranges, State

# What the literature names before any data are seen: duration and area of the QRS (van Deursen
# 2015, 10.1016/j.jelectrocard.2014.10.003), T area (Engels 2015, 10.1111/jce.12549), the angle
# between both, the frontal axis and the rate. Six is what 228 patients bear.
MEASUREMENTS = (
    "heart_rate_bpm",
    "qrs_duration_ms",
    "qrs_axis_deg",
    "qrs_area_uvs",
    "t_area_uvs",
    "qrs_t_angle_deg",
)


class Logistic(ProbabilityMixin):
    """Logistic regression on :data:`MEASUREMENTS`, standardised, median-imputed, ridge-penalised.

    Args:
        inverse_penalty: scikit-learn's C.
    """

    QUICK_TO_FIT: ClassVar[bool] = True
    RANGES: ClassVar[Ranges] = {"inverse_penalty": (1e-9, 1e9)}

    def __init__(self, *, inverse_penalty: float = 0.5) -> None:
        self.inverse_penalty = inverse_penalty

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
        """Fit to the training part; nothing is left for chance or for early stopping."""
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        labels = check_labels(X, y)
        weights = check_weights(weight, len(X))
        self.classes_ = np.array([0, 1])
        self.base_rate_ = base_rate_of(labels, weights)
        imputer = SimpleImputer(strategy="median", keep_empty_features=True)
        scaler = StandardScaler()
        values = scaler.fit_transform(imputer.fit_transform(_matrix(ecgs_of(X, "logistic"))))
        regression = LogisticRegression(C=self.inverse_penalty, max_iter=1000)
        regression.fit(values, labels, sample_weight=weights)
        self.median_: Floats = imputer.statistics_
        self.mean_: Floats = scaler.mean_
        self.scale_: Floats = scaler.scale_
        self.weights_: Floats = regression.coef_[0]
        self.intercept_ = float(regression.intercept_[0])
        return self

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the log-odds of response, (n,) float64; NaN without a heartbeat."""
        parts = self.contributions(X)
        logits = parts.log_odds.sum(axis=1) + parts.base
        return np.where(np.isnan(parts.values).all(axis=1), np.nan, logits)

    def contributions(self, X: Sequence[Input]) -> Contributions:
        """Return weight times standardised value of each measurement."""
        weights = self._learned("weights_")
        values = _matrix(ecgs_of(X, "logistic"))
        filled = np.where(np.isnan(values), self.median_, values)
        shares = (filled - self.mean_) / self.scale_ * weights
        return Contributions(MEASUREMENTS, values, shares, np.full(len(shares), self.intercept_))

    def state(self) -> State:
        """Return medians, means, scales, weights by measurement, and the intercept."""
        self._learned("weights_")
        values: dict[str, Any] = {
            "measurements": list(MEASUREMENTS),
            "intercept": self.intercept_,
            "base_rate": self.base_rate_,
        }
        for name in ("median", "mean", "scale", "weights"):
            values[name] = [float(v) for v in getattr(self, f"{name}_")]
        return State(values)

    def restore(self, state: State) -> Self:
        """Take back what was learnt.

        Raises:
            ModelError: it is damaged.
        """
        self.classes_ = np.array([0, 1])
        for name in ("median", "mean", "scale", "weights"):
            setattr(self, f"{name}_", learnt_numbers(state.values, name, len(MEASUREMENTS)))
        if not (self.scale_ > SMALLEST_SCALE).all():
            raise ModelError("scale: numbers above 0 are needed; copy the bundle again")
        self.intercept_ = learnt_number(state.values, "intercept")
        self.base_rate_ = learnt_rate(state.values)
        return self


def _matrix(ecgs: Sequence[ECG | None]) -> Floats:
    unknown = [float("nan")] * len(MEASUREMENTS)
    rows = [unknown if x is None else [measure(x)[n] for n in MEASUREMENTS] for x in ecgs]
    return np.array(rows)
