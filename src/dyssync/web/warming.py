"""A heart of nobody, to answer once before the first patient comes."""

from __future__ import annotations

import numpy as np

from dyssync.ecg import ECG, LIMB_FROM_I_II

FS, SECONDS, RR_S = 500.0, 10.0, 0.8
# P, QRS and T of each beat: centre and width in s, height in mV
WAVES = ((0.1, 0.02, 0.1), (0.25, 0.03, 1.0), (0.5, 0.04, 0.2))
GAINS = (0.8, 1.2, -0.6, -0.9, 0.5, 1.2, 1.3, 1.0)  # of I, II, V1 to V6


def some_heart() -> ECG:
    """Return ten seconds of Gaussian waves in twelve leads."""
    t = np.arange(round(SECONDS * FS)) / FS % RR_S
    beat = sum(mv * np.exp(-0.5 * ((t - at) / width) ** 2) for at, width, mv in WAVES)
    eight = np.outer(GAINS, beat)
    signal = np.vstack([eight[:2], LIMB_FROM_I_II @ eight[:2], eight[2:]])
    return ECG(signal.astype(np.float32), FS, age=60.0, sex="F")
