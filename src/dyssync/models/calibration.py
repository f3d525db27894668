"""From the logits of a network to calibrated ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from dyssync.arrays import Floats


def fit_calibration(logits: Floats, y: npt.ArrayLike) -> tuple[float, float]:
    """Return slope and intercept that turn logits into calibrated ones (Platt 1999).

    Targets are Platt's, pulled towards the middle by one pseudo-patient of each class, so that the
    slope stays finite where the logits separate the classes.

    Args:
        logits: (n,).
        y: (n,) responses.
    """
    labels = np.asarray(y, dtype=np.float64)
    ones, zeros = labels.sum(), (1 - labels).sum()
    target = np.where(labels == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))

    def loss(parameters: Floats) -> float:
        z = np.exp(parameters[0]) * logits + parameters[1]  # a negative slope would be noise
        return float(np.mean(np.logaddexp(0, z) - target * z))

    found = minimize(loss, np.zeros(2), method="Nelder-Mead")
    return float(np.exp(found.x[0])), float(found.x[1])
