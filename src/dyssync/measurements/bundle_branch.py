"""Conduction patterns by published criteria (f03, f04): LBBB, RBBB, IVCD, fascicular blocks."""

from __future__ import annotations

from dyssync.ecg import LEAD_INDEX
from dyssync.measurements.activation import (
    LATERAL_LEADS,
    STRAUSS_LEADS,
    has_mid_notch,
    r_peak_ms,
)
from dyssync.measurements.answers import Answer, all_of, any_of, at_least_so_many, not_known
from dyssync.measurements.axes import AXIS_LEADS, frontal_axis_deg
from dyssync.measurements.definitions import Definition
from dyssync.measurements.heartbeat import Heartbeat
from dyssync.measurements.paced import beat_is_paced

AHA = "Surawicz 2009 (AHA/ACCF/HRS III), 10.1016/j.jacc.2008.12.013"
ESC = "Brignole 2013 / Glikson 2021 (ESC), criteria as commonly restated"
STRAUSS = "Strauss 2011, Am J Cardiol 107:927"
BLOCK_MS = 120.0
STRAUSS_MS = {"M": 140.0, "F": 130.0}
STRAUSS_NOTCHED = 2  # leads of V1, V2, V5, V6, I, aVL with a mid-QRS notch or slur
LATE_R_PEAK_MS = 60.0
SMALL_R_MV = 0.3  # rS in V1: r no taller than this and shorter than S (usual r of LBBB 0.1-0.3)
# rS in V2, where r grows with the size of the whole QRS: r is shorter than a third of S (chosen)
SMALL_R_SHARE = 1.0 / 3.0
# An initial negative wave is a q from 0.1 mV on (Minnesota code: Blackburn 1960, Circulation
# 21:1160); the slope of a PR segment can make half of that.
LEAST_Q_MV = 0.1
# A broad R of a lateral lead lasts so long (chosen): that of a normal heart ends by 60 ms, and LVH,
# which widens the QRS at the cost of S, lengthens it little.
BROAD_R_MS = 70.0

DEFINITIONS = (
    Definition(
        "f03",
        "lbbb_esc",
        "0/1",
        "QRS >= 120; QS/rS V1; broad R (70 ms) in I and V5 or V6; no q (0.1 mV) in I V5 V6",
        ESC,
        ("V1", "V5", "V6", "I"),
    ),
    Definition(
        "f03",
        "lbbb_aha",
        "0/1",
        "ESC and notched R and R peak V5/V6 > 60 ms",
        AHA,
        ("V1", *LATERAL_LEADS),
    ),
    Definition(
        "f04",
        "lbbb_strauss",
        "0/1",
        "QS/rS V1 V2; QRS >= 140 (women 130); mid notch or slur in >= 2 of V1 V2 V5 V6 I aVL",
        STRAUSS,
        STRAUSS_LEADS,
    ),
    Definition(
        "f03",
        "rbbb",
        "0/1",
        "QRS >= 120; R' or late R in V1 or V2; wide S in I or V6",
        AHA,
        ("I", "V1", "V2", "V6"),
    ),
    Definition(
        "f03",
        "ivcd",
        "0/1",
        "QRS >= 120, neither LBBB (ESC) nor RBBB",
        AHA,
        ("I", "V1", "V2", "V5", "V6"),
    ),
    Definition(
        "f03",
        "lafb",
        "0/1",
        "axis -45 to -90; qR and R peak >= 45 ms in aVL",
        AHA,
        ("I", "aVL", "aVF"),
    ),
    Definition(
        "f03",
        "lpfb",
        "0/1",
        "axis 90 to 180; rS in I, aVL; qR in III, aVF",
        AHA,
        ("I", "III", "aVL", "aVF"),
    ),
)


def measure(beat: Heartbeat) -> dict[str, Answer]:
    """Return what each set of criteria says; none of them is defined for paced beats."""
    lbbb, right = lbbb_esc(beat), rbbb(beat)
    found = {
        "lbbb_esc": lbbb,
        "lbbb_aha": lbbb_aha(beat),
        "lbbb_strauss": lbbb_strauss(beat),
        "rbbb": right,
        "ivcd": beat.qrs_lasts(BLOCK_MS) & ~lbbb & ~right,
        "lafb": left_anterior_block(beat),
        "lpfb": left_posterior_block(beat),
    }
    paced = beat_is_paced(beat)
    if paced.value is False:
        return found
    reasons = ("ventricular pacing",) if paced.value else paced.reasons
    return dict.fromkeys(found, not_known(*reasons))


def lbbb_esc(beat: Heartbeat) -> Answer:
    """Whether conventional LBBB is met: V1 negative, lateral leads broad and free of q.

    Of lead I, too, where an R after a q is no broad R (AHA: no q in I, V5, V6).
    """
    return (
        beat.qrs_lasts(BLOCK_MS)
        & _is_qs_or_rs(beat, "V1")
        & ~any_of([_starts_with_q(beat, lead) for lead in ("I", "V5", "V6")])
        & _has_broad_r(beat, "I")
        & any_of([_has_broad_r(beat, lead) for lead in ("V5", "V6")])
    )


