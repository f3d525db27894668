"""Amplitudes against those that hearts give: of all leads, of chest leads, of single samples.

Limits were set on 804 real records in true millivolt (LUDB, PTB-XL, the CinC challenges, CODE-15,
recorders' exports), shapes of chest leads on 1,442 more. A QRS is measured as in
:attr:`Recorded.swings`.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LARGEST_SAMPLE_MV, LEADS, PRECORDIAL_LEADS, Doubt
from dyssync.signals.plausibility.recorded import Recorded

# The QRS of the median lead is 0.33 to 3.1 mV in real records. Below and above are three whose
# header states five times the gain (0.10 to 0.19), four with a fifth of it (3.9 to 5.6), one
# without chest leads and one of noise. A tenth of 786 of 788 is below, tenfold all are above.
HEART_MV = (0.3, 3.2)
ANY_HEART_MV = (0.03, 16.0)  # a fifth of the gain, which headers do state, is no refusal
MICROVOLT, VOLT = 100.0, 0.01  # mV, where the unit is a thousandfold off
# log2 of the QRS of a chest lead over the geometric mean of its neighbours: beyond what is found in
# 99.9 % of real records; V1 and V2 vary most.
BESIDE = {
    "V1": (-2.7, 1.6),
    "V2": (-1.7, 1.7),
    "V3": (-2.3, 1.5),
    "V4": (-1.7, 1.25),
    "V5": (-1.4, 1.1),
    "V6": (-1.9, 1.1),
}
# log2 of the QRS of a chest lead over the median of the others, on average.
USUAL = (-0.47, 0.09, 0.15, 0.28, 0.16, -0.3)
LIMB_OVER_CHEST = (-2.9, 1.2)  # log2 of medians; -2.8 to 0.96 in real records
OVER_BEAT = (0.75, 1.35)  # 1.01 to 1.07 in the nine real files whose beat is of the same ECG
MOST_MV = 25.0  # from the lead's median: the largest artefact of the real records has 19.4
SPIKE_MV = 5.0  # of one sample, against both neighbours: at most 2.6, and once 7.9, an artefact


def size(recorded: Recorded) -> list[Doubt]:
    """Hold the QRS of most leads against what hearts give: a unit or gain that is wrong for all."""
    swings = recorded.swings[recorded.alive]
    typical = float(np.median(swings)) if swings.size else 0.0
    low, high = HEART_MV
    if typical == 0 or low <= typical <= high:
        return []
    least, most = ANY_HEART_MV
    like = "; looks like microvolt" if typical > MICROVOLT else ""
    like = "; looks like volt" if typical < VOLT else like
    text = (
        f"a QRS of {typical:.3g} mV in most leads{like}; hearts give {low:g} to {high:g} mV. Check "
        "unit and gain"
    )
    return [Doubt("size", (), text, "caution" if least <= typical <= most else "refuse")]


def chest_leads(recorded: Recorded) -> list[Doubt]:
    """Hold each chest lead against its neighbours: one gain that is wrong."""
    swings = recorded.swings[6:]
    # a lead that is flat is named as such elsewhere; it and its neighbours have no measure here
    log = np.log2(swings, where=swings > 0, out=np.full(6, np.nan))
    if all(_beside(log, k) for k in range(6)):
        return []
    away = [abs(log[k] - np.nanmedian(np.delete(log, k)) - USUAL[k]) for k in range(6)]
    k = int(np.nanargmax(away))
    times = swings[k] / np.exp2(np.nanmedian(np.delete(log, k)))
    lead = PRECORDIAL_LEADS[k]
    text = f"{lead} is {_times(times)} the other chest leads, more than hearts differ"
    return [Doubt("chest leads", (lead,), f"{text}. Check its gain", "caution")]


def recorders_beat(recorded: Recorded) -> list[Doubt]:
    """Hold the recording against the recorder's own beat: each states a gain.

    By the leads that move in both; a flat one says nothing of the others.
    """
    beat = recorded.beat_swings
    if beat is None:
        return []
    both = (beat > 0) & (recorded.swings > 0)
    if not both.any():
        return []
    times = float(np.median(recorded.swings[both] / beat[both]))
    low, high = OVER_BEAT
    if low <= times <= high:
        return []
    text = f"the recording is {_times(times)} the recorder's own beat. Check the gain of both"
    return [Doubt("recorder's beat", (), text, "caution")]


def _beside(log: Floats, k: int) -> bool:
    """Say whether chest lead `k` is not beyond the limits for its neighbours, all known."""
    around = [log[j] for j in (k - 1, k + 1) if 0 <= j < 6]
    low, high = BESIDE[PRECORDIAL_LEADS[k]]
    apart = log[k] - np.mean(around)
    return not (apart < low or apart > high)


def limb_and_chest(recorded: Recorded) -> list[Doubt]:
    """Hold limb leads against chest leads: a gain that is wrong for one of the two groups."""
    limb, chest = np.median(recorded.swings[:6]), np.median(recorded.swings[6:])
    if limb <= 0 or chest <= 0:
        return []
    low, high = LIMB_OVER_CHEST
    if low <= np.log2(limb / chest) <= high:
        return []
    text = (
        f"the limb leads are {_times(limb / chest)} the chest leads, more than hearts differ. "
        "Check the gains"
    )
    return [Doubt("limb and chest", (), text, "caution")]


def _times(ratio: float) -> str:
    times = ratio if ratio >= 1 else 1 / ratio
    text = f"{times:.1f}" if times < 10 else f"{times:.0f}"
    return f"{text} times" if ratio >= 1 else f"1/{text} of"


def single_samples(recorded: Recorded) -> list[Doubt]:
    """Find samples that no ECG has: far from all others, or high above both neighbours."""
    signal = recorded.signal
    far = np.abs(signal - np.median(signal, axis=1, keepdims=True))
    up, down = signal[:, 1:-1] - signal[:, :-2], signal[:, 1:-1] - signal[:, 2:]
    spike = np.where(up * down > 0, np.minimum(np.abs(up), np.abs(down)), 0.0)
    found = []
    for k, lead in enumerate(LEADS):
        if far[k].max() > MOST_MV:
            at, what = int(far[k].argmax()), f"{far[k].max():.3g} mV from the rest"
        elif spike[k].max() > SPIKE_MV:
            at = int(spike[k].argmax()) + 1
            what = f"{spike[k].max():.3g} mV above both neighbours"
        else:
            continue
        text = f"{lead} has a sample {what} at {at / recorded.fs:.2f} s; no heart gives it"
        absurd = lead in recorded.stored and far[k].max() > LARGEST_SAMPLE_MV
        found.append(Doubt("single samples", (lead,), text, "refuse" if absurd else "caution"))
    return found
