"""ECGs made at a known rate, whose P onset, QRS and T end are known: drawn, and of virtual hearts.

A drawn one has corners where its waves begin and end, so that the truth is exact. Those of a
virtual heart rise and fade without corners. They begin where the ECG without noise shows it: up to
12 ms of a QRS move it less than that, and P has no foot at all. T ends where 5 % of it are left, or
less than a recorder stores.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.signals.vectorcardiogram import DOWER
from dyssync.simulation.conduction import draw_pacing
from dyssync.simulation.drawing_hearts import draw_ventricles
from dyssync.simulation.drawing_settings import draw_setting
from dyssync.simulation.leads import body_matrix, twelve_leads
from dyssync.simulation.patient import Clinical, PatientParameters, simulate_patient
from dyssync.simulation.potentials import LEAD_IN_MS
from dyssync.simulation.recording import MARGIN, Setting
from dyssync.simulation.rhythm import atrial_dipole, draw_beats

FS = 500.0
SECONDS = 10.0
SEEN_MV = 0.01  # chosen, RMS of the leads: a tenth of a millimetre on paper
T_LEFT, T_LEFT_MV = 0.05, 0.005  # chosen: less is lost in a tracing's line; recorders store 4.88 uV
CONDUCTIONS = ("normal", "lbbb", "rbbb", "paced")
QRS_MS = {"normal": (80, 100), "lbbb": (135, 175), "rbbb": (125, 155), "paced": (145, 190)}
# Corners of the QRS vector at even steps from its onset to its end: X left, Y foot, Z back, mV.
CORNERS = {
    "normal": ((0, 0, 0), (-0.15, -0.05, -0.25), (1.1, 0.8, 0.1), (0.2, 0.1, 0.6), (0, 0, 0)),
    "lbbb": ((0, 0, 0), (0.4, 0.1, 0.3), (0.9, 0.1, 1.1), (0.8, -0.2, 1.2), (0, 0, 0)),
    "rbbb": ((0, 0, 0), (0.1, 0.1, -0.3), (1.0, 0.6, 0.3), (-0.4, 0.1, -0.6), (0, 0, 0)),
    "paced": ((0, 0, 0), (0.2, -0.5, 0.4), (0.7, -1.1, 0.9), (0.5, -0.8, 0.8), (0, 0, 0)),
}
T_PEAK = {
    "normal": (0.3, 0.22, -0.12),
    "lbbb": (-0.3, 0.1, -0.45),
    "rbbb": (0.28, 0.15, 0.15),
    "paced": (-0.3, 0.35, -0.35),
}


@dataclass(frozen=True)
class MadeECG:
    """An ECG with its truth, ms; `pr_ms` is NaN where it has no P waves."""

    ecg: ECG
    rate: float
    conduction: str
    qrs_ms: float
    pr_ms: float
    qt_ms: float


def times_ms(rng: np.random.Generator, rate: float, conduction: str) -> tuple[float, float, float]:
    """Draw QRS, PR and QT of a heart at `rate`; QT by Bazett, Fridericia or between."""
    rr = 60.0 / rate
    qrs = rng.uniform(*QRS_MS[conduction])
    qt = (rng.uniform(380, 430) + 0.3 * (qrs - 90)) * rr ** rng.uniform(1 / 3, 1 / 2)
    pr = rng.uniform(140, 210) * min(rr, 1.0) ** rng.uniform(0.2, 0.5)
    return qrs, min(pr, 620 * rr), max(min(qt, 900 * rr), qrs + 70)


def drawn(rng: np.random.Generator, rate: float, conduction: str) -> MadeECG:
    """Draw an ECG of straight lines (QRS) and raised cosines (P, T) with noise."""
    qrs, pr, qt = times_ms(rng, rate, conduction)
    n, rr = round(SECONDS * FS), 60.0 / rate
    time = 1000.0 * np.arange(n) / FS
    starts = 1000.0 * (np.cumsum(rr * (1 + 0.01 * rng.standard_normal(round(12 / rr)))) - rr)
    corners = np.array(CORNERS[conduction]) + np.pad(rng.normal(0, 0.06, (3, 3)), ((1, 1), (0, 0)))
    t_peak = np.array(T_PEAK[conduction]) * rng.uniform(0.5, 1.2) + rng.normal(0, 0.04, 3)
    p_peak = np.array((0.07, 0.11, -0.02)) * rng.uniform(0.6, 1.3) + rng.normal(0, 0.015, 3)
    t_from = qrs + rng.uniform(0.0, 0.3) * (qt - qrs)
    t_top = rng.uniform(0.45, 0.65)
    p_length = min(rng.uniform(80, 110), 0.8 * pr)
    dipole = np.zeros((3, n))
    for start in starts:
        at = time - start
        for axis in range(3):
            dipole[axis] += np.interp(at, np.linspace(0, qrs, 5), corners[:, axis], 0, 0)
        dipole += t_peak[:, None] * _bump(at, t_from, qt, t_top)
        dipole += p_peak[:, None] * _bump(at, -pr, p_length - pr, 0.5)
    eight = DOWER @ dipole + _noise(rng, n)
    if conduction == "paced":
        spikes = np.round((starts - 12) * FS / 1000).astype(np.int64)
        eight[:, spikes[(spikes >= 0) & (spikes < n)]] += 1.5
    return MadeECG(ECG(twelve_leads(eight).astype(np.float32), FS), rate, conduction, qrs, pr, qt)


def _bump(at: Floats, start: float, end: float, top: float) -> Floats:
    """Rise as half a cosine from `start`, fall as another to `end`; highest at a share `top`."""
    place = np.clip((at - start) / (end - start), 0.0, 1.0)
    warped = np.where(place < top, 0.5 * place / top, 0.5 + 0.5 * (place - top) / (1 - top))
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * warped))


def _noise(rng: np.random.Generator, n: int) -> Floats:
    """Muscle, white up to Nyquist, and wander of a quarter of a hertz; (8, n) mV."""
    time = np.arange(n) / FS
    turn = 2 * np.pi * (0.25 * time + rng.random((8, 1)))
    white = rng.uniform(0.003, 0.015) * rng.standard_normal((8, n))
    return np.asarray(white + rng.uniform(0.0, 0.06, (8, 1)) * np.sin(turn))


def of_a_virtual_heart(rng: np.random.Generator, rate: float, conduction: str) -> MadeECG:
    """Simulate a heart at `rate`, its action potentials shortened as QT is; at most 200/min."""
    rr = 60.0 / rate
    failing = conduction != "normal"
    clinical = Clinical(float(rng.integers(30, 85)), rng.choice(["F", "M"]), False, 35, 2, af=False)
    ventricles = draw_ventricles(rng, clinical, conduction, failing)
    setting = draw_setting(rng, clinical, conduction, failing)
    shorter = rr ** rng.uniform(1 / 3, 1 / 2)
    slope = ventricles.repolarisation
    slope = replace(
        slope,
        duration_ms=min(slope.duration_ms * shorter, 380.0),
        fall_scale_ms=slope.fall_scale_ms * min(shorter, 1.0),
        early_fall_ms=(85 * min(shorter, 1.0), 55 * min(shorter, 1.0)),
    )
    pr = min(setting.rhythm.pr_ms * min(rr, 1.0) ** rng.uniform(0.2, 0.5), 620 * rr)
    rhythm = replace(
        setting.rhythm, rate=rate, variability=0.01, ectopic_share=0.0, pr_ms=pr,
        p_ms=min(setting.rhythm.p_ms, 0.8 * pr),
    )  # fmt: skip
    patient = PatientParameters(
        clinical,
        replace(ventricles, repolarisation=slope),
        replace(setting, rhythm=rhythm),
        draw_pacing(rng, own_conduction=False),
    )
    p_on = _p_on(patient.setting, deepcopy(rng))
    heart = simulate_patient(patient, rng, with_response=False)
    qrs_on, t_end = _qrs_on(heart.beat), _t_end(heart.beat, heart.beat_truth.qrs_ms)
    ecg, qrs_ms = ECG(heart.signal, FS), heart.beat_truth.qrs_ms
    return MadeECG(ecg, rate, conduction, qrs_ms, qrs_on - p_on, t_end - qrs_on)


def _p_on(setting: Setting, rng: np.random.Generator) -> float:
    """When P, average of the beats and all leads together, is first seen; ms of the activation.

    `rng` is as `simulate_patient` gets it: the atria are drawn as there, first of all.
    """
    recording_rng = rng.spawn(2)[0]
    beats = draw_beats(setting.rhythm, SECONDS + MARGIN, recording_rng)
    times = np.arange(-MARGIN, SECONDS + MARGIN, 1 / FS)
    atria = atrial_dipole(setting.rhythm, beats, times, recording_rng)
    leads = twelve_leads(body_matrix(setting.torso) @ atria)
    around = np.arange(-setting.rhythm.pr_ms - 60, 0.0)  # ms; the P before ends sooner
    whole = [b.at for b in beats if -MARGIN - around[0] / 1000 < b.at < SECONDS]
    p = np.mean([[np.interp(at + around / 1000, times, x) for x in leads] for at in whole], axis=0)
    return float(around[_first_seen(p)]) if _size(p).max() > SEEN_MV else np.nan


def _qrs_on(beat: Floats) -> float:
    """When QRS, all leads together, is first seen; ms of the activation."""
    return float(_first_seen(beat) - LEAD_IN_MS)


def _first_seen(leads: Floats) -> int:
    return int(np.argmax(_size(leads) > SEEN_MV))


def _size(leads: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(leads).mean(axis=0)))


def _t_end(beat: Floats, qrs_ms: float) -> float:
    """When T, all leads together, has fallen to what is left at its end for good; ms."""
    first = LEAD_IN_MS + round(qrs_ms) + 20
    size = _size(beat[:, first:])
    left = max(T_LEFT * float(size.max()), T_LEFT_MV)
    return float(first + np.flatnonzero(size > left)[-1] + 1 - LEAD_IN_MS)
