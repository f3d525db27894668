"""Domain randomisation: one patient's parameters spread beyond those of any calibrated population.

What an encoder learns on a wide population must not hang on the torsos, speeds or recorders that a
calibrated one happens to have. Spreads are about 1.5 to 2 times the calibrated ones (an own part is
added: SD 1.2 to 1.7 times that of the population), medians stay but where real ECGs said otherwise
(:data:`EVEN`), all is clipped to what hearts and electrocardiographs can be. Numbers are chosen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dyssync.simulation.activation import Tissue
from dyssync.simulation.heart import HeartShape
from dyssync.simulation.patient import PatientParameters, Ventricles
from dyssync.simulation.potentials import Repolarisation
from dyssync.simulation.scar import Scar
from dyssync.simulation.spreading import moved, scaled
from dyssync.simulation.texture import draw_texture
from dyssync.simulation.widening_settings import widen_setting

SCARRED = 0.2  # of all hearts get a scar of any place and size instead of their own
# Against LUDB and CinC the hearts of normal conduction had QRS too round and T too large: R peaks
# half as sharp (kurtosis 5, real 10 to 13), a third of the power at 20-40 Hz (make bench-realism).
EVEN = ("normal", "lafb", "lpfb")
EVEN_SPEED, EVEN_ENDOCARDIUM, EVEN_GRADIENT = 1.25, 1.15, 0.6
# Of the width of the RV, its wall may be no more: one of 20,000 hearts had no cavity left.
RV_WALL_SHARE = 0.42


def widen(parameters: PatientParameters, rng: np.random.Generator) -> PatientParameters:
    """Return the patient with everything but clinical facts and pacing spread further."""
    return replace(
        parameters,
        ventricles=_widen_ventricles(parameters.ventricles, rng),
        setting=widen_setting(parameters.setting, rng),
    )


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
            level=moved(rng, site.level, 0.06, 0.1, 0.97),
            delay_ms=site.delay_ms * late,
        )
        for site in heart.sites
    )
    if heart.conduction in EVEN:
        heart = _sharpened(heart)
    return replace(
        heart,
        shape=_widen_shape(heart.shape, rng),
        tissue=_widen_tissue(heart.tissue, rng),
        repolarisation=_widen_repolarisation(heart.repolarisation, rng),
        sites=sites,
        scar=scar,
    )


def _sharpened(heart: Ventricles) -> Ventricles:
    """Return a heart of normal conduction that is excited faster and recovers more evenly."""
    tissue, potential = heart.tissue, heart.repolarisation
    return replace(
        heart,
        tissue=replace(
            tissue,
            speed=EVEN_SPEED * tissue.speed,
            lv_endocardial_factor=EVEN_ENDOCARDIUM * tissue.lv_endocardial_factor,
        ),
        repolarisation=replace(
            potential,
            transmural_ms=EVEN_GRADIENT * potential.transmural_ms,
            apicobasal_ms=EVEN_GRADIENT * potential.apicobasal_ms,
        ),
    )


def _widen_shape(shape: HeartShape, rng: np.random.Generator) -> HeartShape:
    size = float(np.exp(rng.normal(0, 0.07)))
    wide = replace(
        shape,
        lv_radius=scaled(rng, shape.lv_radius * size, 0.07, 18, 44),
        lv_length=scaled(rng, shape.lv_length * size, 0.05, 32, 68),
        lv_wall=scaled(rng, shape.lv_wall, 0.14, 6, 16),
        rv_wall=scaled(rng, shape.rv_wall, 0.15, 2.8, 10),
        rv_size=scaled(rng, shape.rv_size, 0.08, 0.8, 1.45),
        base_level=moved(rng, shape.base_level, 0.05, -0.55, -0.25),
        apex_wall=float(rng.uniform(0.7, 1.15)),
        rv_offset=scaled(rng, shape.rv_offset, 0.08, 0.5, 0.8),
    )
    room = RV_WALL_SHARE * wide.lv_radius * wide.rv_size
    return replace(wide, rv_wall=min(wide.rv_wall, room))


def _widen_tissue(tissue: Tissue, rng: np.random.Generator) -> Tissue:
    return replace(
        tissue,
        speed=scaled(rng, tissue.speed, 0.13, 0.25, 0.85),
        transmural_ratio=scaled(rng, tissue.transmural_ratio, 0.12, 0.35, 0.85),
        lv_endocardial_factor=scaled(rng, tissue.lv_endocardial_factor, 0.17, 1.0, 3.6),
        rv_endocardial_factor=scaled(rng, tissue.rv_endocardial_factor, 0.17, 1.0, 3.6),
        scar_factor=float(rng.uniform(0.15, 0.5)),
        texture=draw_texture(rng, float(rng.uniform(0.12, 0.4))),
    )


def _widen_repolarisation(potential: Repolarisation, rng: np.random.Generator) -> Repolarisation:
    before, sd = potential.early_fall_ms
    return replace(
        potential,
        duration_ms=moved(rng, potential.duration_ms, 28, 200, 400),
        transmural_ms=moved(rng, potential.transmural_ms, 9, -10, 60),
        apicobasal_ms=moved(rng, potential.apicobasal_ms, 12, -25, 60),
        adaptation=moved(rng, potential.adaptation, 0.14, 0.1, 1.6),
        fall_scale_ms=scaled(rng, potential.fall_scale_ms, 0.2, 10, 40),
        early_share=moved(rng, potential.early_share, 0.14, 0.0, 0.7),
        early_fall_ms=(scaled(rng, before, 0.2, 40, 140), scaled(rng, sd, 0.2, 25, 80)),
        texture=draw_texture(rng, float(rng.uniform(3, 14))),
    )
