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
    stays = np.ones(len(peaks), dtype=np.bool_)
    if distance > 1:
        stays = _spaced(peaks, values[peaks], distance)
    if prominence > 0 and len(peaks):
        stays &= _prominences(values, peaks) >= prominence
    return np.asarray(peaks[stays], dtype=np.int64)


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


def _prominences(values: AnyFloats, tops: Ints) -> AnyFloats:
    """Return the prominence of all local tops of a row, (k,)."""
    parts = np.minimum.reduceat(values, np.concatenate(([0], tops)))
    lowest, heights = parts.tolist(), values[tops].tolist()
    left = _valleys(heights, lowest)
    right = _valleys(heights[::-1], lowest[::-1])[::-1]
    return np.asarray(values[tops] - np.array([*map(max, left, right)], dtype=values.dtype))


def _valleys(heights: list[float], lowest: list[float]) -> list[float]:
    """Return of each top the lowest value on the way back to what is higher, or to the beginning.

    Args:
        heights: (k,) of the tops.
        lowest: (k + 1,) values before the first top, between two, after the last.
    """
    found: list[float] = []
    higher: list[int] = []  # tops that a later one may lie behind, each higher than the next
    for k, height in enumerate(heights):
        valley = lowest[k]
        while higher and heights[higher[-1]] <= height:
            valley = min(valley, found[higher.pop()])
        found.append(valley)
        higher.append(k)
    return found
