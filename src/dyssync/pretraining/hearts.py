"""`hearts`: from a random picture, tell what only a simulator knows of the heart behind it.

Supervised by simulation, not self-supervised: activation times, scar and muscle are no function of
the ECG. Nothing of pacing or response is among them (:data:`dyssync.cohort.shards.HEARTS`).
Recordings of unknown hearts in the same corpus are asked for their measurements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dyssync.arrays import Ints, Singles
from dyssync.errors import CohortError
from dyssync.learning.network import FEATURES
from dyssync.learning.picture_config import PictureConfig
from dyssync.pretraining.material import Material
from dyssync.pretraining.measurements import Measurements
from dyssync.pretraining.method import SIMULATION, Method, Pictures, Targets
from dyssync.pretraining.targets import Groups, blended, normal_ranks

if TYPE_CHECKING:
    import torch

HEART = "heart"  # kind of readout
NO_HEARTS = (
    "corpus: what only a simulator knows of a heart is known of none of {} recordings; hearts "
    "needs shards of `dyssync simulate --unlabelled`, measurements learns from any ECG"
)


class Hearts(Method):
    """Predict the normal scores of what a simulator tells of the heart.

    Args:
        pictures: of the model to come.
        measured_share: weight of measurements and components together beside the heart, 0-1, where
            all are known; where the heart is not, they are all that is asked.
        components: as in :class:`~dyssync.pretraining.measurements.Measurements`.
        whitening: likewise.
    """

    SUPERVISED: ClassVar[str] = SIMULATION
    BATCH: ClassVar[int] = 32
    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        "measured_share": (0.0, 1.0),
        **Measurements.RANGES,
    }

    def __init__(
        self,
        pictures: PictureConfig,
        *,
        measured_share: float = 0.5,
        components: int = 48,
        whitening: float = 0.5,
    ) -> None:
        self.measured_share = measured_share
        self.components = components
        self.whitening = whitening
        self.measurable = Measurements(pictures, components=components, whitening=whitening)

    def prepare(self, material: Material) -> None:
        """Rank the hearts beside all that can be measured.

        Raises:
            CohortError: nothing is known of any heart.
        """
        self.measurable.prepare(material)
        self.rows = self.measurable.rows
        hearts = normal_ranks(material.hearts(self.rows), least_known=0.0)
        if not hearts.values.shape[1]:
            raise CohortError(NO_HEARTS.format(len(material)))
        self.groups = Groups((hearts, *self.measurable.groups.groups))

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return a picture of each recording, and heart, measurements and components; NaN kept."""
        pictures, _ = self.measurable.draw(batch, rng)
        return pictures, self.groups.of(batch)

    def network(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """Return encoder and a linear head, to (n, number of targets)."""
        import torch

        return torch.nn.Sequential(encoder, torch.nn.Linear(FEATURES, self.groups.width))

    def readouts(self, network: torch.nn.Module) -> Mapping[str, Singles]:
        """Return the directions that tell the heart; those of measurements helped no head."""
        return {HEART: self.groups.weights_of_first(network.get_submodule("1"))}

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the weighted mean of the groups; 1 is what answering with the mean costs."""
        import torch

        errors, known = self.groups.errors(outputs.float(), targets)
        half = self.measured_share / 2
        told = errors.new_tensor([1.0 - self.measured_share, half, half])
        untold = errors.new_tensor([0.0, 0.5, 0.5])
        return blended(errors, known, torch.where(known[:, :1] > 0, told, untold))
