"""Does a page look like those a model learnt from?

Where the ink lies down and across a page tells the layout, its scale and crop, and hardly the
patient. A network answers any picture with a number; that of another template means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.pages.evening import prepare_picture
from dyssync.rendering.rendered import Picture

SIZE = (96, 128)  # px
BANDS = 16  # each way
LEAST_INK = 0.01  # share of a band; less is nothing, not a hundredth of something
LEAST_SD = 0.05  # of the logarithm; pages drawn by one program differ too little
LEAST_LIMIT = 1.0  # SD; pages all alike would leave no room at all


@dataclass(frozen=True)
class PageLook:
    """What pages of one cohort have in common.

    Attributes:
        mean: of their profiles (:func:`ink_profile`).
        sd: of the same.
        limit: how far from the others the oddest of them lies, SD; :data:`LEAST_LIMIT` at least.
    """

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    limit: float

    def oddness(self, pixels: Picture) -> float:
        """Return how far from the cohort's pages one lies: 1 is as far as the oddest of them.

        Args:
            pixels: (H, W, 3) RGB uint8.
        """
        return _distance(ink_profile(pixels), np.array(self.mean), np.array(self.sd)) / self.limit


def ink_profile(pixels: Picture) -> Floats:
    """Return the logarithm of the ink in bands down and across a page, (2 * BANDS,) float64."""
    ink = 1 - prepare_picture(pixels, SIZE) / 255
    down = ink.mean(axis=1).reshape(BANDS, -1).mean(axis=1)
    across = ink.mean(axis=0).reshape(BANDS, -1).mean(axis=1)
    profile: Floats = np.log(np.concatenate([down, across]) + LEAST_INK)
    return profile


def look_of(pages: Sequence[Picture]) -> PageLook:
    """Return what at least three pages have in common.

    Args:
        pages: (H, W, 3) RGB uint8 each.
    """
    profiles = np.stack([ink_profile(page) for page in pages])
    left_out = [np.delete(profiles, i, axis=0) for i in range(len(profiles))]
    odd = [_distance(p, *_spread(rest)) for p, rest in zip(profiles, left_out, strict=True)]
    mean, sd = _spread(profiles)
    return PageLook(tuple(mean.tolist()), tuple(sd.tolist()), max(LEAST_LIMIT, *odd))


def _spread(profiles: Floats) -> tuple[Floats, Floats]:
    return profiles.mean(axis=0), np.maximum(profiles.std(axis=0), LEAST_SD)


def _distance(profile: Floats, mean: Floats, sd: Floats) -> float:
    return float(np.sqrt(np.mean(np.square((profile - mean) / sd))))
