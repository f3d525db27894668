"""What a noise-free beat shows: QRS duration and the areas under QRS and T, known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.signals.vectorcardiogram import vectorcardiogram
from dyssync.simulation.heart import Floats
from dyssync.simulation.potentials import LEAD_IN_MS

VISIBLE_SHARE = 0.025  # of the largest speed of the leads; less is lost in a tracing's line


@dataclass(frozen=True)
class BeatTruth:
    """Duration in ms; areas of the Kors vectorcardiogram in uVs."""

    qrs_ms: float
    qrs_area: float
    t_area: float


def measure_clean_beat(beat: Floats, last_activation_ms: float) -> BeatTruth:
    """Measure a beat without noise.

    Args:
        beat: (12, n) at 1 ms, mV; activation starts at `LEAD_IN_MS`.
        last_activation_ms: when the last muscle is activated.
    """
    speed = np.sqrt((np.diff(beat, axis=1) ** 2).sum(axis=0))
    end = min(int(LEAD_IN_MS + last_activation_ms + 12), len(speed))
    moving = np.flatnonzero(speed[:end] > VISIBLE_SHARE * speed[:end].max())
    onset, offset = int(moving[0]), int(moving[-1]) + 1
    loop = vectorcardiogram(beat).astype(np.float64)
    return BeatTruth(
        qrs_ms=float(offset - onset),
        qrs_area=float(np.linalg.norm(loop[:, onset:offset].sum(axis=1))),
        t_area=float(np.linalg.norm(loop[:, offset:].sum(axis=1))),
    )
