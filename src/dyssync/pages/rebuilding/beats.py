"""When the beats of a page come, and what the typical one of each lead is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Bools, Floats, Ints
from dyssync.pages.digitising.digitised import FS
from dyssync.pages.rebuilding.tracks import Track, filled, stacked
from dyssync.signals.delineation import prepare
from dyssync.signals.kinds import beat_kinds

# Of an interval between beats, what lies before the beat: P and PR, and at most so many seconds.
BEFORE_SHARE, BEFORE_S = 0.42, 0.36
CORE_S = 0.06  # to both sides of the fiducial point: what must be seen of a beat for it to count
EARLY = 0.85  # of the usual interval, from which a beat is not premature (chosen)
LEAST_SPIKES = 2  # one may be an artefact
APART_S = 0.2  # between beats: 300 a minute
MOST_OF_BEAT = 0.6  # share that must be seen of a beat for it to be laid down by itself (chosen)
# A column shows the beats of the strip where it places most of them alike, but for one and the same
# time by which its leads have their largest deflection earlier or later (chosen).
SAME_BEAT_S, SAME_SHARE, DEFLECTION_S = 0.04, 0.66, 0.08
EDGE_S = 0.1  # of a column in which beats may be seen by half


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats on the clock of the paper.

    Attributes:
        at: (k,) samples of the fiducial points.
        kinds: (k,) 0 for the most frequent shape.
        paced: (k,) a pacing spike precedes the beat.
    """

    at: Ints
    kinds: Ints
    paced: Bools

    @property
    def usual(self) -> Ints:
        """Those of the most frequent shape."""
        found: Ints = self.at[self.kinds == 0]
        return found

    @property
    def paced_share(self) -> float:
        """Share of the usual ones that a spike precedes; 0 where only one beat has one."""
        paced = self.paced[self.kinds == 0]
        return float(paced.mean()) if paced.sum() >= LEAST_SPIKES else 0.0


def beats_of(tracks: Sequence[Track]) -> Beats:
    """Return the beats that leads of one time show; none where there are none."""
    signal, start = stacked(tracks)
    values = signal.astype(np.float32)
    nothing = Beats(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    if values.shape[1] < FS or not np.ptp(values):
        return nothing
    steady, beats, spikes = prepare(values, FS)
    if not len(beats):
        return nothing
    paced = spikes.before >= 0
    return Beats(beats + start, beat_kinds(steady, beats, FS, paced), paced)


def settled(beats: Beats, interval: float) -> Beats:
    """Return the beats of a short column, premature ones not taken for the usual ones.

    In 2.5 s an extrasystole can be as frequent as the beats about it.

    Args:
        beats: of one column.
        interval: samples between beats of the whole page, median.
    """
    counts = np.bincount(beats.kinds) if len(beats.kinds) else np.zeros(1)
    alike = np.flatnonzero(counts == counts.max())
    if len(alike) < 2:
        return beats
    gaps = np.diff(beats.at)
    early = np.concatenate([[0.5], gaps < EARLY * interval])  # of the first it is not known
    usual = min(alike.tolist(), key=lambda kind: float(early[beats.kinds == kind].mean()))
    kinds = np.where(beats.kinds == usual, 0, np.where(beats.kinds == 0, usual, beats.kinds))
    return Beats(beats.at, kinds, beats.paced)


def same_beats(column: Beats, clock: Beats, start: int, stop: int) -> bool:
    """Return whether a column shows the beats that the clock has from sample `start` to `stop`.

    Beats at the ends, half of them cut off, are passed over.
    """
    edge = round(EDGE_S * FS)
    a, b = (x.at[(x.at >= start + edge) & (x.at < stop - edge)] for x in (column, clock))
    if not len(a) or not len(b):
        return False
    apart = a[:, None] - b
    nearest = apart[np.arange(len(a)), np.abs(apart).argmin(axis=1)]
    middle = float(np.median(nearest))  # each lead may have its largest deflection elsewhere
    found = np.abs(apart - middle) <= SAME_BEAT_S * FS
    alike = min(found.any(axis=1).mean(), found.any(axis=0).mean())
    return bool(alike >= SAME_SHARE and abs(middle) <= DEFLECTION_S * FS)


def reach_of(interval: float) -> tuple[int, int]:
    """Return the samples before and after the fiducial point that make up a beat."""
    before = round(min(BEFORE_SHARE * interval, BEFORE_S * FS))
    return before, round(interval) - before


def beats_in(track: Track, beats: Ints, every: Ints, reach: tuple[int, int]) -> tuple[Floats, int]:
    """Return the beats that a lead shows, (k, m) mV, NaN where nothing shows them; and how many.

    Beats at the ends of a track give what they show; counted are those that show their QRS. Each
    is moved up or down to lie on the others, so that a wandering zero line makes no steps.

    Args:
        track: of the lead.
        beats: fiducial points of beats of one shape, samples.
        every: those of beats of any shape: where the next one begins, a beat is over.
        reach: samples before and after.
    """
    before, after = reach
    padded = np.pad(track.values, before + after, constant_values=np.nan)
    at = beats - track.start + before + after
    at = at[(at >= before) & (at + after <= len(padded))]
    rows = np.array([padded[x - before : x + after] for x in at]).reshape(-1, before + after)
    others = every - track.start + before + after
    for row, x in zip(rows, at, strict=True):
        later = others[others > x + round(APART_S * FS)]
        if len(later):  # the row begins `before` samples before its own fiducial point
            row[int(later.min()) - x + before - round(CORE_S * FS) :] = np.nan
    rows = rows[np.isfinite(rows).any(axis=1)]
    first, last = max(before - round(CORE_S * FS), 0), before + round(CORE_S * FS)
    whole = int(np.isfinite(rows[:, first:last]).all(axis=1).sum())
    if not whole:
        return rows[:0], 0
    fullest = rows[int(np.argmax(np.isfinite(rows).sum(axis=1)))]
    levels = [_median(row - fullest) for row in rows]
    level: Floats = rows - np.nan_to_num(levels)[:, None]
    return level, whole


def typical_of(rows: Floats) -> Floats:
    """Return the median of beats, (m,) mV; NaN where none shows anything."""
    beat = np.full(rows.shape[1], np.nan)
    seen = np.isfinite(rows).any(axis=0)
    beat[seen] = np.nanmedian(rows[:, seen], axis=0)
    return beat


def in_turn(rows: Floats) -> Floats:
    """Return beats without gaps, to be laid down in turn, (k, m) mV.

    What a beat does not show is that of the typical one. Beats that show nothing but an end are
    left out, and where only one is left the typical beat is all there is.
    """
    typical = filled(typical_of(rows))
    known = np.isfinite(rows)
    own = known.mean(axis=1) >= MOST_OF_BEAT
    if own.sum() < 2:
        return typical[None]
    found: Floats = np.where(known, rows, typical)[own]
    return found


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
