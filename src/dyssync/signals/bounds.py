"""QRS and P boundaries of one averaged beat: global from all leads, then lead by lead.

Each global mark comes from the spatial speed of all usable leads. Each lead's own mark starts from
it and moves half of the way to where that lead alone shows the wave: leads agree on when the heart
is activated, and differ in when one can see it. All samples here are at 500 Hz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import AnyFloats
from dyssync.signals.corners import (
    corner_before,
    first_true,
    lead_speed,
    spatial_speed,
)
from dyssync.signals.filtering import bandpass
from dyssync.signals.peaks import find_peaks
from dyssync.signals.sliding import moving_mean

FS = 500.0
SMOOTHING = 5  # samples (10 ms) over which speeds are averaged
QRS_BAND = 40.0  # Hz
P_BANDS = (20.0, 15.0)  # Hz, for on and off: the end of P fades more slowly than it starts
# Slopes that a reader sees at 25 mm/s and 10 mm/mV; half the distance to them is moved.
SEEN_QRS_ON, SEEN_QRS_OFF = 0.012, 0.006  # mV a sample: 6 and 3 mV/s
SEEN_P = 0.02  # mV from the level beside the wave
P_CORNER_SHARE, P_SEEN_SHARE = 0.2, 0.4
P_STEEP = (0.4, 0.6, 0.8)  # of the steepest sample
LEAST_RESTED = 40  # samples from rest to QRS: a P of 80 ms
P_HALF_LATEST = 6  # samples that half of the leads may show P later than all together
P_OUTWARD = 12  # samples; what lies farther out is the T wave before, wander, or the QRS
OWN_SHARE = 0.5
# samples by which a lead's own QRS may start before the global one, and after it: a lead that looks
# across a wide QRS sees nothing of its first 90 ms
OUTWARD, INWARD = 20, 45
LEAST_TRUST = 0.05  # leads below are left out: their QRS hardly stands out of their noise
# A QRS longer than this, s and share of RR, may have taken T along (paced ones reach 0.24 s)
LONGEST_QRS, LONGEST_QRS_RR = 0.24, 0.5
SHORT_QRS, T_LIMB = 36, 18  # samples: a QRS is longer, and the limbs of a T are
T_VALLEY, T_SPEED = 0.25, 0.75  # of the peak speed of the QRS
PLATEAU = 0.5  # chosen, of the height of the QRS; its ST segment lies lower


@dataclass(frozen=True)
class Bounds:
    """A wave's global boundaries and those of each lead, samples at 500 Hz.

    Attributes:
        on: global.
        off: global.
        peak: of all leads together.
        lead_on: (leads,).
        lead_off: (leads,).
    """

    on: float
    off: float
    peak: float
    lead_on: AnyFloats
    lead_off: AnyFloats


def qrs_bounds(beat: AnyFloats, r: int, rr: float = 1.0) -> Bounds:
    """Return the boundaries of the QRS around fiducial sample `r` of a (leads, m) beat.

    Args:
        beat: (leads, m) at 500 Hz.
        r: fiducial sample.
        rr: s to the next beat.
    """
    smooth = bandpass(beat, FS, None, QRS_BAND)
    core = slice(max(0, r - 65), r + 80)
    lead = lead_speed(smooth, 1)
    trust, share = _lead_shares(lead, core)
    relative = np.sqrt(np.square(lead * share[:, None]).sum(axis=0))
    absolute = np.sqrt((np.square(lead) * trust[:, None]).sum(axis=0))
    absolute /= max(float(absolute[core].max()), 1e-9)
    mixed = _smooth(np.sqrt(0.5 * np.square(relative) + 0.5 * np.square(absolute)))
    steep = core.start + int(np.argmax(mixed[core] >= 0.4 * mixed[core].max()))
    on = max(10, int(corner_before(mixed, steep, 40)))
    relative = _smooth(relative)
    off = _qrs_end(relative, core, r)
    if off - on > FS * min(LONGEST_QRS, LONGEST_QRS_RR * rr):
        away = np.square(smooth - smooth[:, [on]]) * trust[:, None]
        off = _without_t(relative, np.sqrt(away.sum(axis=0)), on, off)
    speed = lead_speed(smooth, SMOOTHING)
    seen_on = first_true(speed[:, on - 10 : off] > SEEN_QRS_ON) - 10
    seen_off = first_true(speed[:, on : off + 11][:, ::-1] > SEEN_QRS_OFF) - 10
    lead_on = on - 3.5 + OWN_SHARE * np.clip(seen_on, -OUTWARD, INWARD)
    lead_off = off - OWN_SHARE * np.clip(seen_off, -OUTWARD, INWARD)
    return Bounds(on, off, r, lead_on, lead_off)


def _smooth(speed: AnyFloats) -> AnyFloats:
    return moving_mean(speed, SMOOTHING)


def _lead_shares(lead: AnyFloats, core: slice) -> tuple[AnyFloats, AnyFloats]:
    """How far each lead is trusted, 0-1 (less when noisy), and its weight over its QRS speed."""
    peak = lead[:, core].max(axis=1)
    typical = max(float(np.median(peak[peak > 0])) if (peak > 0).any() else 0.0, 1e-9)
    contrast = peak / np.maximum(np.median(lead, axis=1), 1e-3 * typical)
    trust = np.clip(contrast / max(0.4 * float(np.median(contrast)), 1e-9), 0.0, 1.0) ** 2
    trust *= (peak > 0.02 * typical) & (trust > LEAST_TRUST)
    # a small lead is not blown up to full size: its noise would be, too
    root = np.sqrt(trust / max(float(trust.sum()), 1e-9))
    return trust, np.asarray(root / np.maximum(peak, 0.3 * typical))


def _qrs_end(speed: AnyFloats, core: slice, r: int) -> int:
    """Last sample before the speed falls to a tenth of its peak or near that of the ST segment."""
    peak = float(speed[core].max())
    rest = float(np.percentile(speed[r + 40 : r + 160], 20))
    limit = max(0.09 * peak, 1.5 * rest)
    last = int(core.start + np.flatnonzero(speed[core] >= 0.25 * peak)[-1])
    fall = int(first_true(speed[last : r + 150] <= limit))
    return min(last + fall, r + 150, len(speed) - 12)


def _without_t(speed: AnyFloats, away: AnyFloats, on: int, end: int) -> int:
    """Move the end of a QRS before the T (or P) that was taken along.

    Where T rises at once, as in LBBB at a fast rate, speed never comes to rest between them. But
    the limbs of T are long and gentle, those of a QRS short or steep: the QRS ends in the first
    valley of speed after which there are only gentle ones. What is still far away from the level
    before the QRS (`away`, mV) is the plateau of LBBB.
    """
    part = speed[on : min(end + T_LIMB, len(speed))]
    peak = float(part.max())
    valleys = find_peaks(-part, prominence=0.03 * peak)
    for k, valley in enumerate(valleys.tolist()):
        limbs = np.split(part[valley:], valleys[k + 1 :] - valley)
        long_enough = all(len(limb) >= T_LIMB for limb in limbs[:-1])
        if valley < SHORT_QRS or part[valley] > T_VALLEY * peak or on + valley >= end:
            continue
        if away[on + valley] > PLATEAU * away[on:end].max():
            continue
        if long_enough and part[valley:].max() < T_SPEED * peak:
            limit = max(0.09 * peak, 1.3 * float(part[valley]))
            return on + int(valley) - int(first_true(part[valley::-1] > limit)) + 1
    return end


def p_bounds(
    beat: AnyFloats, qrs_on: float, rr: float, earliest: float = 0.0, *, rested: bool = False
) -> Bounds | None:
    """Return the boundaries of the largest wave before the QRS; None where there is no room.

    Whether it is a P wave (there in every beat) is not decided here.

    Args:
        beat: (leads, m) at 500 Hz.
        qrs_on: global onset of the QRS.
        rr: s to the next beat.
        earliest: P cannot start before this sample.
        rested: `earliest` is known to lie after T: nothing before it is looked at, nor is anything
            thought too early.
    """
    on = int(qrs_on)
    low = on - int(FS * (0.30 if rested else min(0.30, 0.42 * rr)))
    low = max(5, low, int(earliest))
    high = on - 1
    if high - low < (LEAST_RESTED if rested else 60):
        return None
    first = low if rested else max(0, low - 40)
    part = bandpass(beat[:, first:high], FS, None, P_BANDS[0])
    gentle = bandpass(beat[:, first:high], FS, None, P_BANDS[1])
    peak = low - first + _p_peak(part[:, low - first :])
    p_on = _p_edge(part, peak, 30)
    mirrored = _p_edge(gentle[:, ::-1], high - first - 1 - peak, 40)
    p_off = high - first - 1 - mirrored - 6  # the end of P in most leads, not in the last one
    fine = bandpass(beat[:, first:high], FS, None, 25.0)
    last = high - first - 1
    lead_on = first - 2 + _own_p_edge(fine, peak, p_on)
    lead_off = high - 3 - _own_p_edge(fine[:, ::-1], last - peak, last - p_off)
    lead_off = np.minimum(lead_off, float(on))
    # the earliest and latest lead of a small wave are chance; half of the leads have to show it,
    # unless most look across its start
    on_of_half, off_of_half = float(np.median(lead_on)), float(np.median(lead_off))
    on_of_half = min(on_of_half, float(first + p_on + P_HALF_LATEST))
    return Bounds(on_of_half, off_of_half, first + peak, lead_on, lead_off)


def _p_peak(part: AnyFloats) -> int:
    """Where all leads together are farthest from the line between both ends of the segment."""
    left = np.median(part[:, :8], axis=1)
    right = np.median(part[:, -12:], axis=1)
    line = np.linspace(left, right, part.shape[1], axis=1)
    size = moving_mean(np.square(part - line).mean(axis=0), 9)
    margin = 15
    return margin + int(np.argmax(size[margin:-margin]))


def _p_edge(part: AnyFloats, peak: int, reach: int) -> int:
    """Corner before the first steep sample of the limb that leads up to `peak`.

    The limbs of a notched P are about equally steep, so that noise decides which is the steepest:
    the mean over three notions of "steep" does not jump from one to the other.
    """
    spatial = spatial_speed(part, SMOOTHING)
    start = max(0, peak - reach)
    limb = spatial[start : peak + 1]
    corners = []
    for share in P_STEEP:
        steep = start + int(np.argmax(limb >= share * limb.max()))
        corners.append(int(corner_before(spatial, steep, min(25, max(steep - 2, 1)))))
    return round(sum(corners) / len(corners))


def _own_p_edge(part: AnyFloats, peak: int, edge: int) -> AnyFloats:
    """Where each lead's own P starts, (leads,): between `edge`, its corner and its first 20 uV."""
    edge = min(max(edge, 16), part.shape[1] - 13)
    speed = lead_speed(part, SMOOTHING)
    stop = min(max(peak, edge + 12), part.shape[1])
    steepest = speed[:, edge:stop].max(axis=1, keepdims=True)
    steep = edge - 10 + first_true(speed[:, edge - 10 : stop] > 0.8 * steepest)
    own_corner = corner_before(speed, np.minimum(steep, stop - 1), 25)
    level = np.median(part[:, edge - 15 : edge - 3], axis=1, keepdims=True)
    start = max(edge - 25, 0)
    seen = start + first_true(np.abs(part[:, start:stop] - level) > SEEN_P)
    return np.asarray(
        edge
        + P_CORNER_SHARE * np.clip(own_corner - edge, -P_OUTWARD, 40)
        + P_SEEN_SHARE * np.clip(seen - edge, -P_OUTWARD, 40)
    )
