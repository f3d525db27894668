"""`vicreg`: two pictures of one heart must agree, in numbers that vary and are not repeated.

Bardes, Ponce and LeCun 2022, arXiv 2105.04906: variance-invariance-covariance regularisation. No
picture is pushed away from another, so hearts that are alike may stay alike.
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

EPSILON = 1e-4  # in the root of a variance (section 4.1)


class VICReg(Method):
    """Bring two views of one heart together without letting all hearts become one.

    Args:
        pictures: of the model to come; drawn in harder views than that model learns from.
        expander: width of the compared vectors. The paper has 8192 for batches of 2048; a
            covariance of small batches tells less, and 1024 is chosen.
        invariance: weight of the distance between the two views (lambda, 25 in the paper).
        variance: weight of each number's SD over the batch, which is to be 1 (mu, 25).
        covariance: weight of the covariances between numbers, which are to be 0 (nu, 1).
    """

    BATCH: ClassVar[int] = 32
    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "expander": (2, 65_536),
        "invariance": (0.0, 1000.0),
        "variance": (0.0, 1000.0),
        "covariance": (0.0, 1000.0),
    }

    def __init__(
        self,
        pictures: PictureConfig,
        *,
        expander: int = 1024,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
    ) -> None:
        self.pictures = pictures
        self.expander = expander
        self.invariance = invariance
        self.variance = variance
        self.covariance = covariance

    def prepare(self, material: Material) -> None:
        """Hold the corpus; nothing is fitted."""
        self.material, self.rows = material, rows_to_compare(material)

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return two pictures of each heart, all first ones before all second ones; no targets."""
        signals = [self.material.signal(row, self.pictures.layout) for row in self.rows[batch]]
        pictures = draw_pairs(signals, self.pictures, rng)
        return pictures, np.zeros((len(pictures), 0), dtype=np.float32)

    def network(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """Return encoder and expander, to (2 k, expander)."""
        from torch.nn import BatchNorm1d, Linear, ReLU, Sequential

        width = self.expander
        return Sequential(
            encoder,
            Sequential(Linear(FEATURES, width), BatchNorm1d(width), ReLU()),
            Sequential(Linear(width, width), BatchNorm1d(width), ReLU()),
            Linear(width, width),
        )

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return equation 6 for (2 k, d) vectors whose rows i and i + k are one heart.

        Weighed as in the authors' code: the distance is a mean over numbers, and the term of the
        variance one over both views.
        """
        first, second = outputs.float().chunk(2)
        apart = (first - second).square().mean()
        flat = (_lack_of_variance(first) + _lack_of_variance(second)) / 2
        common = _covariance(first) + _covariance(second)
        return self.invariance * apart + self.variance * flat + self.covariance * common


def _lack_of_variance(z: torch.Tensor) -> torch.Tensor:
    """Return the mean of what the SD of each number lacks of 1 (equation 1)."""
    sd = (z.var(0) + EPSILON).sqrt()
    return (1.0 - sd).clamp(min=0.0).mean()


def _covariance(z: torch.Tensor) -> torch.Tensor:
    """Return the sum of squared covariances of different numbers, per number (equation 4)."""
    centred = z - z.mean(0)
    covariance = centred.T @ centred / (len(z) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
