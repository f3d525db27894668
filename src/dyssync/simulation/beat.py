"""What a noise-free beat shows: QRS duration and the areas under QRS and T, known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.signals.vectorcardiogram import vectorcardiogram

VISIBLE_SHARE = 0.04  # of the largest speed of the leads; less is lost in a tracing's line


@dataclass(frozen=True)
class BeatTruth:
    """Duration in ms; areas of the Kors vectorcardiogram in uVs."""

    qrs_ms: float
    qrs_area: float
    t_area: float


def measure_clean_beat(beat: Floats, depolarisation_rate: Floats) -> BeatTruth:
    """Measure a beat without noise.

    Args:
        beat: (12, n) at 1 ms, mV.
        depolarisation_rate: (12, n), mV per ms, of upstrokes alone: where QRS ends is known, even
            where the ST segment goes on at once.
    """
    speed = np.sqrt((depolarisation_rate**2).sum(axis=0))
    moving = np.flatnonzero(speed > VISIBLE_SHARE * speed.max())
    onset, offset = int(moving[0]), int(moving[-1]) + 1
    loop = vectorcardiogram(beat).astype(np.float64)
    return BeatTruth(
        qrs_ms=float(offset - onset),
        qrs_area=float(np.linalg.norm(loop[:, onset:offset].sum(axis=1))),
        t_area=float(np.linalg.norm(loop[:, offset:].sum(axis=1))),
    )
