"""`waveform`: from a random picture, tell the signal that it was drawn from.

The renderer knows the signal, so the task needs no label and no negative pairs, and no fingerprint
solves it: the answer is the heart's own median beat, whatever paper, moment or gain was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.ecg import ECG, LEAD_INDEX
from dyssync.errors import CohortError
from dyssync.learning.network import FEATURES
from dyssync.learning.network_input import drawn_picture, drawn_signal
from dyssync.learning.picture_config import PictureConfig
from dyssync.measurements.waveforms import feature_names, features
from dyssync.pretraining.method import Method, Pictures, Targets
from dyssync.pretraining.views import add_noise, apply_rotation, draw_rotation
from dyssync.rendering import draw_view

if TYPE_CHECKING:
    import torch


class Waveform(Method):
    """Predict the principal components of the 12-lead median beat, fitted on the corpus.

    Args:
        pictures: of the model to come. Its narrow range of gains is kept: drawn from a wide one,
            the height of a wave would be impossible to tell.
        components: of the median beat, at most; 48 explain 97 % of its variance.
        whitening: component k is divided by its SD to this power: 1 asks for noise components as
            loudly as for the QRS, 0 asks for little but the largest.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "components": (1, 10_000),
        "whitening": (0.0, 1.0),
    }

    def __init__(
        self, pictures: PictureConfig, *, components: int = 48, whitening: float = 0.5
    ) -> None:
        self.pictures = pictures
        self.components = components
        self.whitening = whitening

    def prepare(self, ecgs: Sequence[ECG]) -> None:
        """Compute the beats, drop recordings without one, and fit the components."""
        held = [(beat, ecg) for ecg in ecgs if np.isfinite(beat := _beat(ecg)).all()]
        if len(held) < 2:
            raise CohortError(f"corpus: a heart beat was found in {len(held)} recordings, 2 needed")
        self.beats = np.stack([beat for beat, _ in held])  # (n, 12, m)
        self.signals = [drawn_signal(ecg, self.pictures.layout) for _, ecg in held]
        flat = self.beats.reshape(len(held), -1)
        self.mean = flat.mean(axis=0)
        _, sizes, axes = np.linalg.svd(flat - self.mean, full_matrices=False)
        count = min(self.components, int((sizes > 1e-6 * sizes[0]).sum()))
        sd = sizes[:count] / np.sqrt(len(held))
        # (12 m, k); the first target has unit variance
        scale = (sd / sd[0]) ** (1 - self.whitening) / sd
        self.projection = (axes[:count].T * scale).astype(np.float32)

    def __len__(self) -> int:
        return len(self.signals)

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return a picture of each heart, turned a little, and the turned heart's components."""
        pictures, targets = [], []
        for i in batch:
            rotation = draw_rotation(rng)
            signal = add_noise(apply_rotation(self.signals[i], rotation), rng)
            view = draw_view(rng, self.pictures.views)
            pictures.append(drawn_picture(signal, view, self.pictures, rng))
            turned = rotation @ self.beats[i]
            targets.append((turned.ravel() - self.mean) @ self.projection)
        return pictures, np.stack(targets).astype(np.float32)

    def network(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """Return encoder and a linear head, to (n, components)."""
        import torch

        return torch.nn.Sequential(encoder, torch.nn.Linear(FEATURES, self.projection.shape[1]))

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error, relative to the variance of the targets."""
        return (outputs - targets).square().sum(1).mean()


def _beat(ecg: ECG) -> Floats:
    """Return the median beat, (12, m) mV; NaN where no beat is found."""
    values = features(ecg)
    first = next(i for i, name in enumerate(feature_names()) if "_beat_" in name)
    return values[first:-1].reshape(len(LEAD_INDEX), -1)
