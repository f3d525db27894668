"""Means and maxima over a sliding window, in one pass whatever its size.

As those of scipy.ndimage, whose import takes longer than measuring an ECG.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import AnyFloats


def moving_mean(values: AnyFloats, size: int) -> AnyFloats:
    """Return the mean over `size` samples about each, (..., n) of the same dtype.

    The window of sample i begins at i - size // 2. Beyond the ends stand the first and last value.
    """
    before, n = size // 2, values.shape[-1]
    # from the middle of the values, so that sums stay small
    level = values.mean(axis=-1, keepdims=True, dtype=np.float64)
    # by hand, because np.pad takes as long as all the rest
    held = np.empty((*values.shape[:-1], n + size))
    inner = held[..., before + 1 : before + 1 + n]
    np.subtract(values, level, out=inner)
    held[..., : before + 1] = inner[..., :1]
    held[..., before + 1 + n :] = inner[..., -1:]
    sums = np.cumsum(held, axis=-1)
    means = (sums[..., size:] - sums[..., :-size]) / size + level
    return np.asarray(means, dtype=values.dtype)


def moving_max(values: AnyFloats, size: int) -> AnyFloats:
    """Return the maximum of each `size` neighbours of (n,), (n - size + 1,).

    Of two runs of maxima, each over blocks of that size, one from either end (van Herk 1992,
    10.1016/0167-8655(92)90069-C).
    """
    n = len(values)
    blocks = np.full((-(-n // size), size), -np.inf)
    blocks.ravel()[:n] = values
    forwards = np.maximum.accumulate(blocks, axis=1).ravel()
    backwards = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    return np.maximum(backwards[: n - size + 1], forwards[size - 1 : n])


def max_about(values: AnyFloats, size: int) -> AnyFloats:
    """Return the maximum of `size` samples about each of (n,), (n,); of fewer at the ends.

    The window of sample i begins at i - size // 2.
    """
    before = size // 2
    return moving_max(np.pad(values, (before, size - 1 - before), mode="edge"), size)
