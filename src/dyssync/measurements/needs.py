"""Which leads a measurement is made of: without one of them it is missing, not guessed.

Durations of all leads together are not here. They come from whatever leads are good, and a single
bad one does not move them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dyssync.ecg import LEADS
from dyssync.measurements.activation import LATERAL_LEADS, STRAUSS_LEADS
from dyssync.signals.vectorcardiogram import VCG_LEADS

# by entry of the dictionary: all that is computed from the vectorcardiogram or the eight leads
_BY_ID: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("f07", "f08", "f09", "f10", "f11", "f12", "f13", "f14", "f16", "f31", "f32"), VCG_LEADS
) | dict.fromkeys(("f15", "f17"), ("I", "aVF"))
_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "p_axis_deg": ("I", "aVF"),
    "qrs_lead_sd_ms": LEADS,
    "qrs_lead_range_ms": LEADS,
    "sokolow_lyon_mv": ("V1", "V5", "V6"),
    "cornell_mv": ("aVL", "V3"),
    "cornell_product_mvms": ("aVL", "V3"),
    "r_progression": ("V1", "V2", "V3", "V4"),
    "mid_notch_leads": STRAUSS_LEADS,
    "first_notch_share": STRAUSS_LEADS,
    "lateral_notch": LATERAL_LEADS,
    "fqrs_inferior": ("II", "III", "aVF"),
    "fqrs_lateral": LATERAL_LEADS,
    "fqrs_anterior": ("V1", "V2", "V3", "V4", "V5"),
    "fqrs": LEADS,
    "lateral_r_delay_ms": ("V1", "V5", "V6"),
    "lateral_delay_ms": ("V1", "V2", "V5", "V6"),
    "lbbb_esc": ("V1", "V5", "V6", "I"),
    "lbbb_aha": ("V1", *LATERAL_LEADS),
    "lbbb_strauss": STRAUSS_LEADS,
    "rbbb": ("I", "V1", "V2", "V6"),
    "ivcd": ("I", "V1", "V2", "V5", "V6"),
    "lafb": ("I", "aVL", "aVF"),
    "lpfb": ("I", "III", "aVL", "aVF"),
    "selvester_lbbb": ("I", "II", "aVL", "aVF", "V1", "V2", "V5", "V6"),
}


def needed_leads(entry_id: str, name: str) -> tuple[str, ...]:
    """Return the leads without which a measurement is missing.

    >>> needed_leads("f27", "r_mv_V3"), needed_leads("f01", "qrs_duration_ms")
    (('V3',), ())
    """
    lead = name.rpartition("_")[2]
    if lead in LEADS:
        return (lead,)
    return _BY_NAME.get(name, _BY_ID.get(entry_id, ()))