def lbbb_aha(beat: Heartbeat) -> Answer:
    """Whether the AHA adds are met: notched or slurred lateral R, R peak later than 60 ms."""
    notched = any_of([has_mid_notch(beat, lead) for lead in LATERAL_LEADS])
    late = any_of(
        [beat.shows(lead, r_peak_ms(beat, lead) > LATE_R_PEAK_MS) for lead in ("V5", "V6")]
    )
    return lbbb_esc(beat) & notched & late


def lbbb_strauss(beat: Heartbeat) -> Answer:
    """Whether strict LBBB is met; between the limits of women and men the sex decides."""
    lasts = {sex: beat.qrs_lasts(ms) for sex, ms in STRAUSS_MS.items()}
    wide = lasts["F"] & (lasts["M"] | not_known("sex")) if beat.sex is None else lasts[beat.sex]
    return (
        wide
        & all_of([_is_qs_or_rs(beat, lead) for lead in ("V1", "V2")])
        & at_least_so_many([has_mid_notch(beat, lead) for lead in STRAUSS_LEADS], STRAUSS_NOTCHED)
    )


def rbbb(beat: Heartbeat) -> Answer:
    """Whether RBBB is met: terminal R in V1 or V2, S in I or V6 that is wide.

    One of both leads will do: with posterior fascicular block or an infarct V6 has no S.
    """
    late_r = any_of([_has_terminal_r(beat, lead) for lead in ("V1", "V2")])
    wide_s = any_of([_has_wide_s(beat, lead) for lead in ("I", "V6")])
    return beat.qrs_lasts(BLOCK_MS) & late_r & wide_s


def left_anterior_block(beat: Heartbeat) -> Answer:
    """Whether left anterior fascicular block is met."""
    late = r_peak_ms(beat, "aVL") >= 45.0  # of a lead without R never
    q_r_late = {"Q", "R"} <= beat.waves_in("aVL").keys() and late
    return ~beat.qrs_lasts(BLOCK_MS) & _has_axis(beat, -90.0, -45.0) & beat.shows("aVL", q_r_late)


def left_posterior_block(beat: Heartbeat) -> Answer:
    """Whether left posterior fascicular block is met."""
    r_s = [beat.shows(x, {"R", "S"} <= beat.waves_in(x).keys()) for x in ("I", "aVL")]
    q_r = [beat.shows(x, {"Q", "R"} <= beat.waves_in(x).keys()) for x in ("III", "aVF")]
    return ~beat.qrs_lasts(BLOCK_MS) & _has_axis(beat, 90.0, 180.0) & all_of([*r_s, *q_r])


def _has_axis(beat: Heartbeat, low: float, high: float) -> Answer:
    axis = frontal_axis_deg(beat.qrs.max(axis=1) + beat.qrs.min(axis=1))
    return all_of([beat.shows(lead, low <= axis <= high) for lead in AXIS_LEADS])


def _is_qs_or_rs(beat: Heartbeat, lead: str) -> Answer:
    waves = beat.waves[LEAD_INDEX[lead]]
    if waves and waves[0].name == "QS":
        return beat.shows(lead, True)
    names = [wave.name for wave in waves]
    r, s = beat.height(lead), beat.depth(lead)
    small = r < s and (r <= SMALL_R_MV or (lead != "V1" and r < SMALL_R_SHARE * s))
    return beat.shows(lead, names[:2] == ["R", "S"] and small and "R'" not in names)


def _starts_with_q(beat: Heartbeat, lead: str) -> Answer:
    q = beat.waves_in(lead).get("Q")
    return beat.shows(lead, q is not None and -q.amplitude >= LEAST_Q_MV)


def _has_broad_r(beat: Heartbeat, lead: str) -> Answer:
    """R that rules the lead and lasts."""
    positive = [w for w in beat.waves[LEAD_INDEX[lead]] if w.amplitude > 0]
    longest = max((beat.ms(wave.end - wave.start) for wave in positive), default=0.0)
    rules = beat.height(lead) > beat.depth(lead)
    return beat.shows(lead, rules and longest >= BROAD_R_MS)


def _has_terminal_r(beat: Heartbeat, lead: str) -> Answer:
    waves = beat.waves[LEAD_INDEX[lead]]
    if any(wave.name == "R'" for wave in waves):
        return beat.shows(lead, True)
    late = r_peak_ms(beat, lead) > 50.0  # Surawicz 2009: R peak later than 50 ms in V1
    last = bool(waves) and waves[-1].amplitude > 0
    return beat.shows(lead, last and late and beat.height(lead) > beat.depth(lead))


def _has_wide_s(beat: Heartbeat, lead: str) -> Answer:
    waves = beat.waves_in(lead)
    s, r = waves.get("S"), waves.get("R")
    if s is None:
        return beat.shows(lead, False)
    s_ms = beat.ms(s.end - s.start)
    return beat.shows(lead, s_ms > 40.0 or (r is not None and s_ms > beat.ms(r.end - r.start)))
