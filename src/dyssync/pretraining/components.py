"""Principal components of the 12-lead median beat, fitted on a corpus in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Ints, Singles
from dyssync.pretraining.material import Material

BLOCK = 1024  # beats at a time: 6 MB
NEGLIGIBLE = 1e-10  # of the largest variance; below, an eigenvalue is rounding


@dataclass(frozen=True, eq=False)
class Components:
    """A projection of beats.

    Attributes:
        mean: (12 m,) mV.
        projection: (12 m, k) float32; component 0 has unit variance over the corpus.
    """

    mean: Floats
    projection: Singles

    def of(self, beats: Floats) -> Singles:
        """Return the components (n, k) float32 of beats (n, 12, m)."""
        flat = beats.reshape(len(beats), -1) - self.mean
        found: Singles = (flat @ self.projection).astype(np.float32)
        return found

    def of_rows(self, material: Material, rows: Ints) -> Singles:
        """Return the components (n, k) of recordings of a corpus."""
        return np.concatenate([self.of(material.beats(block)) for block in _blocks(rows)])


def fit_components(material: Material, rows: Ints, most: int, whitening: float) -> Components:
    """Fit components to the median beats of some recordings.

    Args:
        material: the corpus.
        rows: recordings with a heartbeat, two at least.
        most: components at most.
        whitening: component k is divided by its SD to this power, 0-1.
    """
    total = sum(
        material.beats(block).reshape(len(block), -1).sum(axis=0) for block in _blocks(rows)
    )
    mean = np.asarray(total / len(rows))
    covariance = np.zeros((len(mean), len(mean)))
    for block in _blocks(rows):
        flat = material.beats(block).reshape(len(block), -1) - mean
        covariance += flat.T @ flat / len(rows)
    variances, axes = np.linalg.eigh(covariance)  # smallest first
    variances, axes = variances[::-1], axes[:, ::-1]
    count = min(most, int((variances > NEGLIGIBLE * variances[0]).sum()))
    sd = np.sqrt(variances[:count])
    scale = (sd / sd[0]) ** (1 - whitening) / sd
    return Components(mean, (axes[:, :count] * scale).astype(np.float32))


def _blocks(rows: Ints) -> list[Ints]:
    return [rows[k : k + BLOCK] for k in range(0, len(rows), BLOCK)]
