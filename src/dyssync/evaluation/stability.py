"""How much the answer for one patient hangs on who else was in the cohort.

The model is learned again from bootstrap samples of its cohort; what changes is noise. It is a
lower bound of what is not known: a bias that all refits share does not show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.errors import InputError, check_range

RANGE = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Stability:
    """Instability of the probabilities of n patients; NaN where it is not known.

    Attributes:
        low, high: (n,) float64, 0-1: 2.5 and 97.5 % quantile of the refits.
        mape: (n,) float64, 0-1: mean absolute difference between refits and original.
        changed: (n,) float64, 0-1: share of the refits that put the patient on the other side of
            the threshold (classification instability index).
        refits: (n,) int64: refits with an answer for the patient.
    """

    low: Floats
    high: Floats
    mape: Floats
    changed: Floats
    refits: Ints

    @property
    def mean_mape(self) -> float:
        """Mean absolute prediction error over the patients where it is known; NaN without any."""
        return _mean_known(self.mape)

    @property
    def mean_changed(self) -> float:
        """Share of changed sides over the patients where it is known; NaN without any."""
        return _mean_known(self.changed)


def prediction_stability(original: Floats, refits: Floats, threshold: float = 0.5) -> Stability:
    """Compare probabilities with those of refits to bootstrap samples.

    Args:
        original: (n,) probabilities of response by the model itself, 0-1; NaN is not known.
        refits: (B, n) probabilities of the same patients by models learned from bootstrap samples
            in just the same way, tuning and selection included; NaN is left out.
        threshold: a patient with p >= threshold is called a responder, 0-1.

    Raises:
        InputError: the shapes do not match.
        ConfigError: `threshold` is no probability.

    References:
        Riley RD, Collins GS. Biom J 2023;65:2200302, doi 10.1002/bimj.202200302.
    """
    check_range("threshold", threshold, 0.0, 1.0)
    if refits.ndim != 2 or refits.shape[1:] != original.shape:
        raise InputError(
            f"stability: refits of shape {refits.shape} for {original.shape} patients; "
            "(refits, patients) is needed"
        )
    answered = ~np.isnan(refits)  # (B, n)
    count = answered.sum(axis=0)
    low, high = np.full((2, len(original)), np.nan)
    if (some := count > 0).any():
        low[some], high[some] = np.nanquantile(refits[:, some], RANGE, axis=0)
    comparable = some & ~np.isnan(original)
    differences = np.where(answered, np.abs(refits - original), 0.0)
    other_side = answered & ((refits >= threshold) != (original >= threshold))
    shares = np.full((2, len(original)), np.nan)
    for share, of in zip(shares, (differences, other_side), strict=True):
        share[comparable] = of[:, comparable].sum(axis=0) / count[comparable]
    return Stability(low, high, shares[0], shares[1], count.astype(np.int64))


def _mean_known(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
