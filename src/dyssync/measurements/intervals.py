"""Rate, rhythm and intervals (f01, f02, f19, f20, f21)."""

from __future__ import annotations

import numpy as np

from dyssync.ecg import LEADS
from dyssync.measurements.answers import NO, Answer, not_known, yes_if
from dyssync.measurements.definitions import Definition, per_lead
from dyssync.measurements.heartbeat import Heartbeat
from dyssync.measurements.paced import BAROLD, beat_is_paced, ventricular_pacing

AHA = "Surawicz 2009 (AHA/ACCF/HRS III), 10.1016/j.jacc.2008.12.013"
AHA_QT = "Rautaharju 2009 (AHA/ACCF/HRS IV), 10.1016/j.jacc.2008.12.014"
AF_IRREGULARITY = 0.1  # RMSSD over mean RR; Dash 2009, Ann Biomed Eng 37:1701, uses 0.1
AF_BEATS = 5
# Median change of RR over mean RR, which one missed beat does not move; of normal changes the
# median is 0.67 of the RMS.
SKEWED = 0.67 * AF_IRREGULARITY

DEFINITIONS = (
    Definition(
        "f20",
        "heart_rate_bpm",
        "1/min",
        "60 / median RR; where the median change of RR > 0.067 mean RR, as in fibrillation, "
        "60 / mean RR",
        "usual",
        needs=(),
    ),
    Definition("f20", "rr_irregularity", "", "RMSSD of RR / mean RR", "Dash 2009", needs=()),
    Definition(
        "f20",
        "atrial_fibrillation",
        "0/1",
        "no repeating P and RR irregularity > 0.1, at least 5 beats",
        "Dash 2009 for the limit",
        needs=(),
    ),
    Definition("f20", "ectopic_share", "", "share of beats of another shape", "dyssync", needs=()),
    Definition(
        "f20",
        "paced",
        "0/1",
        "a pacing spike, or what a filter has left of one, before half of the typical beats; "
        "not known (probably) where spikes come "
        "before some beats only, or where only the shape of the QRS is that of apical pacing",
        BAROLD,
        needs=(),
    ),
    Definition(
        "f19",
        "pr_ms",
        "ms",
        "P onset to QRS onset, global; not of paced beats: that is the pacemaker's delay",
        AHA,
        needs=(),
    ),
    Definition("f19", "p_duration_ms", "ms", "P onset to P end, global", AHA, needs=()),
    Definition(
        "f01", "qrs_duration_ms", "ms", "QRS onset to end, all leads together", AHA, needs=()
    ),
    Definition("f21", "qt_ms", "ms", "QRS onset to T end, all leads together", AHA_QT, needs=()),
    Definition("f21", "qtc_bazett_ms", "ms", "QT / sqrt(RR)", AHA_QT, needs=()),
    Definition("f21", "qtc_fridericia_ms", "ms", "QT / RR^(1/3)", AHA_QT, needs=()),
    Definition("f21", "jt_ms", "ms", "QRS end to T end", AHA_QT, needs=()),
    Definition("f21", "t_peak_end_ms", "ms", "largest T deflection to T end", AHA_QT, needs=()),
    Definition("f02", "qrs_lead_sd_ms", "ms", "SD of the 12 QRS durations", "dyssync", LEADS),
    Definition("f02", "qrs_lead_range_ms", "ms", "longest - shortest of the 12", "dyssync", LEADS),
    *per_lead("f02", "qrs_ms", "ms", "QRS duration in this lead", "dyssync"),
)


def measure(beat: Heartbeat) -> dict[str, float | Answer]:
    """Return the intervals of the beat."""
    marks, rr = beat.marks, float(np.median(beat.rr)) if len(beat.rr) else np.nan
    lead_ms = (marks.leads["qrs_off"] - marks.leads["qrs_on"]) * beat.ms(1.0)
    found: dict[str, float | Answer] = {
        "heart_rate_bpm": _rate(beat),
        "ectopic_share": beat.ectopic_share,
        "paced": ventricular_pacing(beat),
        "atrial_fibrillation": _fibrillates(beat),
        "qrs_duration_ms": beat.qrs_ms,
        "qrs_lead_sd_ms": float(lead_ms.std()),
        "qrs_lead_range_ms": float(np.ptp(lead_ms)),
        **{f"qrs_ms_{lead}": float(ms) for lead, ms in zip(LEADS, lead_ms, strict=True)},
    }
    if len(beat.rr) > 1:
        found["rr_irregularity"] = _irregularity(beat)
    if marks.p_on is not None and marks.p_off is not None and not (marks.close or marks.low):
        if beat_is_paced(beat).value is False:
            found["pr_ms"] = beat.ms(marks.qrs_on - marks.p_on)
        found["p_duration_ms"] = beat.ms(marks.p_off - marks.p_on)
    if marks.t_off is not None and marks.t_peak is not None and not marks.blurred:
        qt = beat.ms(marks.t_off - marks.qrs_on)
        found["qt_ms"] = qt
        found["qtc_bazett_ms"] = qt / rr**0.5
        found["qtc_fridericia_ms"] = qt / rr ** (1 / 3)
        found["jt_ms"] = beat.ms(marks.t_off - marks.qrs_off)
        found["t_peak_end_ms"] = beat.ms(marks.t_off - marks.t_peak)
    return found


def _rate(beat: Heartbeat) -> float:
    """Return beats a minute.

    The median of RR passes over a missed beat; in fibrillation RR are skewed, so that it is up to
    20 a minute off the number of beats.
    """
    if not len(beat.rr):
        return float("nan")
    typical = np.mean if _changes_each_beat(beat) else np.median
    return 60.0 / float(typical(beat.rr))


def _changes_each_beat(beat: Heartbeat) -> bool:
    """Return whether most RR differ from the one before, not only those about single beats."""
    if len(beat.rr) < 3:
        return False
    return bool(np.median(np.abs(np.diff(beat.rr))) > SKEWED * np.mean(beat.rr))


def _irregularity(beat: Heartbeat) -> float:
    change = np.sqrt(np.mean(np.square(np.diff(beat.rr))))
    return float(change / np.mean(beat.rr))


def _fibrillates(beat: Heartbeat) -> Answer:
    """Whether RR is irregular and no P wave repeats; a few beats cannot tell.

    Where T hides a P, if there is one, only an RR that changes with each beat tells: at such rates
    that of sinus rhythm does not (of 11 real recordings in which it did, 10 were in fibrillation).
    """
    if beat.marks.p_on is not None:
        return NO
    if beat.marks.merged and not _changes_each_beat(beat):
        return not_known("P cannot be told from T")
    if len(beat.rr) < AF_BEATS - 1:
        return not_known(f"fewer than {AF_BEATS} beats")
    return yes_if(_irregularity(beat) > AF_IRREGULARITY)
