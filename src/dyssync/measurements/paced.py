"""Whether the ventricles are paced: by the spikes, and by the shape of the QRS without them (f20).

A recorder's filter, a low sampling rate or a bipolar lead can leave no spike at all. The beat that
a lead in the apex of the right ventricle paces can still be told from left bundle-branch block:
activation runs away from the apex, so that the inferior leads and V5, V6 are negative too.
"""

from __future__ import annotations

from dyssync.ecg import LEAD_INDEX
from dyssync.measurements.answers import NO, YES, Answer, all_of, not_known
from dyssync.measurements.heartbeat import Heartbeat

BAROLD = "Barold 2006, Cardiol Clin 24:471 (QRS while the right ventricle is paced)"
LEAST_PULSES = 2  # one may be an artefact
PACED_QRS_MS = 140.0  # chosen: paced from the apex it lasts 150 to 200; half of LAFB ends below
NO_SPIKES = "no pacing spikes, but the QRS has the shape of a paced one"


def ventricular_pacing(beat: Heartbeat) -> Answer:
    """Return whether the ventricles are paced; not known where some beats or the shape hint at it.

    Yes: a spike before half of the typical beats. Not known: a pacemaker's pulses before some
    beats, or no spikes and the shape of :func:`has_apical_shape`; both are "probably".
    """
    found = beat_is_paced(beat)
    if found.value or beat.pulsed < LEAST_PULSES:
        return found
    return not_known(f"pacing spikes before {beat.pulsed} of {len(beat.rr) + 1} beats")


def beat_is_paced(beat: Heartbeat) -> Answer:
    """Return whether the typical beat, the one that is measured, is paced."""
    if beat.paced_share >= 0.5:
        return YES
    shape = has_apical_shape(beat)
    if shape.value:
        return not_known(NO_SPIKES)
    return NO if shape.value is False else shape


def has_apical_shape(beat: Heartbeat) -> Answer:
    """Return whether the QRS is as if paced from the right ventricular apex (Barold 2006).

    Wide; V1, V5, V6 and the inferior leads mainly negative; I and aVL mainly positive.
    """
    negative = [_points(beat, lead, -1.0) for lead in ("V1", "V5", "V6", "II", "III", "aVF")]
    positive = [_points(beat, lead, 1.0) for lead in ("I", "aVL")]
    return beat.qrs_lasts(PACED_QRS_MS) & all_of([*negative, *positive])


def _points(beat: Heartbeat, lead: str, sign: float) -> Answer:
    qrs = sign * beat.qrs[LEAD_INDEX[lead]]
    return beat.shows(lead, bool(qrs.max() > -qrs.min()))
