"""A lead as long as a recording: what was drawn, and its typical beat where nothing was."""

from __future__ import annotations

import itertools

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.pages.digitising.digitised import FS
from dyssync.pages.rebuilding.tracks import Track, filled

JOIN_S = 0.06  # over which a beat that the next one cuts short is led to its beginning
RETURN_S = 0.3  # in which the zero line goes from what was drawn to that of the typical beat
END_S = 0.1  # of a track that say where its zero line ends


def clock_to(beats: Ints, interval: float, n: int, seen: tuple[int, int]) -> Ints:
    """Return beats from before the first sample to behind the last, (k,).

    Where nothing was seen they go on evenly.

    Args:
        beats: (k,) samples, at least one.
        interval: samples between beats.
        n: samples of the recording.
        seen: first sample, and the one behind the last, in which all beats are known.
    """
    found = [float(beat) for beat in beats]
    while found[-1] < n + interval:
        following = found[-1] + interval
        # no beat where the strip shows none: the next comes behind its end
        found.append(max(following, float(seen[1])) if found[-1] < seen[1] else following)
    while found[0] > 0:
        before = found[0] - interval
        found.insert(0, min(before, float(seen[0]) - 1) if found[0] >= seen[0] else before)
    return np.round(found).astype(np.int64)


def laid(beats: Floats, before: int, clock: Ints, n: int) -> Floats:
    """Return beats one after the other, in turn, at the times of the clock, (n,) mV.

    Args:
        beats: (k, m) mV, without gaps.
        before: their samples before the fiducial point.
        clock: fiducial samples, from before the first sample to behind the last.
        n: how many samples.
    """
    out = np.zeros(n)
    begins = clock - before
    for turn, (this, following) in enumerate(itertools.pairwise(begins)):
        first, last = max(int(this), 0), min(int(following), n)
        if last > first:
            beat, after = beats[turn % len(beats)], beats[(turn + 1) % len(beats)]
            spanned = _spanned(beat, int(following - this), after[0])
            out[first:last] = spanned[first - this : last - this]
    return out


def _spanned(beat: Floats, length: int, end: float) -> Floats:
    """Return a beat that lasts `length` samples and goes over into `end`, where the next begins."""
    if length > len(beat):
        rest = np.linspace(beat[-1], end, length - len(beat) + 2)[1:-1]
        return np.concatenate([beat, rest])
    cut = beat[:length].copy()
    ramp = min(round(JOIN_S * FS), length // 4)
    if ramp:
        cut[-ramp:] += np.linspace(0, end - cut[-1], ramp)
    return cut


def drawn_over(typical: Floats, track: Track) -> Floats:
    """Return the lead as drawn where it is, and `typical` elsewhere, without steps between.

    Args:
        typical: (n,) mV.
        track: of the lead.
    """
    n = len(typical)
    drawn = np.full(n, np.nan)
    first, last = max(track.start, 0), min(track.stop, n)
    drawn[first:last] = track.values[first - track.start : last - track.start]
    known = np.flatnonzero(np.isfinite(drawn))
    if not len(known):
        return typical
    apart = drawn - typical
    level = filled(apart)
    width, end = round(RETURN_S * FS), round(END_S * FS)
    left, right = known[0], known[-1]
    level[:left] = np.median(apart[known[:end]]) * np.exp(-np.arange(left, 0, -1) / width)
    level[right + 1 :] = np.median(apart[known[-end:]]) * np.exp(-np.arange(1, n - right) / width)
    return typical + level
