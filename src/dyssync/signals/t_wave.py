"""T boundaries of one averaged beat: global from all leads, then lead by lead, as in `bounds`."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import AnyFloats
from dyssync.signals.bounds import FS, OWN_SHARE, SMOOTHING, Bounds
from dyssync.signals.corners import (
    corner_after,
    corner_before,
    first_true,
    lead_speed,
    spatial_speed,
)
from dyssync.signals.filtering import bandpass

T_BAND = 12.0  # Hz
# Latest T limb after the fiducial point: 0.46 s * sqrt(RR) lets QTc reach about 0.56 s.
T_LIMB_SQRT, T_LIMB_RR = 0.46, 0.6


def t_bounds(beat: AnyFloats, r: int, qrs_off: float, rr: float) -> Bounds | None:
    """Return the boundaries of the T wave; None when no limb of one is found in time.

    Args:
        beat: (leads, m) at 500 Hz.
        r: fiducial sample.
        qrs_off: global end of the QRS.
        rr: s to the next beat.
    """
    start = int(qrs_off) + 25
    latest = FS * min(T_LIMB_SQRT * np.sqrt(rr), T_LIMB_RR * rr)
    stop = min(beat.shape[1] - 2, r + int(latest))
    if stop - start < 25:
        return None
    smooth = bandpass(beat, FS, None, T_BAND)
    spatial = spatial_speed(smooth, SMOOTHING)
    limb = _last_limb(spatial[start:stop])
    if limb is None:
        return None
    off = int(corner_after(spatial, start + limb, 90))
    level = smooth[:, [min(off, beat.shape[1] - 1)]]
    size = np.sqrt(np.square(smooth - level).mean(axis=0))
    peak = start + int(np.argmax(size[start : max(start + 5, off - 10)]))
    lead_off = off + OWN_SHARE * np.clip(_own_t_end(beat, int(qrs_off), peak, off) - off, -20, 40)
    on = int(corner_before(spatial, max(start, (start + peak) // 2), 40))
    return Bounds(on, off, peak, np.full(len(beat), float(on)), lead_off)


def _last_limb(speed: AnyFloats) -> int | None:
    """Last local maximum above half of the largest: the falling limb of T, not of a flat U."""
    inner = speed[1:-1]
    top = (inner >= speed[:-2]) & (inner > speed[2:]) & (inner > 0.5 * speed.max())
    return int(np.flatnonzero(top)[-1]) + 1 if top.any() else None


def _own_t_end(beat: AnyFloats, qrs_off: int, peak: int, off: int) -> AnyFloats:
    """Corner after the last steep part of each lead's own T, (leads,)."""
    start = max(0, qrs_off - 5)
    speed = lead_speed(bandpass(beat[:, start:], FS, None, 15.0), SMOOTHING)
    first, last = min(peak, off - 12) - start, off + 10 - start
    part = speed[:, first:last]
    steepest = part[:, : off - start - first].max(axis=1, keepdims=True)
    steep = last - 1 - first_true((part > 0.8 * steepest)[:, ::-1])
    return np.asarray(start + corner_after(speed, steep, 60), dtype=np.float64)
