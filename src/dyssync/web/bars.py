"""How many patients of a study had which probability, as bars of responders over the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.inspection.place import Place

BINS = 10  # of 10 of 100 each; single patients are not shown


@dataclass(frozen=True)
class Bar:
    """Patients with a probability in one bin.

    Attributes:
        low: where the bin starts, of 100.
        responded, others: patients.
        responded_height, others_height: the same as shares of the fullest bin, 0-1.
    """

    low: int
    responded: int
    others: int
    responded_height: float
    others_height: float


def bars_of(place: Place) -> Sequence[Bar]:
    """Return the bars of the patients of a study."""
    at = np.minimum((np.array(place.probabilities) * BINS).astype(int), BINS - 1)
    responder = np.array(place.outcomes) == 1
    yes, no = (np.bincount(at[chosen], minlength=BINS) for chosen in (responder, ~responder))
    most = int((yes + no).max())
    return [
        Bar(100 // BINS * k, int(a), int(b), float(a / most), float(b / most))
        for k, (a, b) in enumerate(zip(yes, no, strict=True))
    ]
