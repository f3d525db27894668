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

from dyssync.arrays import Floats, Ints
from dyssync.errors import InputError


@dataclass(frozen=True, eq=False)
class VennAbers:
    """The graded patients that a new one is added to.

    Attributes:
        z: (m,) distinct out-of-fold logits, ascending.
        patients, responders: (m,) how many there are of each.
    """

    z: Floats
    patients: Floats
    responders: Floats

    def intervals(self, z: Floats) -> Floats:
        """Return [p0, p1] of logits (k,), (k, 2) in 0-1; NaN stays NaN."""
        known = ~np.isnan(z)
        # twice the logits below, and one if there is an equal
        places = np.searchsorted(self.z, z, "left") + np.searchsorted(self.z, z, "right")
        asked, which = np.unique(places[known], return_inverse=True)
        ends = [[self._with(int(place), outcome) for outcome in (0.0, 1.0)] for place in asked]
        found = np.full((len(z), 2), np.nan)
        found[known] = np.array(ends).reshape(-1, 2)[which]
        return found

    def _with(self, place: int, outcome: float) -> float:
        """Return what isotonic regression gives a patient added at a place.

        The value of a monotone fit at k is the largest over all beginnings up to k of the smallest
        over all ends from k on of the mean in between (Robertson, Wright, Dykstra 1988, theorem
        1.4.4): no other value need be fitted.
        """
        k, equal = divmod(place, 2)
        patients, responders = self.patients, self.responders
        if not equal:
            patients, responders = np.insert(patients, k, 0.0), np.insert(responders, k, 0.0)
        else:
            patients, responders = patients.copy(), responders.copy()
        patients[k] += 1
        responders[k] += outcome
        n = np.concatenate([[0.0], np.cumsum(patients)])
        yes = np.concatenate([[0.0], np.cumsum(responders)])
        means = (yes[k + 1 :] - yes[: k + 1, None]) / (n[k + 1 :] - n[: k + 1, None])
        return float(means.min(axis=1).max())


def fit_venn_abers(z: Floats, y: Ints) -> VennAbers:
    """Return what out-of-fold logits leave open for new ones.

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
    patients = np.bincount(group).astype(np.float64)
    responders = np.asarray(np.bincount(group, weights=y[known]), dtype=np.float64)
    return VennAbers(values, patients, responders)
