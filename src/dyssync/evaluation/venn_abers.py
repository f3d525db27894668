"""Venn-Abers intervals: what calibration alone leaves open about a probability.

The interval [p0, p1] of a new logit holds the two probabilities that isotonic calibration gives if
the new patient is added as a non-responder or as a responder. It is calibration noise only: the
models are taken as given, so that it says nothing of how other training patients would have moved
the logit, and is no confidence interval for a patient's own chance. Print it beside the spread of
the members, never alone.

References:
    Vovk V, Petej I. Venn-Abers predictors. UAI 2014, arXiv 1211.0025.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

from dyssync.arrays import Floats, Ints
from dyssync.errors import InputError


@dataclass(frozen=True, eq=False)
class VennAbers:
    """Intervals for every place that a new logit can take among the graded ones.

    Attributes:
        z: (m,) distinct out-of-fold logits, ascending.
        table: (2 m + 1, 2) p0 and p1; row 2 k lies below ``z[k]``, row 2 k + 1 on it.
    """

    z: Floats
    table: Floats

    def intervals(self, z: Floats) -> Floats:
        """Return [p0, p1] of logits (k,), (k, 2) in 0-1; NaN stays NaN."""
        # twice the logits below, and one if there is an equal
        place = np.searchsorted(self.z, z, "left") + np.searchsorted(self.z, z, "right")
        found = self.table[np.minimum(place, len(self.table) - 1)]
        return np.where(np.isnan(z)[:, None], np.nan, found)


def fit_venn_abers(z: Floats, y: Ints) -> VennAbers:
    """Return the intervals that out-of-fold logits leave for new ones.

    All places are worked out here, 2 (2 m + 1) short isotonic fits, so that a new logit costs a
    look-up.

    Args:
        z: (n,) out-of-fold logits; a patient whose logit is NaN takes no part.
        y: (n,) outcomes, 1 = responder.

    Raises:
        InputError: no patient has a logit.
    """
    known = ~np.isnan(z)
    if not known.any():
        raise InputError("Venn-Abers: nobody has a logit; at least one patient is needed")
    values, group = np.unique(z[known], return_inverse=True)
    patients = np.bincount(group).astype(np.float64)  # (m,) at each logit
    responders = np.asarray(np.bincount(group, weights=y[known]), dtype=np.float64)
    table = [
        [_isotonic_with(patients, responders, place, outcome) for outcome in (0.0, 1.0)]
        for place in range(2 * len(values) + 1)
    ]
    return VennAbers(values, np.array(table))


def _isotonic_with(patients: Floats, responders: Floats, place: int, outcome: float) -> float:
    """Return what isotonic regression gives a patient added at a place of the table."""
    k, equal = divmod(place, 2)
    if not equal:
        patients, responders = np.insert(patients, k, 0.0), np.insert(responders, k, 0.0)
    else:
        patients, responders = patients.copy(), responders.copy()
    patients[k] += 1
    responders[k] += outcome
    fitted = isotonic_regression(responders / patients, sample_weight=patients)
    return float(fitted[k])
