"""What a pretraining method is: which pictures to draw, what they must tell, what learns it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

import numpy as np

from dyssync.arrays import Bytes, Ints, Singles
from dyssync.ecg import ECG
from dyssync.learning.picture_config import PictureConfig

if TYPE_CHECKING:
    import torch

Pictures: TypeAlias = list[Bytes]
Targets: TypeAlias = Singles
Setting: TypeAlias = bool | int | float | str


class Method(Protocol):
    """A task that pictures set without labels. The loop, optimiser and checkpoints are not its.

    A method inherits from this class. Its settings are keywords of its constructor, with defaults,
    kept as attributes; each number stands in `RANGES`, each word in `CHOICES`. Torch draws from its
    global generator, seeded by the loop: in :meth:`network` by the seed, in training by seed and
    epoch.
    """

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {}
    CHOICES: ClassVar[Mapping[str, Iterable[str]]] = {}

    def __init__(self, pictures: PictureConfig, **settings: Any) -> None:
        """Take what pictures the model to come learns from, and the method's own settings."""

    def prepare(self, ecgs: Sequence[ECG]) -> None:
        """Fit whatever the targets need, on the corpus only."""

    def __len__(self) -> int:
        """Return the number of recordings to draw from, after :meth:`prepare`."""

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return the pictures of a batch of recordings, and their targets."""

    def network(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """Return what learns: `encoder` itself and all that the method puts beside it.

        Called once, after :meth:`prepare`. Heads, decoders, a momentum copy: whatever is a
        submodule is trained (unless it requires no gradient), checkpointed and moved to the device
        with the rest. `forward` takes pictures as network input, (n, 1, H, W) float32, runs in the
        precision of the training, and returns what :meth:`loss` takes.

        Args:
            encoder: from (n, 1, H, W) to :data:`~dyssync.learning.network.FEATURES` numbers each.
        """

    def loss(self, outputs: Any, targets: torch.Tensor) -> torch.Tensor:
        """Return the scalar loss of what the network returned, in float32."""

    def after_step(self, network: torch.nn.Module, progress: float) -> None:
        """Do what follows each step of the optimiser, such as moving a momentum copy; else nothing.

        Called without gradients.

        Args:
            network: of :meth:`network`.
            progress: share of all steps that are done, 0-1.
        """
        return None
