"""What is drawn by chance for the report's bands, and the range in which a choice is open."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats
from dyssync.evaluation.bootstrap import patient_weights

BAND_SEED = 0xBA2D  # models of the same patients share the draws
# Thresholds between which clinicians differ in whether they would implant: shaded in the figure.
OPEN_CHOICE = (0.3, 0.8)
# Where In short looks: at 80 % almost nobody reaches the threshold in cohorts of this size, and a
# handful of patients makes the difference.
JUDGED: Floats = np.linspace(0.30, 0.70, 41)


def draws(n: int) -> Floats:
    """Return the bootstrap draws of n patients, (draws, n)."""
    return patient_weights(n, BAND_SEED)
