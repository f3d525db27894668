"""The 1 mV pulse that some recorders print, and store, after the ECG."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dyssync.arrays import Floats

PULSE_MV = 1.0
TOLERANCE_MV = 0.025  # five steps of 5 uV: stored pulses waver by one, derived leads by two
MIN_PULSE_S = 0.08  # the usual 200 ms, or 100 ms where it is cut short
LAST_S = 1.5  # where it is looked for


def end_before_pulse(channels: Mapping[str, Floats], fs: float) -> int | None:
    """Return how many samples come before the pulse and the flat line that leads to it.

    No ECG looks like it: the same rectangle of 1 mV in every channel at once.

    Args:
        channels: name to (n,), mV, equal lengths.
        fs: Hz.

    Returns:
        The number of samples of ECG; None where there is no pulse.
    """
    stacked = np.stack(list(channels.values()))
    n_samples = stacked.shape[1]
    tail = max(0, n_samples - int(LAST_S * fs))
    pulse = np.zeros(n_samples, np.int8)
    pulse[tail:] = (np.abs(stacked[:, tail:] - PULSE_MV) <= TOLERANCE_MV).all(axis=0)
    starts = np.flatnonzero(np.diff(pulse, prepend=0) == 1)
    ends = np.flatnonzero(np.diff(pulse, append=0) == -1) + 1
    long_enough = np.flatnonzero(ends - starts >= MIN_PULSE_S * fs)
    if not long_enough.size:
        return None
    start = int(starts[long_enough[0]])
    moving = np.flatnonzero((np.abs(stacked[:, :start]) > TOLERANCE_MV).any(axis=0))
    return int(moving[-1]) + 1 if moving.size else start
