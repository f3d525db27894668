"""What a network sees in pictures, whether it runs in torch, where it learnt, or from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dyssync.arrays import Singles


@dataclass(frozen=True, eq=False)
class Head:
    """What a network with a head says of k pictures.

    Attributes:
        logits: (k,).
        weights: (512,) of the features in it.
    """

    logits: Singles
    weights: Singles


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network sees in k pictures.

    Attributes:
        features: (k, 512), means over the maps.
        maps: (k, 512, h, w) of the last stage.
        head: None of a trunk, which has none.
    """

    features: Singles
    maps: Singles
    head: Head | None = None

    def said(self) -> Head:
        """Return what the head says, of a network that has one."""
        assert self.head is not None
        return self.head


class PictureNetwork(Protocol):
    """A network that looks at pictures."""

    def look(self, pictures: Singles) -> Seen:
        """Return what it sees in pictures, (k, 1, H, W) float32 as `network_input.stack` gives."""


def weighed_maps(maps: Singles, weights: Singles) -> Singles:
    """Return what each cell of the maps adds to a logit, (k, h, w) float32.

    The logit is linear in the means over the maps, so that a cell adds its share of each mean, and
    all cells together the logit but for its intercept (class activation maps: Zhou 2016,
    10.1109/CVPR.2016.319). What is above 0 is the Grad-CAM of this stage (Selvaraju 2017,
    10.1109/ICCV.2017.74, section 3.1), without a gradient.

    Args:
        maps: (k, 512, h, w) of the last stage.
        weights: (512,) of their means in the logit.
    """
    cells = maps.shape[2] * maps.shape[3]
    return np.asarray(np.einsum("kchw,c->khw", maps, (weights / cells).astype(np.float32)))
