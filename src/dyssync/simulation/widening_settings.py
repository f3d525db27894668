"""Domain randomisation of what lies round the ventricles, as `widening` has it; numbers chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dyssync.arrays import Floats
from dyssync.simulation.leads import Torso
from dyssync.simulation.noise import Noise
from dyssync.simulation.recording import Setting
from dyssync.simulation.spreading import scaled

HIGH_V1_V2, MOVED_CHEST, SWAPPED_ARMS = 0.10, 0.15, 0.02  # shares of recordings
FLOOR_MV = 0.002  # median; both collections hold power at 120-240 Hz that no heart makes
QUANTA_MV = (0.001, 0.002, 0.00244, 0.00488, 0.005)  # of 12 to 16 bits over 10 mV


def widen_setting(setting: Setting, rng: np.random.Generator) -> Setting:
    """Return the setting with torso, electrodes, rhythm, noise and recorder spread further."""
    rhythm = setting.rhythm
    return replace(
        setting,
        torso=_widen_torso(setting.torso, rng),
        rhythm=replace(
            rhythm,
            rate=scaled(rng, rhythm.rate, 0.18, 38, 150),
            variability=scaled(rng, rhythm.variability, 0.5, 0.003, 0.3),
            pr_ms=scaled(rng, rhythm.pr_ms, 0.12, 100, 360),
            p_ms=scaled(rng, rhythm.p_ms, 0.12, 70, 180),
            p_mv=scaled(rng, rhythm.p_mv, 0.3, 0.02, 0.3),
        ),
        noise=_widen_noise(setting.noise, rng),
        breath_turn=scaled(rng, setting.breath_turn, 0.5, 0, 0.2),
        spike_mv=scaled(rng, setting.spike_mv, 0.7, 0, 4),
        arms_swapped=setting.arms_swapped or bool(rng.random() < SWAPPED_ARMS),
    )


def _widen_torso(torso: Torso, rng: np.random.Generator) -> Torso:
    axis = np.array(torso.axis) + rng.normal(0, 0.13, 3)
    shift = torso.lead_shift + rng.normal(0, 0.07, (8, 3))
    if rng.random() < HIGH_V1_V2:
        shift[:2, 1] -= rng.uniform(0.2, 0.6)
    matrix = torso.matrix
    if rng.random() < MOVED_CHEST:
        matrix = _move_chest_electrodes(matrix, float(rng.uniform(-0.7, 0.7)))
    return replace(
        torso,
        axis=(float(axis[0]), float(axis[1]), float(axis[2])),
        roll=torso.roll + float(rng.normal(0, 0.3)),
        gain=torso.gain * float(np.exp(rng.normal(0, 0.2))),
        lead_gain=torso.lead_gain * np.exp(rng.normal(0, [0.15] * 6 + [0.09] * 2)),
        lead_shift=shift,
        matrix=matrix,
        near_mm=torso.near_mm * np.exp(rng.normal(0, 0.15)),
    )


def _move_chest_electrodes(matrix: Floats, places: float) -> Floats:
    """Return the matrix with V1-V6 moved by a part of the way to their neighbours (to V6: > 0)."""
    at = np.clip(np.arange(6) + places, 0, 5)
    low = np.minimum(at.astype(np.int64), 4)
    share = (at - low)[:, None]
    moved = matrix.copy()
    moved[:6] = (1 - share) * matrix[low] + share * matrix[low + 1]
    return moved


def _widen_noise(noise: Noise, rng: np.random.Generator) -> Noise:
    return replace(
        noise,
        wander_mv=scaled(rng, noise.wander_mv, 0.8, 0.001, 0.4),
        muscle_mv=scaled(rng, noise.muscle_mv, 0.8, 0.0003, 0.1),
        mains_mv=scaled(rng, noise.mains_mv, 1.2, 0.0, 0.1),
        steps=0.3,
        high_pass=float(np.exp(rng.uniform(np.log(0.05), np.log(0.5)))),
        # 250 Hz leaves all that 500 Hz can hold: research recorders filter no further.
        low_pass=float(np.exp(rng.uniform(np.log(40), np.log(250)))),
        wander_hz=float(rng.uniform(0.15, 0.8)),
        muscle_hz=float(rng.uniform(20, 70)),
        floor_mv=scaled(rng, FLOOR_MV, 0.8, 0.0, 0.02),
        quantum_mv=float(rng.choice(QUANTA_MV)),
        # The simulator has nothing above 250 Hz, so 1000 Hz would store what 500 Hz do.
        stored_hz=float(rng.choice([250.0, 500.0], p=[0.3, 0.7])),
    )
