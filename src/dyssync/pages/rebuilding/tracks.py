"""What each lead of a page shows, on the clock of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.pages.digitising.digitised import Digitised, Part

STRIPS = -1  # instead of the number of a column


@dataclass(frozen=True, eq=False)
class Track:
    """One lead as drawn.

    Attributes:
        lead: standard name.
        column: from the left, 0 first; -1 for a strip.
        start: sample at which it begins, from the left end of the first column.
        values: (n,) mV; NaN where nothing was read. What was bridged was not read.
    """

    lead: str
    column: int
    start: int
    values: Floats

    @property
    def stop(self) -> int:
        """Sample after its last one."""
        return self.start + len(self.values)


def tracks_of(read: Digitised) -> tuple[Track, ...]:
    """Return all parts of a page as tracks."""
    return tuple(_track(part, read.fs) for part in read.parts)


def _track(part: Part, fs: float) -> Track:
    values = np.where(part.confidence > 0, part.millivolts, np.nan).astype(np.float64)
    return Track(
        part.lead, STRIPS if part.rhythm else part.column, round(part.start_s * fs), values
    )


def longest_of(tracks: Sequence[Track]) -> dict[str, Track]:
    """Return the track of each lead that shows the most of it, by lead."""
    found: dict[str, Track] = {}
    for track in tracks:
        known = int(np.isfinite(track.values).sum())
        if track.lead not in found or known > np.isfinite(found[track.lead].values).sum():
            found[track.lead] = track
    return found


def columns_of(tracks: Sequence[Track]) -> dict[int, tuple[Track, ...]]:
    """Return the tracks that were recorded together, by column; strips are column -1."""
    numbers = sorted({track.column for track in tracks})
    return {c: tuple(track for track in tracks if track.column == c) for c in numbers}


def stacked(tracks: Sequence[Track]) -> tuple[Floats, int]:
    """Return tracks of one column as (k, n) mV without gaps, and where they begin.

    Gaps are bridged by lines, for beats to be looked for; nothing is measured on these.
    """
    start = min(track.start for track in tracks)
    stop = max(track.stop for track in tracks)
    rows = np.full((len(tracks), stop - start), np.nan)
    for row, track in zip(rows, tracks, strict=True):
        row[track.start - start : track.stop - start] = track.values
    return np.stack([filled(row) for row in rows]), start


def filled(row: Floats) -> Floats:
    """Return (n,) values with gaps bridged by lines and ends held; 0 where nothing is known."""
    known = np.flatnonzero(np.isfinite(row))
    if not len(known):
        return np.zeros(len(row))
    found: Floats = np.interp(np.arange(len(row)), known, row[known])
    return found
