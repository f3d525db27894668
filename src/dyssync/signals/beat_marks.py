"""Which waves one kind of beat has, and where: QRS first, then T and P, then whether P repeats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from dyssync.arrays import AnyFloats, Singles
from dyssync.signals.bounds import FS, Bounds, p_bounds, qrs_bounds
from dyssync.signals.filtering import bandpass
from dyssync.signals.kinds import middle_beat
from dyssync.signals.rest import Rest, rest_before_p, t_fallen
from dyssync.signals.t_wave import t_bounds

# mark name to its sample in all leads together, and in each lead: (leads,)
Found: TypeAlias = dict[str, tuple[float, AnyFloats]]

# Correlation of the P segment of a beat with that of the others, lower quartile over the beats: 0.6
# and more in sinus rhythm, 0.1 in atrial fibrillation.
P_REPEATS = 0.35
# A lead has marks of P where its P is higher than half the least that a program should see (20 uV:
# AHA/ACCF/HRS 2007, part I) and than half the typical distance of single beats from the average.
LEAST_P_MV, LEAST_P_NOISE = 0.01, 0.5
# Where a P lower than this in its highest lead begins is a guess: in LUDB the PR of such P was more
# than 12 ms off the cardiologists' in 3 of 9 records, that of higher ones in 4 of 135.
LOW_P_MV = 0.06
# What is higher than this at a fast rate holds a piece of T, or is one, so that neither PR nor QT
# is known (of 655 real recordings five have a higher P: three are so, two have more than twice
# their gain; the 99th percentile is 0.29).
HIGH_P_MV, FAST_S = 0.4, 0.6
# Without a P that can be told from T, what ends less than this before the next QRS may be a P:
# PR is 0.2 s and less at rates where this can happen, P 0.06 s and more.
ROOM_FOR_P = 75  # samples, 0.15 s
# What lasts longer and begins before T ends is no P but the last of T: so in the three of 1,138
# real recordings that it changes, one of them in atrial fibrillation.
LONGEST_P = 75  # samples, 0.15 s
# samples: after a rest so long P disturbs the search for T no more; T ends in it or fades into it
LONG_REST, REST_NEAR = 30, 15
# samples: out of a rest shorter than this P is found late; one that starts up to so many later has
# left it; it has begun by so many before, as far as a P of 100 ms has risen to what is still near
SHORT_REST, NEXT_TO_P, FOOT = 23, 12, 2
# Where P follows sooner, its foot can pass for the last of T, and T may seem to end too early when
# P is looked at and too late when it is not: by more than 25 ms where both differ by so much.
T_APART = 15  # samples
# Chosen, of the height of T: what is higher where T seems to end is its top; drift leaves less.
TOP_OF_T = 0.7
# samples: a T that still falls after its corner ends where its height says; what goes on for longer
# is a U wave or drift
FALLS_ON = 12
GUARD = 6  # samples before the next QRS that are not looked at: beats are not quite evenly spaced


@dataclass(frozen=True)
class Pace:
    """How soon the next beat follows those of one kind, s.

    Attributes:
        rr: typical.
        soonest: after which one of four has come.
        regular: whether a P wave could come at the same time after each of them.
    """

    rr: float
    soonest: float
    regular: bool

    @property
    def following(self) -> float:
        """When the average of the beats shows the next QRS, s: a few early ones leave no trace."""
        return self.rr if self.regular else self.soonest


@dataclass(frozen=True)
class Waves:
    """Marks of one kind of beat relative to its fiducial point.

    Attributes:
        found: marks by name; a wave that is not there, or not known, is left out.
        merged: T and the next P cannot be told apart; neither is in `found`.
        close: P follows T so closely that its onset is a guess.
        low: P is so low that its onset is a guess.
        blurred: P follows T so closely, or is so high, that the end of T is a guess.
    """

    found: Found
    merged: bool = False
    close: bool = False
    low: bool = False
    blurred: bool = False


def waves_of(cut: Singles, r: int, pace: Pace) -> Waves:
    """Return the marks of beats of one kind, relative to sample `r`.

    Args:
        cut: (k, leads, m) mV at 500 Hz, beats laid on each other.
        r: sample of their fiducial point.
        pace: when the next beat follows.
    """
    template = middle_beat(cut)
    waves = _bounds(template, r, pace)
    found = dict(waves.found)
    close, blurred, low = waves.close, waves.blurred, False
    if "p_on" in found:
        on, off = found["p_on"][0], found["p_off"][0]
        if _p_repeats(cut, on, off):
            height = _p_heights(template, on, off)
            low = bool(height.max() < LOW_P_MV)
            if pace.rr < FAST_S and height.max() > HIGH_P_MV:
                close = blurred = True
            shown = height > np.maximum(
                LEAST_P_MV, LEAST_P_NOISE * _p_noise(cut, template, on, off)
            )
            for name in ("p_on", "p_off"):
                found[name] = (found[name][0], np.where(shown, found[name][1], np.nan))
        else:
            del found["p_on"], found["p_off"]
            blurred = blurred and not close  # no P stands on T
    moved = {name: (mark - r, lead - r) for name, (mark, lead) in found.items()}
    close = close and "p_on" in moved
    return replace(waves, found=moved, close=close, low=low, blurred=blurred)


def _bounds(template: Singles, r: int, pace: Pace) -> Waves:
    qrs = qrs_bounds(template, r, pace.rr)
    found: Found = {"qrs_on": (qrs.on, qrs.lead_on), "qrs_off": (qrs.off, qrs.lead_off)}
    next_on = qrs.on + pace.following * FS
    close = blurred = False
    if next_on + GUARD >= template.shape[1]:
        t, p = _apart(template, r, qrs, pace.rr)
    else:
        rest = rest_before_p(template, qrs.off, next_on) if pace.regular else None
        if rest is not None:
            t, blurred = _t_before(rest, template, r, qrs, pace.rr)
            if t is None:  # the rest was before T
                return Waves(found, merged=True)
            p = p_bounds(template, qrs.on, pace.rr, rest.first - pace.rr * FS, rested=rest.full)
            if p is not None and t.off >= rest.first - REST_NEAR:
                p = _out_of_rest(rest, p, pace.rr)
            # a U wave leaves no long rest, but room
            apart = p is not None and p.on + pace.rr * FS - t.off >= LONG_REST
            close = not rest.full and not apart
        else:
            calm = _held(template, 0, int(next_on) - GUARD)
            t, p = _apart(calm, r, qrs, pace.rr)
            may_hold_p = t is None or next_on - t.off < ROOM_FOR_P or _at_top(calm, qrs, t)
            if pace.regular and may_hold_p:
                return Waves(found, merged=True)
            t_off = -np.inf if t is None else t.off - pace.rr * FS  # of the beat before
            if p is not None and p.on < t_off and p.off - p.on > LONGEST_P:
                p = None
            # a P on T: what looks like the end of T is where both waves turn round
            close = p is not None and p.on < t_off + LONG_REST
            blurred = close
    if t is not None:
        found["t_peak"] = (t.peak, np.full(len(template), float(t.peak)))
        found["t_off"] = (t.off, t.lead_off)
    if p is not None:
        found["p_on"], found["p_off"] = (p.on, p.lead_on), (p.off, p.lead_off)
    return Waves(found, close=close, blurred=blurred)


def _apart(beat: Singles, r: int, qrs: Bounds, rr: float) -> tuple[Bounds | None, Bounds | None]:
    """T and P of a beat with room between them."""
    t = t_bounds(beat, r, qrs.off, rr)
    # A P wave lies after the T wave of the beat before, and after its QRS at least.
    earliest = (qrs.off if t is None else t.off) - rr * FS
    return t, p_bounds(beat, qrs.on, rr, earliest)


def _at_top(beat: Singles, qrs: Bounds, t: Bounds) -> bool:
    """Whether the heart is as far from where it is before the next QRS as it is in T.

    Where P goes on from T, what seems to be the end of T is its top.
    """
    smooth = bandpass(beat, FS, None, 15.0)
    away = np.sqrt(np.square(smooth - smooth[:, -1:]).mean(axis=0))
    return bool(away[int(t.off)] > TOP_OF_T * away[int(qrs.off) + GUARD : int(t.off) + 1].max())


def _t_before(
    rest: Rest, beat: Singles, r: int, qrs: Bounds, rr: float
) -> tuple[Bounds | None, bool]:
    """T of a beat that rests before the next P, and whether its end is a guess."""
    t, blurred = _t_seen(rest, beat, r, qrs, rr)
    if t is None:
        return None, False
    fallen = t_fallen(rest, beat, t.peak)
    return (replace(t, off=fallen) if t.off < fallen <= t.off + FALLS_ON else t), blurred


def _t_seen(
    rest: Rest, beat: Singles, r: int, qrs: Bounds, rr: float
) -> tuple[Bounds | None, bool]:
    """T as its corner shows it, and whether its end is a guess."""
    seen = t_bounds(beat, r, qrs.off, rr)
    fits = seen is not None and rest.first - REST_NEAR <= seen.off <= rest.last
    if fits and rest.last - rest.first >= LONG_REST:
        return seen, False
    alone = t_bounds(_held(beat, int(qrs.off) + GUARD, rest.last), r, qrs.off, rr)
    if not fits or seen is None:
        return alone, False
    return seen, alone is None or abs(alone.off - seen.off) > T_APART


def _out_of_rest(rest: Rest, p: Bounds, rr: float) -> Bounds:
    """Return P, begun before it has left a short rest.

    Where T has hardly come to rest before, there is no quiet that the corner of P could be told
    from: it seems to begin late.
    """
    if rest.last - rest.first >= SHORT_REST:
        return p
    left = rest.last - rr * FS
    on = min(p.on, left - FOOT) if p.on < left + NEXT_TO_P else p.on
    return replace(p, on=on)


def _held(beat: Singles, first: int, last: int) -> Singles:
    """Return the beat with nothing but its level before and after two samples."""
    held = beat.copy()
    held[:, :first] = beat[:, [first]]
    held[:, last:] = beat[:, [last]]
    return held


def _p_repeats(cut: Singles, on: float, off: float) -> bool:
    """Whether each beat has the P wave of the others (atrial fibrillation has not)."""
    if len(cut) < 3:
        return False
    part = cut[:, :, max(0, int(on) - 15) : int(off) + 10].astype(np.float64)
    part = bandpass(part, FS, None, 25.0).astype(np.float64)
    ramp = np.linspace(0.0, 1.0, part.shape[2])
    part -= part[:, :, :1] * (1 - ramp) + part[:, :, -1:] * ramp
    others = (part.sum(axis=0) - part) / (len(part) - 1)
    match = (part * others).sum(axis=(1, 2))
    size = np.sqrt(np.square(part).sum(axis=(1, 2)) * np.square(others).sum(axis=(1, 2)))
    return float(np.percentile(match / np.maximum(size, 1e-12), 25)) > P_REPEATS


def _p_heights(template: Singles, on: float, off: float) -> AnyFloats:
    """How far P leaves the line between its ends in each lead, (leads,) mV."""
    wave = bandpass(template[:, _around_p(on, off)], FS, None, 25.0).astype(np.float64)
    line = np.linspace(wave[:, :4].mean(axis=1), wave[:, -4:].mean(axis=1), wave.shape[1], axis=1)
    return np.asarray(np.abs(wave - line).max(axis=1))


def _p_noise(cut: Singles, template: Singles, on: float, off: float) -> AnyFloats:
    """Typical distance of single beats from the average about P in each lead, (leads,) mV."""
    part = _around_p(on, off)
    return np.asarray(np.abs(cut[:, :, part] - template[:, part]).mean(axis=(0, 2)))


def _around_p(on: float, off: float) -> slice:
    return slice(max(0, int(on) - 8), int(off) + 8)
