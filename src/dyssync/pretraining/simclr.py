"""`simclr`: two pictures of one heart must be told from pictures of all others.

Chen et al. 2020, arXiv 2002.05709: normalised temperature-scaled cross entropy (NT-Xent).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dyssync.arrays import Ints
from dyssync.learning.network import FEATURES
from dyssync.learning.picture_config import PictureConfig
from dyssync.pretraining.material import Material
from dyssync.pretraining.method import Method, Pictures, Targets, rows_to_compare
from dyssync.pretraining.views import draw_pairs

if TYPE_CHECKING:
    import torch


class SimCLR(Method):
    """Tell hearts apart from views that share nothing but the heart.

    Args:
        pictures: of the model to come; drawn in harder views than that model learns from.
        temperature: divides the cosines; 0.1-0.5 for small batches (appendix B.7).
        projection: width of the compared vectors, 128 as in the paper.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "temperature": (0.001, 100.0),
        "projection": (2, 65_536),
    }

    def __init__(
        self, pictures: PictureConfig, *, temperature: float = 0.2, projection: int = 128
    ) -> None:
        self.pictures = pictures
        self.temperature = temperature
        self.projection = projection

    def prepare(self, material: Material) -> None:
        """Hold the corpus; nothing is fitted."""
        self.material, self.rows = material, rows_to_compare(material)

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return two pictures of each heart, all first ones before all second ones; no targets."""
        signals = [self.material.signal(row, self.pictures.layout) for row in self.rows[batch]]
        pictures = draw_pairs(signals, self.pictures, rng)
        return pictures, np.zeros((len(pictures), 0), dtype=np.float32)

    def network(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """Return encoder and projection, to (2 k, projection)."""
        import torch

        return torch.nn.Sequential(encoder, torch.nn.Linear(FEATURES, self.projection))

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return NT-Xent of (2 k, d) vectors whose rows i and i + k are one heart."""
        import torch
        from torch.nn import functional

        z = functional.normalize(outputs, dim=1)
        n = len(z)
        similarity = z @ z.T / self.temperature
        itself = torch.eye(n, dtype=torch.bool, device=z.device)
        similarity = similarity.masked_fill(itself, float("-inf"))
        partner = torch.arange(n, device=z.device).roll(n // 2)
        return functional.cross_entropy(similarity, partner)
