"""What the checks look at: a recording of 12 leads, and what its file says of each lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from dyssync.arrays import Bools, Floats, Singles
from dyssync.ecg import LEADS, RepresentativeBeat

SWING_S = 0.04  # a QRS turns within it; wander and T wave hardly do
WINDOW_S = 2.0  # holds a beat at 30/min
MOST_S = 60.0  # of a long recording tell its swings as well as all of it


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recording before anybody uses it.

    Attributes:
        signal: (12, n), mV, finite, leads as in :data:`dyssync.ecg.LEADS`.
        fs: Hz.
        stored: leads that the file holds; the others were derived from I, II and III.
        steps: mV of one stored step, signed, by lead; empty where the file states none.
        beat: the recorder's representative beat, where the file holds one.
    """

    signal: Singles
    fs: float
    stored: tuple[str, ...] = LEADS
    steps: Mapping[str, float] = field(default_factory=dict)
    beat: RepresentativeBeat | None = None

    @cached_property
    def swings(self) -> Floats:
        """QRS of each lead, (12,) mV: its largest change within 40 ms, the typical one of 2 s.

        Neither wander nor a few artefacts change it.
        """
        change = _changes(self.signal[:, : int(MOST_S * self.fs)], self.fs)
        width = int(WINDOW_S * self.fs)
        n = change.shape[1] // width
        if n == 0:
            return np.asarray(change.max(axis=1), dtype=np.float64)
        windows = change[:, : n * width].reshape(len(change), n, width)
        return np.asarray(np.median(windows.max(axis=2), axis=1), dtype=np.float64)

    @cached_property
    def alive(self) -> Bools:
        """Leads that move at all, (12,)."""
        return np.asarray(np.ptp(self.signal, axis=1) > 0)

    @property
    def beat_swings(self) -> Floats | None:
        """The same of the recorder's beat, (12,) mV; None where there is none."""
        if self.beat is None or self.beat.signal.shape[1] <= SWING_S * self.beat.fs:
            return None
        return np.asarray(_changes(self.beat.signal, self.beat.fs).max(axis=1), dtype=np.float64)


def _changes(signal: Singles, fs: float) -> Singles:
    lag = max(1, round(SWING_S * fs))
    return np.asarray(np.abs(signal[:, lag:] - signal[:, :-lag]))
