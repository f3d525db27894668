"""A recording of the typical beats that a page shows, for whatever needs twelve whole leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.ecg import ECG, LEADS, Doubt, Shown, Source
from dyssync.errors import FormatError
from dyssync.pages.digitising.digitised import FS, Digitised
from dyssync.pages.rebuilding.beats import (
    Beats,
    beats_in,
    beats_of,
    in_turn,
    reach_of,
    same_beats,
    settled,
    typical_of,
)
from dyssync.pages.rebuilding.laying import clock_to, drawn_over, laid
from dyssync.pages.rebuilding.together import shift_onto
from dyssync.pages.rebuilding.tracks import STRIPS, Track, columns_of, longest_of, tracks_of

SECONDS = 10.0  # of a recording, as most are, and as models ask for
LEAST_BEATS = 3  # on the page, of one shape, as of any recording
LEAST_LEADS = 8  # that show a beat
INTERVALS_S = (0.24, 3.0)  # between beats


@dataclass(frozen=True, eq=False)
class Pace:
    """When the beats of a page come.

    Attributes:
        beats: usual beats of each column, samples on the clock of the paper.
        every: those of any shape, as its own leads show them.
        paced_share: of the usual beats of a column, those that a pacing spike precedes, most.
        tied: columns whose beats are those of one clock: that of the strips, or of one column.
        clock: beats in the recording, from before its first sample to behind its last.
        interval: samples between beats, median.
        n: samples of the recording.
    """

    beats: dict[int, Ints]
    every: dict[int, Ints]
    paced_share: float
    tied: tuple[int, ...]
    clock: Ints
    interval: float
    n: int


def recording_of(read: Digitised, source: Source | None = None) -> ECG:
    """Return a recording in which each lead is as drawn where it was, and repeats its typical beat.

    It is for measurements, and for models that need twelve whole leads. It is no simultaneous
    recording: :attr:`dyssync.ecg.ECG.shown` says which leads were recorded together and whether a
    strip ties them to each other, and measurements leave out what that does not allow.

    Args:
        read: what was read off the page.
        source: of the picture.

    Raises:
        FormatError: too few beats, or leads without any.
    """
    tracks = tracks_of(read)
    columns = columns_of(tracks)
    pace = pace_of(columns)
    shown_beats, seen = _beats_by_lead(columns, longest_of(tracks), pace)
    if len(seen) < LEAST_LEADS:
        raise FormatError(f"page shows a whole beat in {len(seen)} leads; {LEAST_LEADS} needed")
    missing = [lead for lead in LEADS if lead not in seen]
    before = reach_of(pace.interval)[0]
    signal = np.zeros((len(LEADS), pace.n), np.float32)
    for row, lead in zip(signal, LEADS, strict=True):
        if lead in missing:
            continue
        rows, track = shown_beats[lead]
        row[:] = laid(in_turn(rows), before, pace.clock, pace.n)
        if track.column in pace.tied:
            row[:] = drawn_over(row.astype(np.float64), track)
    together = tuple(tuple(track.lead for track in column) for column in columns.values())
    shown = Shown(
        together,
        tied=len(pace.tied) == len(columns),
        beats={lead: seen.get(lead, 0) for lead in LEADS},
        paced_share=pace.paced_share,
        exact=read.exact,
    )
    return ECG(
        signal, FS, source=source or Source(), notes={"page": _told(read)},
        doubts=_doubts(missing), shown=shown,
    )  # fmt: skip


def pace_of(columns: dict[int, tuple[Track, ...]]) -> Pace:
    """Return when the beats of a page come.

    Raises:
        FormatError: fewer than three beats of one shape.
    """
    found = {column: beats_of(tracks) for column, tracks in columns.items()}
    chief = next(iter(columns)) if STRIPS in columns or len(columns) == 1 else None
    if chief is not None and len(found[chief].usual) < LEAST_BEATS:
        chief = None
    if chief is None:
        return _untied(found)
    clock = found[chief]
    interval = _interval(np.diff(clock.at))
    tied = [chief]
    usual = {chief: clock.usual}
    for column, tracks in columns.items():
        start, stop = min(t.start for t in tracks), max(t.stop for t in tracks)
        usual[column] = settled(found[column], interval).usual
        if column != chief and same_beats(found[column], clock, start, stop):
            tied.append(column)
            usual[column] = clock.usual
    seen = columns[chief][0].start, columns[chief][0].stop
    n = max(round(SECONDS * FS), seen[1])
    even = clock_to(clock.at, interval, n, seen)
    return Pace(usual, _every(found), _paced_share(found), tuple(tied), even, interval, n)


def _untied(found: dict[int, Beats]) -> Pace:
    """Return an even pace, for columns that nothing ties to each other."""
    if sum(len(beats.usual) for beats in found.values()) < LEAST_BEATS:
        raise FormatError(f"page shows fewer than {LEAST_BEATS} beats of one shape")
    interval = _interval(np.concatenate([np.diff(beats.at) for beats in found.values()]))
    found = {column: settled(beats, interval) for column, beats in found.items()}
    n = round(SECONDS * FS)
    clock = clock_to(np.array([round(interval / 2)]), interval, n, (0, 0))
    usual = {column: beats.usual for column, beats in found.items()}
    return Pace(usual, _every(found), _paced_share(found), (), clock, interval, n)


def _paced_share(found: dict[int, Beats]) -> float:
    return max(beats.paced_share for beats in found.values())


def _every(found: dict[int, Beats]) -> dict[int, Ints]:
    return {column: beats.at for column, beats in found.items()}


def _interval(gaps: Ints) -> float:
    """Return the median of samples between beats.

    Raises:
        FormatError: it is none between beats of a heart.
    """
    interval = float(np.median(gaps)) if len(gaps) else float("nan")
    if not INTERVALS_S[0] <= interval / FS <= INTERVALS_S[1]:
        raise FormatError("page shows no two beats in one column: its heart rate is not known")
    return interval


def _beats_by_lead(
    columns: dict[int, tuple[Track, ...]], longest: dict[str, Track], pace: Pace
) -> tuple[dict[str, tuple[Floats, Track]], dict[str, int]]:
    """Return the beats of each lead, with its track, and the number of whole ones."""
    reach = reach_of(pace.interval)
    found: dict[str, tuple[Floats, Track]] = {}
    seen: dict[str, int] = {}
    placed: dict[str, Floats] = {}
    for column, tracks in columns.items():
        beats, every = pace.beats[column], pace.every[column]
        shown = {t.lead: beats_in(t, beats, every, reach) for t in tracks}
        if column not in pace.tied and placed:
            own = {lead: typical_of(rows) for lead, (rows, whole) in shown.items() if whole}
            later = shift_onto(own, placed, reach[0], pace.interval) if own else 0
            shown = {t.lead: beats_in(t, beats + later, every, reach) for t in tracks}
        for track in tracks:
            rows, whole = shown[track.lead]
            if not whole:
                continue
            placed[track.lead] = typical_of(rows)
            if longest[track.lead] is track:
                found[track.lead], seen[track.lead] = (rows, track), whole
    return found, seen


def _doubts(missing: list[str]) -> tuple[Doubt, ...]:
    if not missing:
        return ()
    text = f"page shows no whole beat of {', '.join(missing)}: what is made of them is missing"
    return (Doubt("page", tuple(missing), text, "withhold"),)


def _told(read: Digitised) -> str:
    parts = [part for part in read.parts if not part.rhythm]
    seconds = max(len(part.millivolts) for part in parts) / read.fs
    return (
        f"read off a page ({read.layout}, {read.scale.speed_mm_s:g} mm/s, "
        f"{read.scale.gain_mm_mv:g} mm/mV), {seconds:.1f} s a lead; beyond that each lead repeats "
        "its typical beat"
    )
