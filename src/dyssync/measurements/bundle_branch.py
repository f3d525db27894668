"""Conduction patterns by published criteria (f03, f04): LBBB, RBBB, IVCD, fascicular blocks."""

from __future__ import annotations

from dyssync.measurements.activation import (
    LATERAL_LEADS,
    STRAUSS_LEADS,
    has_mid_notch,
    r_peak_ms,
)
from dyssync.measurements.answers import Answer, all_of, any_of, at_least_so_many, not_known
from dyssync.measurements.definitions import Definition
from dyssync.measurements.heartbeat import Heartbeat
from dyssync.measurements.lead_shapes import (
    has_axis,
    has_broad_r,
    has_terminal_r,
    has_wide_s,
    is_qs_or_rs,
    starts_with_q,
)
from dyssync.measurements.paced import beat_is_paced

AHA = "Surawicz 2009 (AHA/ACCF/HRS III), 10.1016/j.jacc.2008.12.013"
ESC = "Brignole 2013 / Glikson 2021 (ESC), criteria as commonly restated"
STRAUSS = "Strauss 2011, Am J Cardiol 107:927"
BLOCK_MS = 120.0
STRAUSS_MS = {"M": 140.0, "F": 130.0}
STRAUSS_NOTCHED = 2  # leads of V1, V2, V5, V6, I, aVL with a mid-QRS notch or slur
LATE_R_PEAK_MS = 60.0

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
        & is_qs_or_rs(beat, "V1")
        & ~any_of([starts_with_q(beat, lead) for lead in ("I", "V5", "V6")])
        & has_broad_r(beat, "I")
        & any_of([has_broad_r(beat, lead) for lead in ("V5", "V6")])
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
        & all_of([is_qs_or_rs(beat, lead) for lead in ("V1", "V2")])
        & at_least_so_many([has_mid_notch(beat, lead) for lead in STRAUSS_LEADS], STRAUSS_NOTCHED)
    )


def rbbb(beat: Heartbeat) -> Answer:
    """Whether RBBB is met: terminal R in V1 or V2, S in I or V6 that is wide.

    One of both leads will do: with posterior fascicular block or an infarct V6 has no S.
    """
    late_r = any_of([has_terminal_r(beat, lead) for lead in ("V1", "V2")])
    wide_s = any_of([has_wide_s(beat, lead) for lead in ("I", "V6")])
    return beat.qrs_lasts(BLOCK_MS) & late_r & wide_s


def left_anterior_block(beat: Heartbeat) -> Answer:
    """Whether left anterior fascicular block is met."""
    late = r_peak_ms(beat, "aVL") >= 45.0  # of a lead without R never
    q_r_late = {"Q", "R"} <= beat.waves_in("aVL").keys() and late
    return ~beat.qrs_lasts(BLOCK_MS) & has_axis(beat, -90.0, -45.0) & beat.shows("aVL", q_r_late)


def left_posterior_block(beat: Heartbeat) -> Answer:
    """Whether left posterior fascicular block is met."""
    r_s = [beat.shows(x, {"R", "S"} <= beat.waves_in(x).keys()) for x in ("I", "aVL")]
    q_r = [beat.shows(x, {"Q", "R"} <= beat.waves_in(x).keys()) for x in ("III", "aVF")]
    return ~beat.qrs_lasts(BLOCK_MS) & has_axis(beat, 90.0, 180.0) & all_of([*r_s, *q_r])
