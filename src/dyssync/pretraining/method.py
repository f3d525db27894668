"""What a pretraining method is: which pictures to draw of which hearts, and what they must tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np

from dyssync.arrays import Bytes, Ints, Singles
from dyssync.ecg import ECG

if TYPE_CHECKING:
    import torch

Pictures: TypeAlias = list[Bytes]
Targets: TypeAlias = Singles


@runtime_checkable
class Method(Protocol):
    """A task that pictures set without labels. The loop, optimiser and checkpoints are not its.

    The constructor takes what pictures the model to come learns from (:class:`PictureConfig`).
    """

    def prepare(self, ecgs: Sequence[ECG]) -> None:
        """Fit whatever the targets need, on the corpus only."""

    def __len__(self) -> int:
        """Return the number of recordings to draw from, after :meth:`prepare`."""

    def outputs(self) -> int:
        """Return the width of the head, after :meth:`prepare`."""

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return the pictures of a batch of recordings, and their targets."""

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the scalar loss of head outputs, (pictures, outputs())."""
