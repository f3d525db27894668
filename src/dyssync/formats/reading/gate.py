"""The gate that every recording passes after any reader and before any user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from dyssync.ecg import FS_RANGE, Doubt, RepresentativeBeat, Signal, signed_lead
from dyssync.errors import FormatError, Vetted
from dyssync.signals.plausibility import Recorded, judge
from dyssync.signals.plausibility.stretches import dropouts, ecg_span, stands_still
from dyssync.signals.plausibility.together import shared_time


def passed(
    signal: Signal,
    fs: float,
    stored: tuple[str, ...],
    steps: Mapping[str, float],
    beat: RepresentativeBeat | None = None,
) -> tuple[Signal, tuple[Doubt, ...]]:
    """Return the part of a recording that is ECG, and what is held against it.

    Args:
        signal: (12, n) float32, mV, as read.
        fs: Hz.
        stored: leads that the file holds; the others were derived.
        steps: mV of one stored step, by channel, where the file states them.
        beat: the recorder's, where the file holds it.

    Raises:
        FormatError: numbers made of it would be wrong; with all reasons.
    """
    if not FS_RANGE[0] <= fs <= FS_RANGE[1] or signal.shape[1] < fs:
        return signal, ()  # which ECG refuses
    still = stands_still(signal, fs)
    span = ecg_span(still, fs)
    if span.doubts:
        signal = np.ascontiguousarray(signal[:, span.start : span.stop])
        signal.flags.writeable = False
        still = stands_still(signal, fs)  # the gaps had made all leads seem slower
    recorded, lost = dropouts(still, fs)
    _refuse(shared_time(recorded))
    if not np.isfinite(signal).all() or signal.shape[1] < fs:
        return signal, span.doubts  # which ECG refuses
    judged = judge(Recorded(signal, fs, stored, _by_lead(steps), beat))
    _refuse(judged)
    return signal, (*span.doubts, *lost, *judged)


def _refuse(doubts: Iterable[Doubt]) -> None:
    # checks see arrays and standard leads, nothing else of a file
    reasons: list[Vetted] = [doubt.sentence for doubt in doubts if doubt.consequence == "refuse"]
    if reasons:
        raise FormatError("; ".join(reasons))


def _by_lead(steps: Mapping[str, float]) -> dict[str, float]:
    """Return steps by standard lead; those of other channels are left out."""
    found = {}
    for channel, step in steps.items():
        lead, _ = signed_lead(channel)
        if lead is not None:
            found[lead] = step
    return found
