"""`waveform`: from a random picture, tell the signal that it was drawn from.

The renderer knows the signal, so the task needs no label and no negative pairs, and no fingerprint
solves it: the answer is the heart's own median beat, whatever paper, moment or gain was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dyssync.arrays import Ints
from dyssync.learning.network import FEATURES
from dyssync.learning.network_input import drawn_picture
from dyssync.learning.picture_config import PictureConfig
from dyssync.pretraining.components import fit_components
from dyssync.pretraining.material import Material
from dyssync.pretraining.method import Method, Pictures, Targets, rows_with_beat
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

    def prepare(self, material: Material) -> None:
        """Leave out recordings without a beat, and fit the components."""
        self.material, self.rows = material, rows_with_beat(material)
        self.fitted = fit_components(material, self.rows, self.components, self.whitening)

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return a picture of each heart, turned a little, and the turned heart's components."""
        pictures, turned = [], []
        rows = self.rows[batch]
        for row, beat in zip(rows, self.material.beats(rows), strict=True):
            rotation = draw_rotation(rng)
            signal = apply_rotation(self.material.signal(row, self.pictures.layout), rotation)
            noisy = add_noise(signal, rng)
            view = draw_view(rng, self.pictures.views)
            pictures.append(drawn_picture(noisy, view, self.pictures, rng))
            turned.append(rotation @ beat)
        return pictures, self.fitted.of(np.stack(turned))

    def network(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """Return encoder and a linear head, to (n, components)."""
        import torch

        return torch.nn.Sequential(
            encoder, torch.nn.Linear(FEATURES, self.fitted.projection.shape[1])
        )

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error, relative to the variance of the targets."""
        return (outputs - targets).square().sum(1).mean()
