"""Principal components of the stretched QRS (f30), fitted on the training patients only.

Feeny AK et al., Circ Arrhythm Electrophysiol 2020;13:e008210: the median QRS of each of 12 leads is
stretched to 200 points, QRS duration is added, each of the 2,401 values is z-scored, and the
first two principal components separate patients who do well after CRT from those who do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from sklearn.base import BaseEstimator, TransformerMixin

from dyssync.arrays import Floats
from dyssync.ecg import LEADS
from dyssync.errors import ModelError
from dyssync.measurements.heartbeat import Heartbeat

POINTS = 200


def stretched_qrs(beat: Heartbeat) -> Floats:
    """Return the QRS of all leads stretched to 200 points each, and its duration in ms; (2401,)."""
    qrs = beat.qrs
    at = np.linspace(0.0, qrs.shape[1] - 1.0, POINTS)
    stretched = [ndimage.map_coordinates(lead, at[None], order=1) for lead in qrs]
    return np.concatenate([*stretched, [beat.qrs_ms]])


class QRSComponents(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Z-score and principal components of :func:`stretched_qrs` rows.

    A scikit-learn transformer: nothing is learnt outside `fit`, so that inside a pipeline only
    training patients are seen. Its whole state is `to_state()`, which is JSON-able.
    """

    def __init__(self, n_components: int = 2) -> None:
        self.n_components = n_components

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn mean, scale and components from rows of training patients, (n, 2401)."""
        rows = _finite_rows(X)
        if len(rows) <= self.n_components:
            raise ModelError(
                f"QRS components: {len(rows)} patients with a QRS; more than {self.n_components} "
                "are needed. Lower n_components or add patients"
            )
        self.mean_ = rows.mean(axis=0)
        scale = rows.std(axis=0)
        self.scale_ = np.where(scale > 1e-9, scale, 1.0)
        _, size, components = np.linalg.svd((rows - self.mean_) / self.scale_, full_matrices=False)
        components = components[: self.n_components]
        # the sign of a component is arbitrary; fixed so that two fits can be compared
        largest = components[np.arange(len(components)), np.abs(components).argmax(axis=1)]
        self.components_ = components * np.sign(largest)[:, None]
        self.explained_share_ = np.square(size[: self.n_components]) / np.square(size).sum()
        return self

    def transform(self, X: npt.ArrayLike) -> Floats:
        """Return the components, (n, n_components); NaN for patients without a QRS."""
        if not hasattr(self, "components_"):
            raise ModelError("QRS components: not fitted; call fit on the training patients first")
        rows = np.asarray(X, dtype=np.float64)
        return np.asarray((rows - self.mean_) / self.scale_ @ self.components_.T)

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> list[str]:
        """Return qrs_pc1, qrs_pc2, ..."""
        return [f"qrs_pc{k + 1}" for k in range(self.n_components)]

    def to_state(self) -> dict[str, Any]:
        """Return everything that was learnt, as JSON-able lists."""
        return {
            "n_components": self.n_components,
            "mean": self.mean_.tolist(),
            "scale": self.scale_.tolist(),
            "components": self.components_.tolist(),
            "explained_share": self.explained_share_.tolist(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the transformer that `to_state` came from.

        Raises:
            ModelError: entries are missing or their sizes do not fit.
        """
        missing = {"n_components", "mean", "scale", "components", "explained_share"} - set(state)
        if missing:
            raise ModelError(f"QRS components: {', '.join(sorted(missing))} missing in the state")
        self = cls(int(state["n_components"]))
        self.mean_ = np.array(state["mean"], dtype=np.float64)
        self.scale_ = np.array(state["scale"], dtype=np.float64)
        self.components_ = np.array(state["components"], dtype=np.float64)
        self.explained_share_ = np.array(state["explained_share"], dtype=np.float64)
        width = len(LEADS) * POINTS + 1
        if self.components_.shape != (self.n_components, width) or self.mean_.shape != (width,):
            raise ModelError(
                f"QRS components: shape {self.components_.shape} in the state; "
                f"({self.n_components}, {width}) is needed. Save the model again"
            )
        return self


def _finite_rows(X: npt.ArrayLike) -> Floats:
    rows = np.asarray(X, dtype=np.float64)
    return rows[np.isfinite(rows).all(axis=1)]
