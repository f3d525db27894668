"""Peaks of one row of numbers, as `scipy.signal.find_peaks` finds them.

Ours, because importing scipy.signal takes longer than a whole prediction.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import AnyFloats, Bools, Ints


def find_peaks(values: AnyFloats, *, distance: int = 1, prominence: float = 0.0) -> Ints:
    """Return where peaks stand, ascending; of a flat top its middle, never the first or last value.

    Args:
        values: (n,) finite.
        distance: least number of samples from one peak to the next; the lower one goes.
        prominence: least height of a peak over the higher of the two valleys that part it from
            what is higher than itself, or from the ends.
    """
    change = np.diff(values)
    moving = np.flatnonzero(change)
    rising = change[moving] > 0
    tops = np.flatnonzero(rising[:-1] & ~rising[1:])
    peaks = (moving[tops] + 1 + moving[tops + 1]) // 2
    if distance > 1:
        peaks = peaks[_spaced(peaks, values[peaks], distance)]
    if prominence > 0:
        peaks = peaks[[_prominence(values, int(peak)) >= prominence for peak in peaks]]
    return np.asarray(peaks, dtype=np.int64)


def _spaced(peaks: Ints, heights: AnyFloats, distance: int) -> Bools:
    """Return which peaks stay where the highest comes first."""
    stays = np.ones(len(peaks), dtype=np.bool_)
    first = np.searchsorted(peaks, peaks - distance, side="right")
    last = np.searchsorted(peaks, peaks + distance, side="left")
    for k in np.argsort(heights)[::-1].tolist():
        if stays[k]:
            stays[first[k] : last[k]] = False
            stays[k] = True
    return stays


def _prominence(values: AnyFloats, peak: int) -> float:
    height = values[peak]
    left, right = values[:peak][::-1], values[peak + 1 :]
    return float(height - max(_valley(left, height), _valley(right, height)))


def _valley(side: AnyFloats, height: float) -> float:
    """Return the lowest value on the way to what is higher."""
    higher = np.flatnonzero(side > height)
    return float(min(side[: higher[0] if len(higher) else len(side)].min(initial=height), height))
