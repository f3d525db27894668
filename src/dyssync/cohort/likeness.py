"""Fingerprints by which one recording is known again, its samples rounded, scaled or resampled.

Two exports of one ECG differ in steps, rate and format, so that no digest of theirs is the same.
The course of eight leads over the recording is: how the mean of each goes from block to block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Ints
from dyssync.ecg import ECG, LEAD_INDEX

# The others follow from these
FREE_LEADS = tuple(LEAD_INDEX[lead] for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"))
BLOCKS = 64  # of a recording: 0.16 s of ten, so that where the beats lie counts
# Cosine of two fingerprints. Rounding to 5 uV leaves .9997 at least, averaging pairs of samples
# .998; no two of 1538 real recordings of different people reach .90 (docs/reliability.md).
ALIKE = 0.997
TOGETHER = 500  # fingerprints that are compared with as many at a time, to bound memory

Print: TypeAlias = npt.NDArray[np.float16]  # (8 x BLOCKS,): 20,000 of them take 20 MB


def fingerprint(ecg: ECG) -> Print:
    """Return the course of a recording, (8 x BLOCKS,) float16 of length 1; 0 where it is flat."""
    edges = np.linspace(0, ecg.signal.shape[1], BLOCKS + 1).round().astype(np.int64)
    sums = np.add.reduceat(ecg.signal[list(FREE_LEADS)], edges[:-1], axis=1, dtype=np.float64)
    means = sums / np.diff(edges)
    course = (means - means.mean(axis=1, keepdims=True)).ravel()
    length = float(np.linalg.norm(course))
    return np.asarray(course / length if length > 0 else course, dtype=np.float16)


def first_of_others(prints: Print, owners: Ints) -> Iterator[tuple[int, int]]:
    """Yield (later, first) for each fingerprint that an earlier one of another owner is like.

    Args:
        prints: (n, 8 x BLOCKS).
        owners: (n,), a number a patient.
    """
    for start in range(0, len(prints), TOGETHER):
        block = prints[start : start + TOGETHER].astype(np.float32)
        places = np.arange(start, start + len(block))
        found = np.full(len(block), -1)
        for begin in range(0, start + 1, TOGETHER):
            others = prints[begin : begin + TOGETHER].astype(np.float32)
            alike = block @ others.T > ALIKE
            alike &= owners[places, None] != owners[begin : begin + len(others)]
            alike &= places[:, None] > np.arange(begin, begin + len(others))
            new = alike.any(axis=1) & (found < 0)
            found[new] = begin + alike[new].argmax(axis=1)
        for place, first in zip(places[found >= 0], found[found >= 0], strict=True):
            yield int(place), int(first)
