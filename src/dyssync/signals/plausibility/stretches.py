"""Stretches in which nothing was recorded: padding, and leads that drop out.

An amplifier's noise moves every sample; in 2,246 real records all leads together stand still for
0.14 s at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import AnyFloats, Bools
from dyssync.ecg import LEADS, Doubt, Signal

NAME = "constant stretches"
STILL_MV_S = 0.02  # mV/s; a step of 1 uV at 500 Hz is 0.5, so this is rounding and decaying filters
STILL_SHARE = 0.005  # of the lead's mean slope, where the unit is wrong and all slopes are small
PAUSE_S = 0.3
GAP_S = 0.5
# A drawing without noise stands still in every diastole: then only longer ones are gaps.
BEATS_PER_S = 1 / 3
LONG_S = 2.5
TAIL_S = 0.1  # of a beat
DROPOUT_S = 1.0  # of one lead; six of the real records have one, of 2.6 s and more


@dataclass(frozen=True)
class Span:
    """The samples of a recording that are ECG, first and after the last; what was left out."""

    start: int
    stop: int
    doubts: tuple[Doubt, ...]


def ecg_span(still: Bools, fs: float) -> Span:
    """Return the longest part without a stretch in which all leads stand still or are missing.

    Args:
        still: (12, n), of :func:`stands_still`.
        fs: Hz.
    """
    n = still.shape[1]
    runs = gaps(np.asarray(still.all(axis=0)), fs)
    if not runs or runs == [(0, n)]:
        return Span(0, n, ())
    edges = [0, *(edge for run in runs for edge in run), n]
    parts = list(zip(edges[::2], edges[1::2], strict=True))
    start, stop = max(parts, key=lambda part: part[1] - part[0])
    left = ", ".join(f"{a / fs:.1f} to {b / fs:.1f} s" for a, b in runs[:3])
    more = f" and {len(runs) - 3} more" if len(runs) > 3 else ""
    text = (
        f"constant in all leads: {left}{more}. That is no ECG; "
        f"{start / fs:.1f} to {stop / fs:.1f} s are taken"
    )
    return Span(start, stop, (Doubt(NAME, (), text, "caution"),))


def without_tail(signal: Signal, fs: float) -> Signal:
    """Return a beat without what fills its array up: 0.1 s that repeat the last in all leads."""
    moving = np.flatnonzero((signal != signal[:, -1:]).any(axis=0))
    end = int(moving[-1]) + 1 if moving.size else signal.shape[1]
    return signal[:, :end] if signal.shape[1] - end >= TAIL_S * fs else signal


def dropouts(still: Bools, fs: float) -> tuple[Bools, list[Doubt]]:
    """Return where each lead was recorded, (12, n), and the leads that drop out for a while.

    Leads that never move are not counted: they are flat, and named as such elsewhere.

    Args:
        still: (12, n), of :func:`stands_still`.
        fs: Hz.
    """
    recorded = np.ones(still.shape, dtype=np.bool_)
    found = []
    for k, lead in enumerate(LEADS):
        if still[k].all():
            continue
        runs = [run for run in gaps(still[k], fs) if run[1] - run[0] >= DROPOUT_S * fs]
        for start, stop in runs:
            recorded[k, start:stop] = False
        if runs:
            where = ", ".join(f"{start / fs:.1f} to {stop / fs:.1f} s" for start, stop in runs[:3])
            text = f"{lead} stands still from {where}: nothing was recorded there"
            found.append(Doubt(NAME, (lead,), text, "caution"))
    return recorded, found


def stands_still(signal: AnyFloats, fs: float) -> Bools:
    """Say of each sample whether it continues, or is continued by, one of the same value; (12, n).

    Args:
        signal: (12, n), mV; NaN where nothing was recorded.
        fs: Hz.
    """
    missing = np.isnan(signal)
    slopes = np.abs(np.diff(signal, axis=1)) * fs
    mean = np.nansum(slopes, axis=1, keepdims=True) / slopes.shape[1]
    with np.errstate(invalid="ignore"):
        moves = slopes > np.minimum(STILL_MV_S, STILL_SHARE * mean)
    same = ~moves  # NaN compares as not moving
    still = np.zeros(signal.shape, dtype=np.bool_)
    still[:, 1:] |= same
    still[:, :-1] |= same
    return np.asarray(still | missing)


def gaps(still: Bools, fs: float) -> list[tuple[int, int]]:
    """Return where nothing was recorded: first sample, and that after the last, of each stretch.

    Args:
        still: (n,), samples that do not move.
        fs: Hz.
    """
    steps = np.diff(np.concatenate([[0], still.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    pauses = int((stops - starts >= PAUSE_S * fs).sum())
    least = LONG_S if pauses > BEATS_PER_S * len(still) / fs else GAP_S
    long = stops - starts >= least * fs
    return list(zip(starts[long].tolist(), stops[long].tolist(), strict=True))
