"""Find where a wave begins or ends on its speed curve.

The corner method: run the cumulative speed from quiet to steep and take the point farthest below
the chord. It needs no threshold, so a slow start, a preceding P wave and noise move it little.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dyssync.arrays import AnyFloats, Bools, Ints
from dyssync.signals.sliding import moving_mean


def lead_speed(signal: AnyFloats, size: int) -> AnyFloats:
    """Return |slope| of each row, mV a sample, averaged over `size` samples; (leads, m)."""
    slope = np.abs(np.gradient(signal, axis=-1))
    return moving_mean(slope, size)


def spatial_speed(signal: AnyFloats, size: int) -> AnyFloats:
    """Return how fast all rows together move, mV a sample, averaged over `size` samples; (m,)."""
    return moving_mean(np.sqrt(np.square(np.gradient(signal, axis=-1)).sum(axis=0)), size)


def corner(quiet_to_steep: AnyFloats) -> Ints:
    """Return the index of the corner in each row of speeds, (...) int64.

    Args:
        quiet_to_steep: (..., w), the steep part of the wave last.

    >>> int(corner(np.array([0.0, 0, 0, 0, 0, 1, 1, 1])))
    4
    """
    length = np.cumsum(quiet_to_steep, axis=-1, dtype=np.float64)
    share = np.linspace(0.0, 1.0, length.shape[-1])
    chord = length[..., :1] + (length[..., -1:] - length[..., :1]) * share
    return np.asarray(np.argmax(chord - length, axis=-1), dtype=np.int64)


def corner_before(speed: AnyFloats, steep: npt.ArrayLike, width: int) -> Ints:
    """Return the corner within `width` samples before `steep`.

    Args:
        speed: (..., m).
        steep: (...) sample in the steep part, one for each row.
        width: samples; beyond the ends the speed is that of the end.
    """
    start = np.asarray(steep, dtype=np.int64) - width
    steps = np.clip(start[..., None] + np.arange(width + 1), 0, speed.shape[-1] - 1)
    found = start + corner(np.take_along_axis(speed, steps, axis=-1))
    return np.asarray(np.clip(found, 0, speed.shape[-1] - 1), dtype=np.int64)


def corner_after(speed: AnyFloats, steep: npt.ArrayLike, width: int) -> Ints:
    """Return the corner within `width` samples after `steep`; see :func:`corner_before`."""
    last = speed.shape[-1] - 1
    mirrored = last - np.asarray(steep, dtype=np.int64)
    return np.asarray(last - corner_before(speed[..., ::-1], mirrored, width), dtype=np.int64)


def first_true(mask: Bools) -> Ints:
    """Return the first True of each row; the row's length where there is none."""
    return np.asarray(
        np.where(mask.any(axis=-1), mask.argmax(axis=-1), mask.shape[-1]), dtype=np.int64
    )
