"""What a pretraining method is: which pictures to draw, what they must tell, what learns it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

import numpy as np

from dyssync.arrays import Bytes, Ints, Singles
from dyssync.errors import CohortError
from dyssync.learning.picture_config import PictureConfig

if TYPE_CHECKING:
    import torch

    from dyssync.pretraining.material import Material

Pictures: TypeAlias = list[Bytes]
Targets: TypeAlias = Singles
Setting: TypeAlias = bool | int | float | str

NOTHING, SIMULATION = "nothing", "simulation"  # by which a method is supervised


class Method(Protocol):
    """A task that pictures set without labels. The loop, optimiser and checkpoints are not its.

    `SUPERVISED` says by what: "nothing", where all that is asked is computed from the ECG itself,
    or "simulation", where it is what only a simulator knows. `BATCH` is how many recordings a step
    takes unless the user says else. `rows` are the recordings of the material that are drawn from.

    A method inherits from this class. Its settings are keywords of its constructor, with defaults,
    kept as attributes; each number stands in `RANGES`, each word in `CHOICES`. Torch draws from its
    global generator, seeded by the loop: in :meth:`network` by the seed, in training by seed and
    epoch.
    """

    SUPERVISED: ClassVar[str] = NOTHING
    BATCH: ClassVar[int] = 16
    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {}
    CHOICES: ClassVar[Mapping[str, Iterable[str]]] = {}
    rows: Ints

    def __init__(self, pictures: PictureConfig, **settings: Any) -> None:
        """Take what pictures the model to come learns from, and the method's own settings."""

    def prepare(self, material: Material) -> None:
        """Choose `rows`, and fit whatever the targets need, on the corpus only.

        Raises:
            CohortError: the corpus has too little of what the method needs.
        """

    def __len__(self) -> int:
        """Return the number of recordings to draw from, after :meth:`prepare`."""
        return len(self.rows)

    def draw(self, batch: Ints, rng: np.random.Generator) -> tuple[Pictures, Targets]:
        """Return the pictures of a batch of recordings, by number in `rows`, and their targets.

        As many pictures of each recording, all first ones before all second ones; and a row of
        targets each. Several processes each draw a share of a batch.
        """

    def network(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """Return what learns: `encoder` itself and all that the method puts beside it.

        Called once, after :meth:`prepare`. Heads, decoders, a momentum copy: whatever is a
        submodule is trained (unless it requires no gradient), checkpointed and moved to the device
        with the rest. `forward` takes pictures as network input, (n, 1, H, W) float32, runs in the
        precision of the training, and returns a tensor with a row a picture. All of its parameters
        that are trained take part.

        Args:
            encoder: from (n, 1, H, W) to :data:`~dyssync.learning.network.FEATURES` numbers each.
        """

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the scalar loss of what the network returned, in float32.

        Of several processes each is given the outputs and targets of all, as one would have them.
        """

    def readouts(self, network: torch.nn.Module) -> Mapping[str, Singles]:
        """Return what the trained network reads from its features, (k, FEATURES), by kind.

        A head that learns from few patients may go by these few directions rather than by any of
        all features. Of methods that ask for nothing with a name, nothing.
        """
        return {}

    def after_step(self, network: torch.nn.Module, progress: float) -> None:
        """Do what follows each step of the optimiser, such as moving a momentum copy; else nothing.

        Called without gradients.

        Args:
            network: of :meth:`network`.
            progress: share of all steps that are done, 0-1.
        """
        return None


def rows_with_beat(material: Material) -> Ints:
    """Return the recordings in which a heartbeat is found.

    Raises:
        CohortError: they are less than two.
    """
    rows = np.flatnonzero(material.beating)
    if len(rows) < 2:
        raise CohortError(f"corpus: a heart beat was found in {len(rows)} recordings, 2 needed")
    return rows


def rows_to_compare(material: Material) -> Ints:
    """Return all recordings.

    Raises:
        CohortError: they are less than two.
    """
    if len(material) < 2:
        raise CohortError(f"corpus: {len(material)} recordings; at least 2 are needed to compare")
    return np.arange(len(material))
