"""What the QRS of one lead looks like, as criteria of conduction ask for it.

Each answer is not known where its lead is lost.
"""

from __future__ import annotations

from dyssync.ecg import LEAD_INDEX
from dyssync.measurements.activation import r_peak_ms
from dyssync.measurements.answers import Answer, all_of
from dyssync.measurements.axes import AXIS_LEADS, frontal_axis_deg
from dyssync.measurements.heartbeat import Heartbeat

SMALL_R_MV = 0.3  # rS in V1: r no taller than this and shorter than S (usual r of LBBB 0.1-0.3)
# rS in V2, where r grows with the size of the whole QRS: r is shorter than a third of S (chosen)
SMALL_R_SHARE = 1.0 / 3.0
# An initial negative wave is a q from 0.1 mV on (Minnesota code: Blackburn 1960, Circulation
# 21:1160); the slope of a PR segment can make half of that.
LEAST_Q_MV = 0.1
# A broad R of a lateral lead lasts so long (chosen): that of a normal heart ends by 60 ms, and LVH,
# which widens the QRS at the cost of S, lengthens it little.
BROAD_R_MS = 70.0


def has_axis(beat: Heartbeat, low: float, high: float) -> Answer:
    """Return whether the frontal axis lies from `low` to `high`, degrees."""
    axis = frontal_axis_deg(beat.qrs.max(axis=1) + beat.qrs.min(axis=1))
    return all_of([beat.shows(lead, low <= axis <= high) for lead in AXIS_LEADS])


def is_qs_or_rs(beat: Heartbeat, lead: str) -> Answer:
    """Return whether the QRS is QS, or rS: a small R, then an S that is deeper."""
    waves = beat.waves[LEAD_INDEX[lead]]
    if waves and waves[0].name == "QS":
        return beat.shows(lead, True)
    names = [wave.name for wave in waves]
    r, s = beat.height(lead), beat.depth(lead)
    small = r < s and (r <= SMALL_R_MV or (lead != "V1" and r < SMALL_R_SHARE * s))
    return beat.shows(lead, names[:2] == ["R", "S"] and small and "R'" not in names)


def starts_with_q(beat: Heartbeat, lead: str) -> Answer:
    """Return whether the QRS starts with a q that counts as one."""
    q = beat.waves_in(lead).get("Q")
    return beat.shows(lead, q is not None and -q.amplitude >= LEAST_Q_MV)


def has_broad_r(beat: Heartbeat, lead: str) -> Answer:
    """Return whether an R rules the lead, and lasts."""
    positive = [w for w in beat.waves[LEAD_INDEX[lead]] if w.amplitude > 0]
    longest = max((beat.ms(wave.end - wave.start) for wave in positive), default=0.0)
    rules = beat.height(lead) > beat.depth(lead)
    return beat.shows(lead, rules and longest >= BROAD_R_MS)


def has_terminal_r(beat: Heartbeat, lead: str) -> Answer:
    """Return whether the QRS ends in an R' or in a late R."""
    waves = beat.waves[LEAD_INDEX[lead]]
    if any(wave.name == "R'" for wave in waves):
        return beat.shows(lead, True)
    late = r_peak_ms(beat, lead) > 50.0  # Surawicz 2009: R peak later than 50 ms in V1
    last = bool(waves) and waves[-1].amplitude > 0
    return beat.shows(lead, last and late and beat.height(lead) > beat.depth(lead))


def has_wide_s(beat: Heartbeat, lead: str) -> Answer:
    """Return whether the S lasts more than 40 ms or longer than the R (Surawicz 2009)."""
    waves = beat.waves_in(lead)
    s, r = waves.get("S"), waves.get("R")
    if s is None:
        return beat.shows(lead, False)
    s_ms = beat.ms(s.end - s.start)
    return beat.shows(lead, s_ms > 40.0 or (r is not None and s_ms > beat.ms(r.end - r.start)))
