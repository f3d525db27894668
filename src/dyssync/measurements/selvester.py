"""Selvester QRS score in LBBB: scar estimated from Q, R and S of eight leads (f29).

Criteria as coded openly in the Johns Hopkins CVRG ECG tool after Strauss and Selvester 2009, with
its three slips corrected. Each point is some 3 % of the left ventricle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.ecg import LEAD_INDEX
from dyssync.measurements.axes import frontal_axis_deg
from dyssync.measurements.bundle_branch import lbbb_esc
from dyssync.measurements.definitions import Definition
from dyssync.measurements.heartbeat import Heartbeat

SOURCE = "Strauss DG, Selvester RH, J Electrocardiol 2009;42:190; CVRG QRS_Score"
SCORED_LEADS = ("I", "II", "aVL", "aVF", "V1", "V2", "V5", "V6")
REFERENCE_AGE = 55.0  # amplitude limits change by 1 % a year from here
WOMEN = 0.9  # amplitude and duration limits of women

DEFINITIONS = (
    Definition(
        "f29", "selvester_lbbb", "", "points of scar; NaN unless LBBB (ESC)", SOURCE, SCORED_LEADS
    ),
)


@dataclass(frozen=True)
class _Lead:
    """Q duration (ms), R duration (ms) and amplitude (uV), ratios of amplitudes."""

    q_ms: float
    r_ms: float
    r_uv: float
    r_to_q: float
    r_to_s: float


def measure(beat: Heartbeat) -> dict[str, float]:
    """Return the score where it is defined: in LBBB."""
    return {"selvester_lbbb": float(selvester_lbbb(beat)) if lbbb_esc(beat).value else float("nan")}


def selvester_lbbb(beat: Heartbeat) -> int:
    """Return the points; limits follow age and sex where these are known."""
    age = 1.0 if beat.age is None else 1.0 + (REFERENCE_AGE - beat.age) / 100.0
    sex = WOMEN if beat.sex == "F" else 1.0
    uv, ms = age * sex, sex
    leads = {lead: _lead(beat, lead) for lead in SCORED_LEADS}
    points = _limb_points(leads, uv, ms) + _lateral_points(leads, uv, ms)
    if frontal_axis_deg(beat.qrs.max(axis=1) + beat.qrs.min(axis=1)) < 90.0:
        points += _steps(leads["V1"], (30 * ms, 300 * uv), (20 * ms, 200 * uv))
        points += _steps(leads["V2"], (30 * ms, 400 * uv), (20 * ms, 300 * uv))
    return points


def _lead(beat: Heartbeat, lead: str) -> _Lead:
    waves = beat.waves[LEAD_INDEX[lead]]
    q = next((w for w in waves if w.name in ("Q", "QS")), None)
    r = max((w for w in waves if w.amplitude > 0), key=lambda w: w.amplitude, default=None)
    r_uv = 0.0 if r is None else 1000.0 * r.amplitude
    s_uv, q_uv = 1000.0 * beat.depth(lead), 0.0 if q is None else -1000.0 * q.amplitude
    return _Lead(
        q_ms=0.0 if q is None else beat.ms(q.end - q.start),
        r_ms=0.0 if r is None else beat.ms(r.end - r.start),
        r_uv=r_uv,
        r_to_q=r_uv / q_uv if q_uv else np.inf,
        r_to_s=r_uv / s_uv if s_uv else np.inf,
    )


def _limb_points(leads: dict[str, _Lead], uv: float, ms: float) -> int:
    i, ii, avl, avf = (leads[lead] for lead in ("I", "II", "aVL", "aVF"))
    points = int(i.q_ms > 0 or i.r_uv <= 200 * uv)
    points += 2 if min(i.r_to_s, i.r_to_q) <= 1 else int(i.r_to_s <= 1.5 or i.r_to_q <= 1.5)
    points += 2 if ii.q_ms >= 40 * ms else int(ii.q_ms >= 30 * ms)
    points += int(min(ii.r_to_s, ii.r_to_q) <= 0.5)
    points += int(avl.q_ms >= 40 * ms) + int(avl.q_ms >= 50 * ms)
    points += int(min(avl.r_to_q, avl.r_to_s) <= 1) + int(min(avl.r_to_q, avl.r_to_s) <= 0.5)
    points += 2 if avf.q_ms >= 50 * ms else int(avf.q_ms >= 40 * ms)
    points += int(min(avf.r_to_q, avf.r_to_s) <= 0.5)
    return points


def _lateral_points(leads: dict[str, _Lead], uv: float, ms: float) -> int:
    v5, v6 = leads["V5"], leads["V6"]
    points = int(v5.q_ms > 0 or v5.r_to_s <= 2) + int(v5.r_uv <= 500 * uv)
    return points + int(v6.q_ms > 20 * ms or v6.r_to_s <= 2) + int(v6.r_uv <= 600 * uv)


def _steps(lead: _Lead, first: tuple[float, float], second: tuple[float, float]) -> int:
    """One point for a short or low r, one more for a very short or very low one."""
    return sum(
        int(lead.r_ms <= most_ms or lead.r_uv <= most_uv) for most_ms, most_uv in (first, second)
    )
