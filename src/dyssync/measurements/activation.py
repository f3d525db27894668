"""Notches, fragmentation and the times at which leads see the activation (f05, f22-f24)."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEAD_INDEX, LEADS
from dyssync.measurements.answers import Answer, any_of, at_least_so_many
from dyssync.measurements.definitions import Definition, per_lead
from dyssync.measurements.heartbeat import Heartbeat
from dyssync.signals.waves import Notches

STRAUSS = "Strauss 2011, Am J Cardiol 107:927"
DAS = "Das 2006, 10.1161/CIRCULATIONAHA.105.595892; Das 2008 for wide QRS"
STRAUSS_LEADS = ("V1", "V2", "V5", "V6", "I", "aVL")
LATERAL_LEADS = ("I", "aVL", "V5", "V6")
MID_START_MS = 40.0  # a mid-QRS notch begins after the first 40 ms (Strauss 2011)
MID_END_SHARE = 2.0 / 3.0  # and ends before the last third
WIDE_QRS_MS = 120.0
WIDE_NOTCHES = 2  # a wide QRS is fragmented with more than two notches (Das 2008)
# Contiguous leads that see one wall (Das 2006).
TERRITORIES = {
    "inferior": ("II", "III", "aVF"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "anterior": ("V1", "V2", "V3", "V4", "V5"),
}
PEAK_LEADS = ("V1", "V2", "V5", "V6", "I", "aVL")

DEFINITIONS = (
    *per_lead("f05", "notches", "", "notches (>= 0.05 mV deep) in the QRS", STRAUSS),
    *per_lead("f05", "mid_notch", "0/1", "notch or slur in mid QRS", STRAUSS),
    Definition(
        "f05", "mid_notch_leads", "", "mid notches of V1 V2 V5 V6 I aVL", STRAUSS, STRAUSS_LEADS
    ),
    Definition(
        "f05", "lateral_notch", "0/1", "mid notch in I, aVL, V5 or V6", "PMC6932172", LATERAL_LEADS
    ),
    Definition(
        "f05", "first_notch_share", "", "first mid notch / QRS duration", "dyssync", STRAUSS_LEADS
    ),
    Definition(
        "f24", "fqrs_inferior", "", "fragmented leads of II, III, aVF", DAS, TERRITORIES["inferior"]
    ),
    Definition(
        "f24", "fqrs_lateral", "", "fragmented leads of I, aVL, V5, V6", DAS, TERRITORIES["lateral"]
    ),
    Definition(
        "f24", "fqrs_anterior", "", "fragmented leads of V1-V5", DAS, TERRITORIES["anterior"]
    ),
    Definition("f24", "fqrs", "0/1", "two fragmented leads of one territory", DAS, LEADS),
    *per_lead(
        "f22", "r_peak_ms", "ms", "QRS onset to the last R peak; NaN without R", STRAUSS, PEAK_LEADS
    ),
    Definition(
        "f22",
        "lateral_r_delay_ms",
        "ms",
        "mean R peak of V5, V6 - that of V1",
        "dyssync",
        ("V1", "V5", "V6"),
    ),
    Definition(
        "f23",
        "lateral_delay_ms",
        "ms",
        "centre of the squared slope of V5, V6 - that of V1, V2; proxy of ventricular delay",
        "after Jurak 2017 (ultra-high frequency), here with the recorded band",
        ("V1", "V2", "V5", "V6"),
    ),
)


def measure(beat: Heartbeat) -> dict[str, float | Answer]:
    """Return notch counts, fragmentation and activation times."""
    mids = {lead: mid_notch(beat.notches[i], beat) for i, lead in enumerate(LEADS)}
    counts = {lead: float(len(beat.notches[i].notches)) for i, lead in enumerate(LEADS)}
    found: dict[str, float | Answer] = {f"notches_{k}": count for k, count in counts.items()}
    found |= {f"mid_notch_{lead}": has_mid_notch(beat, lead) for lead in LEADS}
    found["mid_notch_leads"] = float(sum(mids[lead] is not None for lead in STRAUSS_LEADS))
    found["lateral_notch"] = any_of([has_mid_notch(beat, lead) for lead in LATERAL_LEADS])
    times = [mids[lead] for lead in STRAUSS_LEADS]
    first = min((t for t in times if t is not None), default=np.nan)
    found["first_notch_share"] = float(first / (beat.marks.qrs_off - beat.marks.qrs_on))
    return found | _fragmentation(beat) | _delays(beat)


def has_mid_notch(beat: Heartbeat, lead: str) -> Answer:
    """Return whether a lead has a notch or slur in mid QRS."""
    return beat.shows(lead, mid_notch(beat.notches[LEAD_INDEX[lead]], beat) is not None)


def mid_notch(notches: Notches, beat: Heartbeat) -> float | None:
    """Return the sample (from QRS onset) of the first mid-QRS notch or slur of a lead, or None.

    A notch lies where its nadir is: in LBBB its second peak, the breakthrough at the lateral wall,
    often comes in the last third (Strauss 2011, figures).
    """
    start = MID_START_MS * beat.fs / 1000.0
    end = MID_END_SHARE * (beat.marks.qrs_off - beat.marks.qrs_on)
    middles = [*(nadir for _, nadir, _ in notches.notches), *notches.slurs]
    return min((float(at) for at in middles if start <= at <= end), default=None)


def _fragmentation(beat: Heartbeat) -> dict[str, float | Answer]:
    fragmented = {lead: beat.shows(lead, _is_fragmented(beat, lead)) for lead in LEADS}
    walls = {wall: [fragmented[x] for x in leads] for wall, leads in TERRITORIES.items()}
    found: dict[str, float | Answer] = {
        f"fqrs_{wall}": sum(lead.number for lead in leads) for wall, leads in walls.items()
    }
    found["fqrs"] = any_of([at_least_so_many(leads, 2) for leads in walls.values()])
    return found


def _is_fragmented(beat: Heartbeat, lead: str) -> bool:
    notches = len(beat.notches[LEAD_INDEX[lead]].notches)
    if beat.qrs_ms >= WIDE_QRS_MS:
        return notches > WIDE_NOTCHES
    return notches > 0 or "R'" in beat.waves_in(lead)


def r_peak_ms(beat: Heartbeat, lead: str) -> float:
    """Return the time from QRS onset to the last peak of the largest R, ms; NaN without R."""
    positive = [w for w in beat.waves[LEAD_INDEX[lead]] if w.amplitude > 0]
    if not positive:
        return float("nan")
    return beat.ms(max(positive, key=lambda wave: wave.amplitude).peak)


def _delays(beat: Heartbeat) -> dict[str, float]:
    peaks = {lead: r_peak_ms(beat, lead) for lead in PEAK_LEADS}
    found = {f"r_peak_ms_{lead}": ms for lead, ms in peaks.items()}
    found["lateral_r_delay_ms"] = (peaks["V5"] + peaks["V6"]) / 2 - peaks["V1"]
    centre = _slope_centre(beat)
    v1, v2, v5, v6 = (centre[LEAD_INDEX[lead]] for lead in ("V1", "V2", "V5", "V6"))
    found["lateral_delay_ms"] = float((v5 + v6 - v1 - v2) / 2)
    return found


def _slope_centre(beat: Heartbeat) -> Floats:
    """Centre of mass of the squared slope of each lead's QRS, (12,) ms from the onset."""
    energy = np.square(np.gradient(beat.qrs, axis=1))
    total = energy.sum(axis=1)
    time = np.arange(energy.shape[1]) * beat.ms(1.0)
    return np.where(total > 0, energy @ time / np.maximum(total, 1e-12), np.nan)
