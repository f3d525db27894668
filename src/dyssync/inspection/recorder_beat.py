"""The recorder's representative beat laid on ours, for a person to compare; nothing computes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyssync.arrays import Floats

if TYPE_CHECKING:
    from dyssync.ecg import ECG
    from dyssync.measurements.heartbeat import Heartbeat

MARGIN_MS = 20.0  # around the QRS, for the alignment


@dataclass(frozen=True)
class LaidOn:
    """The recorder's beat on the samples of our typical beat.

    Attributes:
        signal: (12, m) float64, mV, level before the QRS taken off; NaN beyond its ends.
        correlation: with ours within the QRS, all leads together.
        difference_mv: the largest within the QRS.
    """

    signal: Floats
    correlation: float
    difference_mv: float


def laid_on(ecg: ECG, ours: Heartbeat) -> LaidOn | None:
    """Return the recorder's beat where it fits best on `ours`; None where there is none.

    The best place is where the QRS complexes of all leads correlate most.
    """
    import numpy as np

    if ecg.beat is None:
        return None
    n = int(ecg.beat.seconds * ours.fs)
    grid = np.arange(n) / ours.fs
    own_time = np.arange(ecg.beat.signal.shape[1]) / ecg.beat.fs
    theirs = np.stack([np.interp(grid, own_time, lead) for lead in ecg.beat.signal])
    margin = round(MARGIN_MS / ours.ms(1.0))
    start = max(0, ours.marks.qrs_on - margin)
    stop = min(ours.signal.shape[1], ours.marks.qrs_off + margin)
    qrs = _centred(ours.signal[:, start:stop])
    if n < stop - start:
        return None
    windows = _centred(np.lib.stride_tricks.sliding_window_view(theirs, stop - start, axis=1))
    products = np.einsum("lsw,lw->s", windows, qrs)  # lead, shift, sample of the window
    power = np.einsum("lsw,lsw->s", windows, windows) * np.square(qrs).sum()
    correlations = products / np.sqrt(np.maximum(power, 1e-12))
    shift = int(correlations.argmax()) - start  # of their samples against ours
    laid = np.full_like(ours.signal, np.nan)
    first, last = max(0, -shift), min(laid.shape[1], n - shift)
    laid[:, first:last] = theirs[:, first + shift : last + shift]
    # The same level before the QRS: recorders take off another one, or none.
    laid -= np.nanmedian(laid[:, start : ours.marks.qrs_on], axis=1, keepdims=True)
    within = slice(ours.marks.qrs_on, ours.marks.qrs_off + 1)
    difference = np.abs(laid[:, within] - ours.signal[:, within]).max()
    return LaidOn(laid, float(correlations.max()), float(difference))


def _centred(samples: Floats) -> Floats:
    centred: Floats = samples - samples.mean(axis=-1, keepdims=True)
    return centred
