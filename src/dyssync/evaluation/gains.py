"""What a model adds to one answer for all patients.

Pure functions of outcomes ``y`` (n,) int64, 1 = responder, probabilities of response ``p`` (n,)
float64, and the threshold from which a patient is called a responder.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats, Ints


def accuracy_gain(y: Ints, p: Floats, threshold: float) -> float:
    """Return accuracy minus that of giving everybody the commoner answer (the floor)."""
    right = float(np.mean((p >= threshold) == (y == 1)))
    return right - float(max(y.mean(), 1 - y.mean()))


def net_benefit_gain(y: Ints, p: Floats, threshold: float) -> float:
    """Return the net benefit a patient minus the better of treating all and treating none.

    NaN for a threshold outside of (0, 1), which is no exchange rate.

    References:
        Vickers AJ, Elkin EB. Med Decis Making 2006;26:565, doi 10.1177/0272989X06295361.
    """
    if not 0 < threshold < 1:
        return float("nan")
    odds, share, called = threshold / (1 - threshold), float(y.mean()), p >= threshold
    benefit = float(np.mean(called & (y == 1)) - odds * np.mean(called & (y == 0)))
    return benefit - max(share - odds * (1 - share), 0.0)
