"""Where the waves of a beat begin and end, from all leads together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dyssync.signals.beats import MedianBeat
from dyssync.signals.filtering import bandpass

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BeatMarks:
    """Global boundaries of a beat, samples of the beat's own time; None where there is none."""

    qrs_on: int
    qrs_off: int
    p_on: int | None = None
    p_off: int | None = None
    t_peak: int | None = None
    t_off: int | None = None


def delineate_beat(beat: MedianBeat) -> BeatMarks:
    """Return the global marks of a median beat."""
    fs, r = beat.fs, beat.r_index
    smooth = bandpass(beat.signal, fs, None, 40.0)
    speed = np.sqrt(np.square(np.gradient(smooth, axis=1)).sum(axis=0, dtype=np.float64)) * fs
    speed = ndimage.uniform_filter1d(speed, max(1, round(0.008 * fs)))
    on, off = _qrs_bounds(speed, r, fs)
    t_peak, t_off = _t_wave(smooth, off, fs, beat.rr_s, r)
    p_on, p_off = _p_wave(smooth, on, fs)
    return BeatMarks(on, off, p_on, p_off, t_peak, t_off)


def _qrs_bounds(speed: FloatArray, r: int, fs: float) -> tuple[int, int]:
    reach = round(0.14 * fs)
    peak = float(speed[max(0, r - reach) : r + reach].max())
    before = speed[max(0, r - 2 * reach) : max(1, r - reach // 2)]
    limit = max(0.06 * peak, float(np.percentile(before, 30)) * 2.0)
    gap = round(0.02 * fs)
    active = ndimage.binary_closing(np.pad(speed > limit, gap), np.ones(gap, dtype=np.bool_))[
        gap:-gap
    ]
    labels, _ = ndimage.label(active)
    core = np.flatnonzero(speed[max(0, r - reach) : r + reach] == peak)[0] + max(0, r - reach)
    where = np.flatnonzero(labels == labels[core])
    return int(where[0]), int(where[-1])


def _t_wave(
    smooth: npt.NDArray[np.float32], off: int, fs: float, rr_s: float, r: int
) -> tuple[int | None, int | None]:
    rr = 1.0 if np.isnan(rr_s) else rr_s
    stop = min(smooth.shape[1], r + round(min(0.75 * rr, 0.62) * fs))
    start = off + round(0.06 * fs)
    if stop - start < round(0.08 * fs):
        return None, None
    rms = np.sqrt(np.square(smooth).mean(axis=0, dtype=np.float64))
    rms = ndimage.uniform_filter1d(rms, max(1, round(0.03 * fs)))
    peak = start + int(np.argmax(rms[start:stop]))
    slope = np.gradient(rms)
    fall = slope[peak:stop]
    if len(fall) < 3 or fall.min() >= 0:
        return peak, None
    steepest = peak + int(np.argmin(fall))
    floor = float(rms[steepest : stop + round(0.05 * fs)].min())
    end = steepest + (rms[steepest] - floor) / -slope[steepest]
    return peak, min(round(end), smooth.shape[1] - 1)


def _p_wave(smooth: npt.NDArray[np.float32], on: int, fs: float) -> tuple[int | None, int | None]:
    start = max(0, on - round(0.3 * fs))
    segment = bandpass(smooth[:, start:on], fs, 0.0, 25.0) if on - start > 20 else None
    if segment is None:
        return None, None
    segment = segment - np.median(segment, axis=1, keepdims=True)
    rms = np.sqrt(np.square(segment).mean(axis=0, dtype=np.float64))
    margin = round(0.02 * fs)
    peak = int(np.argmax(rms[margin : len(rms) - margin])) + margin
    floor = float(np.percentile(rms, 15))
    if rms[peak] < 0.02 or rms[peak] < 2.5 * floor:
        return None, None
    limit = floor + 0.2 * (rms[peak] - floor)
    low = np.flatnonzero(rms[:peak] < limit)
    high = np.flatnonzero(rms[peak:] < limit)
    if not len(low) or not len(high):
        return None, None
    return start + int(low[-1]), start + peak + int(high[0])
