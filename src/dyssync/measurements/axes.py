"""Frontal axes and amplitudes of each lead (f15, f17, f19, f25-f28)."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEAD_INDEX, LEADS
from dyssync.measurements.definitions import Definition, per_lead
from dyssync.measurements.heartbeat import Heartbeat

AXIS = "Stabenau 2021 (BRAVEHEART): atan2(2/sqrt(3) net aVF, net I)"
HYPERTROPHY = "Hancock 2009 (AHA/ACCF/HRS V), 10.1016/j.jacc.2008.12.015"
AMPLITUDE = "Stabenau 2021 (BRAVEHEART set)"
AXIS_LEADS = ("I", "aVF")
PROGRESSION_LEADS = ("V1", "V2", "V3", "V4")
CORNELL_WOMEN = 0.8  # mV added in women for the product; Hancock 2009

DEFINITIONS = (
    Definition("f17", "qrs_axis_deg", "deg", "frontal axis of R - |S|", AXIS, AXIS_LEADS),
    Definition("f19", "p_axis_deg", "deg", "frontal axis of the P area", AXIS, AXIS_LEADS),
    Definition("f15", "t_axis_deg", "deg", "frontal axis of the T peak", AXIS, AXIS_LEADS),
    Definition(
        "f15", "frontal_qrs_t_angle_deg", "deg", "|QRS axis - T axis|, 0-180", AXIS, AXIS_LEADS
    ),
    Definition(
        "f25", "sokolow_lyon_mv", "mV", "S V1 + larger R of V5, V6", HYPERTROPHY, ("V1", "V5", "V6")
    ),
    Definition("f26", "cornell_mv", "mV", "R aVL + S V3", HYPERTROPHY, ("aVL", "V3")),
    Definition(
        "f26",
        "cornell_product_mvms",
        "mV ms",
        "(Cornell + 0.8 in women) x QRSd",
        HYPERTROPHY,
        ("aVL", "V3"),
    ),
    Definition(
        "f28",
        "r_progression",
        "",
        "mean R/(R+S) of V3, V4 - that of V1, V2",
        "dyssync",
        PROGRESSION_LEADS,
    ),
    *per_lead("f27", "q_mv", "mV", "depth of Q; NaN without Q", AMPLITUDE),
    *per_lead("f27", "r_mv", "mV", "largest R; 0 without", AMPLITUDE),
    *per_lead("f27", "s_mv", "mV", "deepest S or QS; 0 without", AMPLITUDE),
    *per_lead("f27", "t_mv", "mV", "T, signed, largest before T end", AMPLITUDE),
    *per_lead("f27", "j_mv", "mV", "level at QRS end", AMPLITUDE),
    *per_lead("f27", "st60_mv", "mV", "level 60 ms after QRS end", AMPLITUDE),
    *per_lead("f27", "st_slope_mvs", "mV/s", "J to J + 60 ms", AMPLITUDE),
    *per_lead("f28", "r_share", "", "R / (R + S)", "dyssync"),
)


def measure(beat: Heartbeat) -> dict[str, float]:
    """Return axes, voltages and the amplitudes of each lead."""
    found = _amplitudes(beat)
    net = beat.qrs.max(axis=1) + beat.qrs.min(axis=1)
    found["qrs_axis_deg"] = frontal_axis_deg(net)
    marks = beat.marks
    if marks.p_on is not None and marks.p_off is not None:
        p = beat.signal[:, marks.p_on : marks.p_off + 1]
        line = np.linspace(p[:, 0], p[:, -1], p.shape[1], axis=1)
        found["p_axis_deg"] = frontal_axis_deg((p - line).sum(axis=1))
    if marks.t_peak is not None and marks.t_off is not None:
        found["t_axis_deg"] = frontal_axis_deg(beat.signal[:, marks.t_peak])
        found["frontal_qrs_t_angle_deg"] = abs(
            (found["qrs_axis_deg"] - found["t_axis_deg"] + 180.0) % 360.0 - 180.0
        )
    found["sokolow_lyon_mv"] = beat.depth("V1") + max(beat.height("V5"), beat.height("V6"))
    found["cornell_mv"] = beat.height("aVL") + beat.depth("V3")
    if beat.sex is not None:
        women = CORNELL_WOMEN if beat.sex == "F" else 0.0
        found["cornell_product_mvms"] = (found["cornell_mv"] + women) * beat.qrs_ms
    shares = [found[f"r_share_{lead}"] for lead in PROGRESSION_LEADS]
    found["r_progression"] = (shares[2] + shares[3] - shares[0] - shares[1]) / 2
    return found


def frontal_axis_deg(net: Floats) -> float:
    """Return the frontal axis, -180 to 180 degrees, from one net value per lead, (12,).

    >>> frontal_axis_deg(np.array([1.0, 0, 0, 0, 0, np.sqrt(3) / 2, 0, 0, 0, 0, 0, 0]))
    45.0
    """
    vertical = 2.0 / np.sqrt(3.0) * net[LEAD_INDEX["aVF"]]
    return float(np.degrees(np.arctan2(vertical, net[LEAD_INDEX["I"]])))


def _amplitudes(beat: Heartbeat) -> dict[str, float]:
    off, last = beat.marks.qrs_off, beat.signal.shape[1] - 1
    later = min(off + round(0.06 * beat.fs), last)
    j, st60 = beat.signal[:, off], beat.signal[:, later]
    found: dict[str, float] = {}
    for i, lead in enumerate(LEADS):
        r, s = beat.height(lead), beat.depth(lead)
        q = beat.waves_in(lead).get("Q")
        found[f"q_mv_{lead}"] = np.nan if q is None else -q.amplitude
        found[f"r_mv_{lead}"], found[f"s_mv_{lead}"] = r, s
        found[f"r_share_{lead}"] = r / (r + s) if r + s > 0 else np.nan
        found[f"j_mv_{lead}"], found[f"st60_mv_{lead}"] = float(j[i]), float(st60[i])
        found[f"st_slope_mvs_{lead}"] = float(st60[i] - j[i]) / 0.06
    if beat.marks.t_off is not None and beat.marks.t_off > later:
        t = beat.signal[:, later : beat.marks.t_off + 1]
        largest = t[np.arange(len(t)), np.abs(t).argmax(axis=1)]
        found |= {f"t_mv_{lead}": float(v) for lead, v in zip(LEADS, largest, strict=True)}
    return found
