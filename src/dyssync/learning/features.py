"""What a frozen trunk says of recordings: computed once for whoever keeps it.

Ten fits to parts of one cohort, and the ten members of a bundle, look through one trunk: a
recording passes it once, and each head works on the numbers that came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.image import Input
from dyssync.keeping import keeping, kept
from dyssync.learning.network import FEATURES
from dyssync.learning.network_input import asked_pictures, stack
from dyssync.learning.picture_config import PictureConfig
from dyssync.learning.stored import StoredNetwork

BATCH = 16  # recordings that pass together


@dataclass(frozen=True)
class Look:
    """How recordings are looked at.

    Attributes:
        trunk: through which.
        pictures: as what.
        views: pictures a recording, from different moments; the features are their mean.
    """

    trunk: StoredNetwork
    pictures: PictureConfig
    views: int


@kept(most=8)
def _seen(look: Look) -> dict[Input, Floats]:
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


def _pass(X: Sequence[Input], look: Look) -> list[Floats]:
    asked = [asked_pictures(x, look.pictures, look.views) for x in X]
    found = look.trunk.look(stack([picture for several in asked for picture in several]))
    ends = np.cumsum([len(several) for several in asked])[:-1]
    return [part.mean(axis=0, dtype=np.float64) for part in np.split(found.features, ends)]
