"""Domain randomisation: one patient's parameters spread beyond those of any calibrated population.

What an encoder learns on a wide population must not hang on the torsos, speeds or recorders that a
calibrated one happens to have. Spreads are about 1.5 to 2 times the calibrated ones (an own part is
added: SD 1.2 to 1.7 times that of the population), medians stay, all is clipped to what hearts and
electrocardiographs can be. All numbers here are chosen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dyssync.arrays import Floats
from dyssync.simulation.activation import Tissue
from dyssync.simulation.heart import HeartShape
from dyssync.simulation.leads import Torso
from dyssync.simulation.noise import Noise
from dyssync.simulation.patient import PatientParameters, Ventricles
from dyssync.simulation.potentials import Repolarisation
from dyssync.simulation.recording import Setting
from dyssync.simulation.scar import Scar
from dyssync.simulation.texture import draw_texture

SCARRED = 0.2  # of all hearts get a scar of any place and size instead of their own
HIGH_V1_V2, MOVED_CHEST, SWAPPED_ARMS = 0.10, 0.15, 0.02  # shares of recordings
QUANTA_MV = (0.001, 0.002, 0.00244, 0.00488, 0.005)  # of 12 to 16 bits over 10 mV


def widen(parameters: PatientParameters, rng: np.random.Generator) -> PatientParameters:
    """Return the patient with everything but clinical facts and pacing spread further."""
    return replace(
        parameters,
        ventricles=_widen_ventricles(parameters.ventricles, rng),
        setting=_widen_setting(parameters.setting, rng),
    )


def _scaled(
    rng: np.random.Generator, value: float, log_sd: float, low: float, high: float
) -> float:
    """Return `value` times a log-normal factor of median 1, kept between two limits."""
    return float(np.clip(value * np.exp(rng.normal(0, log_sd)), low, high))


def _moved(rng: np.random.Generator, value: float, sd: float, low: float, high: float) -> float:
    return float(np.clip(value + rng.normal(0, sd), low, high))


def _widen_ventricles(heart: Ventricles, rng: np.random.Generator) -> Ventricles:
    scar = heart.scar
    if rng.random() < SCARRED:
        scar = Scar(
            str(rng.choice(["LAD", "RCA", "LCX", "mid-wall"])),
            half_width=float(rng.uniform(0.2, 1.4)),
            transmurality=float(rng.uniform(0.2, 1.0)),
            density=float(rng.uniform(0.5, 1.0)),
            stretch=float(rng.uniform(1.1, 2.1)),
            edge=float(rng.uniform(0.03, 0.12)),
            patches=draw_texture(rng, 1.0) if rng.random() < 0.5 else np.zeros((0, 5)),
        )
    late = float(np.exp(rng.normal(0, 0.4)))  # slow branches, slower or less
    sites = tuple(
        replace(
            site,
            angle=site.angle + rng.normal(0, 0.15),
            level=_moved(rng, site.level, 0.06, 0.1, 0.97),
            delay_ms=site.delay_ms * late,
        )
        for site in heart.sites
    )
    return replace(
        heart,
        shape=_widen_shape(heart.shape, rng),
        tissue=_widen_tissue(heart.tissue, rng),
        repolarisation=_widen_repolarisation(heart.repolarisation, rng),
        sites=sites,
        scar=scar,
    )


def _widen_shape(shape: HeartShape, rng: np.random.Generator) -> HeartShape:
    size = float(np.exp(rng.normal(0, 0.07)))
    return replace(
        shape,
        lv_radius=_scaled(rng, shape.lv_radius * size, 0.07, 18, 44),
        lv_length=_scaled(rng, shape.lv_length * size, 0.05, 32, 68),
        lv_wall=_scaled(rng, shape.lv_wall, 0.14, 6, 16),
        rv_wall=_scaled(rng, shape.rv_wall, 0.15, 2.8, 10),
        rv_size=_scaled(rng, shape.rv_size, 0.08, 0.8, 1.45),
        base_level=_moved(rng, shape.base_level, 0.05, -0.55, -0.25),
        apex_wall=float(rng.uniform(0.7, 1.15)),
        rv_offset=_scaled(rng, shape.rv_offset, 0.08, 0.5, 0.8),
    )


def _widen_tissue(tissue: Tissue, rng: np.random.Generator) -> Tissue:
    return replace(
        tissue,
        speed=_scaled(rng, tissue.speed, 0.13, 0.25, 0.85),
        transmural_ratio=_scaled(rng, tissue.transmural_ratio, 0.12, 0.35, 0.85),
        lv_endocardial_factor=_scaled(rng, tissue.lv_endocardial_factor, 0.17, 1.0, 3.6),
        rv_endocardial_factor=_scaled(rng, tissue.rv_endocardial_factor, 0.17, 1.0, 3.6),
        scar_factor=float(rng.uniform(0.15, 0.5)),
        texture=draw_texture(rng, float(rng.uniform(0.12, 0.4))),
    )


def _widen_repolarisation(potential: Repolarisation, rng: np.random.Generator) -> Repolarisation:
    before, sd = potential.early_fall_ms
    return replace(
        potential,
        duration_ms=_moved(rng, potential.duration_ms, 28, 200, 400),
        transmural_ms=_moved(rng, potential.transmural_ms, 9, -10, 60),
        apicobasal_ms=_moved(rng, potential.apicobasal_ms, 12, -25, 60),
        adaptation=_moved(rng, potential.adaptation, 0.14, 0.1, 1.6),
        fall_scale_ms=_scaled(rng, potential.fall_scale_ms, 0.2, 10, 40),
        early_share=_moved(rng, potential.early_share, 0.14, 0.0, 0.7),
        early_fall_ms=(_scaled(rng, before, 0.2, 40, 140), _scaled(rng, sd, 0.2, 25, 80)),
        texture=draw_texture(rng, float(rng.uniform(3, 14))),
    )


def _widen_setting(setting: Setting, rng: np.random.Generator) -> Setting:
    rhythm = setting.rhythm
    return replace(
        setting,
        torso=_widen_torso(setting.torso, rng),
        rhythm=replace(
            rhythm,
            rate=_scaled(rng, rhythm.rate, 0.18, 38, 150),
            variability=_scaled(rng, rhythm.variability, 0.5, 0.003, 0.3),
            pr_ms=_scaled(rng, rhythm.pr_ms, 0.12, 100, 360),
            p_ms=_scaled(rng, rhythm.p_ms, 0.12, 70, 180),
            p_mv=_scaled(rng, rhythm.p_mv, 0.35, 0.02, 0.3),
        ),
        noise=_widen_noise(setting.noise, rng),
        breath_turn=_scaled(rng, setting.breath_turn, 0.5, 0, 0.2),
        spike_mv=_scaled(rng, setting.spike_mv, 0.7, 0, 4),
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
    low_pass = float(np.exp(rng.uniform(np.log(40), np.log(150))))
    return replace(
        noise,
        wander_mv=_scaled(rng, noise.wander_mv, 0.8, 0.001, 0.4),
        muscle_mv=_scaled(rng, noise.muscle_mv, 0.8, 0.0003, 0.1),
        mains_mv=_scaled(rng, noise.mains_mv, 1.2, 0.0, 0.1),
        steps=0.3,
        high_pass=float(np.exp(rng.uniform(np.log(0.05), np.log(0.5)))),
        low_pass=low_pass,
        wander_hz=float(rng.uniform(0.15, 0.8)),
        muscle_hz=float(rng.uniform(20, 70)),
        quantum_mv=float(rng.choice(QUANTA_MV)),
        # The simulator has nothing above 250 Hz, so 1000 Hz would store what 500 Hz do.
        stored_hz=float(rng.choice([250.0, 500.0])),
    )
