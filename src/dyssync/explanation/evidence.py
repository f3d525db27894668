"""Where the networks that answer together found what speaks for an outcome, in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dyssync.arrays import Singles
from dyssync.image import Input
from dyssync.keeping import keeping
from dyssync.models.protocols import LooksAtPictures


def evidence_of(members: Sequence[LooksAtPictures], x: Input, *, response: bool = True) -> Singles:
    """Return the Grad-CAM map of the members of a model, (h, w) float32, at least 0.

    Their mean logit is what answers. Where logits are log-odds, the map of that mean is the mean of
    what each cell adds in each member; where each network has a scale of its own, their maps count
    alike. Inside `keeping()` members that share a trunk look once.

    Args:
        members: fits of one model.
        x: the recording.
        response: what speaks for response, else for non-response.
    """
    sign = 1.0 if response else -1.0
    with keeping():
        maps = [np.float32(sign) * member.evidence([x])[0] for member in members]
    if not members[0].OWN_SCALE:
        return np.maximum(np.mean(maps, axis=0, dtype=np.float32), 0)
    positive = [np.maximum(one, 0) for one in maps]
    scaled = [one / one.max() if one.max() > 0 else one for one in positive]
    return np.asarray(np.mean(scaled, axis=0, dtype=np.float32))
