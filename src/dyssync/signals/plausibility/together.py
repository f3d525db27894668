"""Were the leads recorded at the same time? The columns of a printed page were not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dyssync.arrays import Bools, Floats
from dyssync.ecg import LEAD_INDEX, LEADS, Doubt
from dyssync.signals.plausibility.recorded import MOST_S, Recorded

NAME = "recorded together"
EXPORT = "Export the rhythm recording, not the printed columns"
SHARED = 0.5  # of the time of the shorter of two leads; a lead that drops out shares all of its own
# Groups of leads that pages show at one time.
LIMB, CHEST = ("I", "II", "III"), (("V1", "V2", "V3"), ("V4", "V5", "V6"))
BIN_S = 0.01
PEAKED = 2.0  # beats are so much steeper than what lies between them; a slow wave has 1.4 (sine)
SMOOTH = 5  # bins: 50 ms
SAME_TIME_S = 0.04  # one lead's QRS is steepest at most so much before another's
FURTHEST_S = 1.2  # further than a beat away
# Steepness of a chest group follows that of the limb leads at the same time: in 1,166 real records
# (median correlation 0.97) one chest group is better at another time by more than 0.15, V1 to V3
# with ST elevations that are steeper than the QRS; never both. So two groups that are late are a
# page, one may be a heart. Of 560 pages of such records, in two or four columns, without augmented
# leads that could tell, 9 in 10 are found.
LATE = 0.1
CLEARLY = 0.3
ALIKE = 0.4


@dataclass(frozen=True)
class Correlation:
    """Of two groups of leads: at the same time, the best one, and by how many s that is later."""

    now: float
    best: float
    lag_s: float

    @property
    def said(self) -> str:
        """The lag in words."""
        return f"{abs(self.lag_s):.2f} s {'after' if self.lag_s > 0 else 'before'}"


def shared_time(recorded: Bools) -> list[Doubt]:
    """Refuse leads that move only while others stand still.

    Args:
        recorded: (12, n), where each lead was recorded.
    """
    if recorded.all():
        return []
    times = recorded.astype(np.float32)
    shared = times @ times.T
    for one, other in combinations(range(len(LEADS)), 2):
        if shared[one, other] < SHARED * min(shared[one, one], shared[other, other]):
            text = (
                f"leads were not recorded together: {LEADS[one]} stands still where {LEADS[other]} "
                f"moves, and the other way round. {EXPORT}"
            )
            return [Doubt(NAME, (LEADS[one], LEADS[other]), text, "refuse")]
    return []


def same_beats(recorded: Recorded) -> list[Doubt]:
    """Hold the beats of the chest leads against those of the limb leads: do they coincide?"""
    limb = _steepness(recorded, LIMB)
    chest = {group: _steepness(recorded, group) for group in CHEST}
    if limb is None or any(steepness is None for steepness in chest.values()):
        return []
    found = {g: _correlation(limb, x) for g, x in chest.items() if x is not None}
    late = {g: x for g, x in found.items() if x.best > x.now + LATE and x.best > ALIKE}
    if not late:
        return []
    sure = len(late) == len(CHEST) and max(x.best - x.now for x in late.values()) > CLEARLY
    what = "; ".join(f"the beats of {', '.join(g)} come {x.said}" for g, x in late.items())
    text = f"leads {'were not' if sure else 'may not have been'} recorded together"
    sentence = f"{text}: {what} those of the limb leads. {EXPORT}"
    leads = tuple(lead for group in late for lead in group)
    return [Doubt(NAME, leads, sentence, "refuse" if sure else "caution")]


def _steepness(recorded: Recorded, leads: tuple[str, ...]) -> Floats | None:
    """Return how steep a group is in bins of 10 ms; None where it says too little."""
    rows = [LEAD_INDEX[x] for x in leads if recorded.alive[LEAD_INDEX[x]]]
    width = max(1, round(BIN_S * recorded.fs))
    signal = recorded.signal[rows, : int(MOST_S * recorded.fs)]
    lag = max(1, round(2 * BIN_S * recorded.fs))
    change = np.abs(signal[:, lag:] - signal[:, :-lag])
    n = change.shape[1] // width
    if not rows or n * BIN_S < 2 * FURTHEST_S:
        return None
    steep = change[:, : n * width].reshape(len(rows), n, width).mean(axis=2, dtype=np.float64)
    top = np.percentile(steep, 95, axis=1, keepdims=True)
    if np.median(top) < PEAKED * np.median(steep):
        return None
    steep = np.minimum(steep / np.maximum(top, 1e-9), 1.5).mean(axis=0)
    return np.convolve(steep, np.full(SMOOTH, 1 / SMOOTH), "same")


def _correlation(one: Floats, other: Floats) -> Correlation:
    """Correlate two groups at all times up to a beat apart."""
    n = len(one)
    a, b = one - one.mean(), other - other.mean()
    size = 1 << (2 * n).bit_length()
    product = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    most = min(round(FURTHEST_S / BIN_S), n // 2)
    lags = np.arange(-most, most + 1)
    scale = np.sqrt(float(a @ a) * float(b @ b)) * (1 - np.abs(lags) / n)
    found = product[lags] / np.maximum(scale, 1e-12)
    now = np.abs(lags) <= round(SAME_TIME_S / BIN_S)
    best = int(found.argmax())
    return Correlation(float(found[now].max()), float(found[best]), float(lags[best]) * BIN_S)
