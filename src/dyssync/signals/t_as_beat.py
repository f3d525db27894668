"""Tell a T from a beat: it lies close behind a QRS and is less steep."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Bools, Ints
from dyssync.ecg import Signal
from dyssync.signals.filtering import bandpass
from dyssync.signals.sliding import max_about, moving_mean

# A T is told by being close to a QRS and less steep (Pan and Tompkins 1985,
# 10.1109/TBME.1985.325532: half as steep within 0.36 s). In this band it has 0.3 to 0.6 of a wide
# QRS; beats of fast rhythms differ by a tenth.
T_WITHIN, T_STEEPNESS, STEEP_BAND = 0.36, 0.6, (10.0, 40.0)
# The T of some paced hearts and LBBB has up to 0.75 of their QRS. An early beat so gentle moves the
# beat after it; a T does not: the QRS on its two sides are one RR apart.
T_STEEPEST, RR_APART = 0.8, 0.1


def without_t_waves(values: Signal, fs: float, beats: Ints) -> Ints:
    """Leave out what lies close to a beat and is much less steep: its T, or a piece of its QRS.

    Args:
        values: (leads, n) mV.
        fs: Hz.
        beats: (k,) ascending samples.
    """
    close = np.diff(beats) < T_WITHIN * fs
    if not close.any():
        return beats
    slope = np.gradient(bandpass(values, fs, *STEEP_BAND), axis=1)
    steep = moving_mean(np.sqrt(np.square(slope).mean(axis=0)), round(0.02 * fs))
    steep = max_about(steep, round(0.16 * fs))[beats]
    gentle = np.zeros(len(beats), dtype=bool)
    gentle[1:] |= close & (steep[1:] < T_STEEPNESS * steep[:-1])
    gentle[:-1] |= close & (steep[:-1] < T_STEEPNESS * steep[1:])
    gentle[1:-1] |= (
        close[:-1] & (steep[1:-1] < T_STEEPEST * steep[:-2]) & _between_beats(beats, close)
    )
    return np.asarray(beats[~gentle], dtype=np.int64)


def _between_beats(beats: Ints, close: Bools) -> Bools:
    """Return of each beat but the first and last whether those about it are one RR apart."""
    around = beats[2:] - beats[:-2]
    if not len(around):
        return np.zeros(0, dtype=bool)
    # RR between beats that are not in question, if there are some
    plain = np.diff(beats)[~close & ~np.append(False, close[:-1])]
    rr = float(np.median(plain if len(plain) > 1 else around))
    return np.asarray(np.abs(around - rr) < RR_APART * rr)
