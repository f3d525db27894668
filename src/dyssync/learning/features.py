"""What a frozen trunk says of recordings: computed once for whoever keeps it.

Ten fits to parts of one cohort, and the ten members of a bundle, look through one trunk: a
recording passes it once, and each head works on the numbers that came out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.keeping import keeping, kept
from dyssync.learning.network import FEATURES, build_encoder, unpack_weights
from dyssync.learning.network_input import asked_pictures, stack
from dyssync.learning.picture_config import PictureConfig
from dyssync.learning.training import make_fabric

if TYPE_CHECKING:
    import torch

BATCH = 16  # recordings that pass together


@dataclass(frozen=True)
class Trunk:
    """The weights of a pretrained trunk.

    Attributes:
        digest: sha256 of the weights, by which trunks are told apart.
        weights: safetensors bytes.
    """

    digest: str
    weights: bytes = field(compare=False, repr=False)

    @cached_property
    def network(self) -> torch.nn.Module:
        """The trunk in evaluation mode; shared by all who look through it, so never changed.

        Raises:
            ModelError: the weights are of another network.
        """
        network = build_encoder()
        unpack_weights(network, self.weights)
        return network.eval()


_alive: WeakValueDictionary[str, Trunk] = WeakValueDictionary()


def trunk_of(digest: str, weights: bytes) -> Trunk:
    """Return the trunk of these weights: one object for all models that have it, while any does.

    Raises:
        ModelError: the digest is not theirs.
    """
    known = _alive.get(digest)
    if known is not None and known.weights == weights:
        return known
    if hashlib.sha256(weights).hexdigest() != digest:
        raise ModelError("the weights of the trunk differ from their sha256")
    return _alive.setdefault(digest, Trunk(digest, weights))


@dataclass(frozen=True)
class Look:
    """How recordings are looked at.

    Attributes:
        trunk: through which.
        pictures: as what.
        views: pictures a recording, from different moments; the features are their mean.
        precision: as in :func:`~dyssync.learning.training.make_fabric`.
    """

    trunk: Trunk
    pictures: PictureConfig
    views: int
    precision: str = "auto"


@kept(most=8)
def _seen(look: Look) -> dict[Input, Singles]:
    """Return what is filled with the features of recordings as they are asked for."""
    return {}


def features_of(X: Sequence[Input], look: Look) -> Floats:
    """Return the features of recordings, (n, FEATURES) float64; inside `keeping()` computed once.

    Raises:
        ModelError: the trunk's weights are of another network.
    """
    with keeping():
        seen = _seen(look)
        new = [x for x in dict.fromkeys(X) if x not in seen]
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            seen.update(zip(batch, _pass(batch, look), strict=True))
        found = [seen[x] for x in X]
    return np.asarray(found, dtype=np.float64).reshape(-1, FEATURES)


def _pass(X: Sequence[Input], look: Look) -> list[Singles]:
    import torch

    fabric = make_fabric(look.precision)
    network = look.trunk.network.to(fabric.device)
    asked = [asked_pictures(x, look.pictures, look.views) for x in X]
    x = torch.from_numpy(stack([picture for several in asked for picture in several]))
    with torch.no_grad(), fabric.autocast():
        held = x.to(fabric.device).contiguous(memory_format=torch.channels_last)
        features = network(held).float().cpu().numpy()
    ends = np.cumsum([len(several) for several in asked])[:-1]
    return [part.mean(axis=0, dtype=np.float64) for part in np.split(features, ends)]
