"""`measurements`: from a random picture, tell all that can be measured on the signal behind it.

Every number is computed from the ECG itself, so the task needs no label: the dictionary of
measurements, and the principal components of the median beat beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dyssync.arrays import Ints
from dyssync.learning.network import FEATURES
from dyssync.learning.picture_config import PictureConfig
from dyssync.pretraining.components import fit_components
from dyssync.pretraining.material import Material
from dyssync.pretraining.method import Method, Pictures, Targets, rows_with_beat
from dyssync.pretraining.targets import Group, Groups, blended, normal_ranks
from dyssync.pretraining.views import draw_singly

if TYPE_CHECKING:
    import torch


class Measurements(Method):
    """Predict the normal scores of all measurements, and the components of the median beat.

    The picture shows the signal with noise, in the narrow range of gains of the model to come, and
    is not turned: a turned heart has other measurements.

    Args:
        pictures: of the model to come.
        components: of the median beat, at most.
        whitening: of the components, as in :class:`~dyssync.pretraining.waveform.Waveform`.
    """

    BATCH: ClassVar[int] = 32
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
        """Rank the measurements and fit the components; recordings without a beat are left out."""
        self.material, self.rows = material, rows_with_beat(material)
        fitted = fit_components(material, self.rows, self.components, self.whitening)
        beats = Group(fitted.of_rows(material, self.rows))
        self.groups = Groups((normal_ranks(material.measured(self.rows)), beats))

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return a picture of each heart, and its measurements and components; NaN kept."""
        signals = [self.material.signal(row, self.pictures.layout) for row in self.rows[batch]]
        return draw_singly(signals, self.pictures, rng), self.groups.of(batch)

    def network(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """Return encoder and a linear head, to (n, number of targets)."""
        import torch

        return torch.nn.Sequential(encoder, torch.nn.Linear(FEATURES, self.groups.width))

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean of both groups; 1 is what answering with the mean costs."""
        errors, known = self.groups.errors(outputs.float(), targets)
        return blended(errors, known, errors.new_ones(2))
