"""When the heart beats in a recording, and what the atria add: P waves or fibrillation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats

# Right, then left atrium: direction in X left, Y foot, Z back, and share of the P amplitude. The
# sum gives an upright P in I and II and a biphasic one in V1 (Puech's and later vector studies).
ATRIA = ((np.array([0.40, 0.85, -0.35]), 1.0), (np.array([0.80, 0.35, 0.50]), 0.8))
ATRIAL_SHIFT = 0.18  # of the directions, relative to their length, between patients
ATRIAL_JITTER = 0.10  # of the size, between beats
FIBRILLATION_HZ = (4.5, 8.5)  # dominant atrial frequency, Holm et al. 1998, Cardiovasc Res 38:69-81


@dataclass(frozen=True)
class Rhythm:
    """Rate and atria of one patient. Intervals in ms, `p_mv` the peak of the P vector in mV."""

    rate: float = 70.0  # a minute
    variability: float = 0.03  # SD of RR relative to its mean (AF: about 0.2)
    breaths: float = 15.0  # a minute
    af: bool = False
    ectopic_share: float = 0.0  # of all beats, ventricular
    pr_ms: float = 180.0
    p_ms: float = 110.0
    p_mv: float = 0.12


@dataclass(frozen=True)
class Beat:
    """One ventricular beat: start of its activation (s), and whether it is ectopic."""

    at: float
    ectopic: bool


def draw_beats(rhythm: Rhythm, seconds: float, rng: np.random.Generator) -> list[Beat]:
    """Draw the beats that touch a recording of `seconds`; the first starts before 0."""
    mean = 60 / rhythm.rate
    at = -1.0 - mean * rng.random()
    phase = 2 * np.pi * rng.random()
    beats = [Beat(at, False)]
    pause = False
    while at < seconds:
        breath = np.sin(2 * np.pi * rhythm.breaths / 60 * at + phase)
        spread = rhythm.variability
        if rhythm.af:
            interval = mean * np.exp(rng.normal(0, max(spread, 0.15)))
        else:
            interval = mean * (1 + spread * (0.9 * breath + 0.6 * rng.normal()))
        ectopic = bool(rng.random() < rhythm.ectopic_share) and not pause
        if ectopic:  # premature, and followed by a compensatory pause
            interval *= rng.uniform(0.55, 0.75)
        elif pause:
            interval *= rng.uniform(1.25, 1.4)
        at += max(float(interval), 0.3)
        beats.append(Beat(at, ectopic))
        pause = ectopic
    return beats


def atrial_dipole(
    rhythm: Rhythm, beats: list[Beat], times: Floats, rng: np.random.Generator
) -> Floats:
    """Return the dipole of the atria in body coordinates, (3, len(times)), mV; `times` in s."""
    if rhythm.af:
        return _fibrillation(rhythm, times, rng)
    dipole = np.zeros((3, len(times)))
    own = rng.normal(0, ATRIAL_SHIFT, (len(ATRIA), 3))  # no two patients' atria lie alike
    width = rhythm.p_ms / 1000 / 5.2  # a Gaussian is visible for about 4.2 SD, the two lie apart
    for beat in beats:
        if beat.ectopic:
            continue
        start = beat.at - rhythm.pr_ms / 1000 + rng.normal(0, 0.003)
        sizes = rhythm.p_mv * np.exp(rng.normal(0, ATRIAL_JITTER, len(ATRIA)))
        for order, (direction, share) in enumerate(ATRIA):
            middle = start + (0.40 + 0.30 * order) * rhythm.p_ms / 1000
            near = slice(*np.searchsorted(times, (middle - 4 * width, middle + 4 * width)))
            bump = np.exp(-0.5 * ((times[near] - middle) / width) ** 2)
            vector = (direction + own[order])[:, None]
            dipole[:, near] += sizes[order] * share * 0.75 * vector * bump
    return dipole


def _fibrillation(rhythm: Rhythm, times: Floats, rng: np.random.Generator) -> Floats:
    dipole = np.zeros((3, len(times)))
    step = times[1] - times[0]
    for _ in range(3):
        base = rng.uniform(*FIBRILLATION_HZ)
        slow = np.interp(times, np.linspace(times[0], times[-1], 12), rng.normal(0, 0.7, 12))
        phase = 2 * np.pi * (np.cumsum(base + slow) * step + rng.random())
        size = np.interp(times, np.linspace(times[0], times[-1], 9), rng.uniform(0.3, 1.0, 9))
        wave = np.sin(phase) + 0.3 * np.sin(2 * phase + 1.0)
        direction = np.array([-0.35, 0.45, -0.8]) + rng.normal(0, 0.25, 3)  # largest in V1
        dipole += 0.45 * rhythm.p_mv * direction[:, None] * (size * wave)
    return dipole
