"""What a frozen trunk says of recordings: computed once for whoever keeps it.

Ten fits to parts of one cohort, and the ten members of a bundle, look through one trunk: a
recording passes it once, and each head works on the numbers that came out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.image import Input
from dyssync.keeping import keeping, kept
from dyssync.learning.ahead import Look, seen_ahead
from dyssync.learning.network import FEATURES
from dyssync.learning.network_input import asked_pictures, stack

BATCH = 16  # recordings that pass together


@kept(most=8)
def _seen(look: Look) -> dict[Input, Floats]:
    """Return what is filled with the features of recordings as they are asked for."""
    return {}


def features_of(X: Sequence[Input], look: Look) -> Floats:
    """Return the features of recordings, (n, FEATURES) float64; inside `keeping()` computed once.

    They are the means over the pictures of a recording.

    Raises:
        ModelError: the trunk's weights are of another network.
    """
    with keeping():
        seen = _seen(look)
        for x in X:
            if x not in seen and (ahead := seen_ahead(look, x)) is not None:
                seen[x] = _mean(ahead.features)
        new = [x for x in dict.fromkeys(X) if x not in seen]
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            seen.update(zip(batch, _pass(batch, look), strict=True))
        found = [seen[x] for x in X]
    return np.asarray(found, dtype=np.float64).reshape(-1, FEATURES)


def _pass(X: Sequence[Input], look: Look) -> list[Floats]:
    asked = [asked_pictures(x, look.pictures, look.views) for x in X]
    found = look.network.look(stack([picture for several in asked for picture in several]))
    ends = np.cumsum([len(several) for several in asked])[:-1]
    return [_mean(part) for part in np.split(found.features, ends)]


def _mean(features: Singles) -> Floats:
    return np.asarray(features.mean(axis=0, dtype=np.float64))
