"""Drawing a heart: its shape and speeds, where excitation enters it, how it recovers, its scar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dyssync.simulation.activation import EPICARDIUM, LV, RIGHT_WALL, BlockLine, Site, Tissue
from dyssync.simulation.choices import CALIBRATED, Choices
from dyssync.simulation.conduction import draw_sites
from dyssync.simulation.heart import HeartShape
from dyssync.simulation.patient import Clinical, Ventricles
from dyssync.simulation.potentials import Repolarisation
from dyssync.simulation.scar import Scar
from dyssync.simulation.texture import draw_texture


def draw_ventricles(
    rng: np.random.Generator,
    clinical: Clinical,
    conduction: str,
    failing: bool,
    choices: Choices = CALIBRATED,
) -> Ventricles:
    """Draw one heart.

    Args:
        rng: what is drawn from.
        clinical: size and scar go by sex, ejection fraction and aetiology.
        conduction: its kind.
        failing: a dilated heart; else a healthy one.
        choices: of the simulator.
    """
    shape = _draw_shape(rng, clinical, conduction, failing, choices)
    tissue = _draw_tissue(rng, conduction, choices)
    left_delay = _draw_left_delay(rng, conduction, choices)
    return Ventricles(
        conduction=conduction,
        shape=shape,
        tissue=tissue,
        repolarisation=_draw_repolarisation(rng, conduction, failing, choices),
        sites=draw_sites(conduction, rng, left_delay_ms=left_delay, table=choices.sites),
        focus=Site(
            str(rng.choice([LV, RIGHT_WALL, EPICARDIUM])),
            rng.uniform(-np.pi, np.pi),
            rng.uniform(0.1, 0.8),
        ),
        scar=_draw_scar(rng, clinical.ischaemic, choices),
    )


def _draw_shape(
    rng: np.random.Generator,
    clinical: Clinical,
    conduction: str,
    failing: bool,
    choices: Choices,
) -> HeartShape:
    small = 0.90 if clinical.sex == "F" else 1.0
    if failing:
        # The lower the ejection fraction, the larger the cavity.
        radius = small * (32.5 - 0.18 * (clinical.lvef - 26) + rng.normal(0, 3.2))
        length = radius * rng.normal(*choices.elongation)
    else:
        radius = small * rng.normal(24.5, 1.6)
        length = radius * rng.normal(1.68, 0.07)
    if failing and conduction.startswith("rbbb"):
        rv_wall, rv_size = 7.0, 1.18
    else:
        rv_wall, rv_size = (5.6, 1.05) if failing else (4.0, 1.0)
    wall = choices.wall if failing else (9.2, 1.0)
    return replace(
        choices.shape,
        lv_radius=float(np.clip(radius, 20, 42)),
        lv_length=float(np.clip(length, 34, 64)),
        lv_wall=float(small**0.5 * np.clip(rng.normal(*wall), 7, 13)),
        rv_wall=float(np.clip(rng.normal(rv_wall, 0.6), 3.0, 9)),
        rv_size=float(np.clip(rng.normal(rv_size, 0.06), 0.85, 1.35)),
    )


def _draw_tissue(rng: np.random.Generator, conduction: str, choices: Choices) -> Tissue:
    speed, lv_factor, rv_factor = choices.speeds[conduction]
    tissue = replace(
        choices.tissue,
        speed=float(np.clip(rng.normal(*speed), 0.3, 0.75)),
        transmural_ratio=float(np.clip(rng.normal(*choices.transmural_ratio), 0.38, 0.7)),
        lv_endocardial_factor=float(np.clip(rng.normal(*lv_factor), 1.05, 3.2)),
        rv_endocardial_factor=float(np.clip(rng.normal(*rv_factor), 1.05, 3.2)),
        texture=draw_texture(rng, choices.unevenness),
    )
    if not choices.block_lines or conduction.startswith("rbbb"):
        return tissue
    if rng.random() > choices.block_lines:
        return tissue
    # anterior most often, or inferior, beside the septum (Auricchio 2004)
    angle = rng.normal(-0.9, 0.3) if rng.random() < 0.7 else rng.normal(1.1, 0.3)
    return replace(tissue, lines=(BlockLine(float(angle), float(rng.uniform(0.6, 0.9))),))


def _draw_repolarisation(
    rng: np.random.Generator, conduction: str, failing: bool, choices: Choices
) -> Repolarisation:
    even = conduction in ("normal", "lafb", "lpfb")
    transmural = choices.transmural_ms if failing else (16, 6)
    apicobasal = choices.apicobasal_ms if failing else (23, 8)
    adaptation = (1.15, 0.08) if even else choices.adaptation
    return replace(
        choices.repolarisation,
        duration_ms=float(rng.normal(300 if failing else 285, 18)),
        transmural_ms=float(np.clip(rng.normal(*transmural), 0, 60)),
        apicobasal_ms=float(rng.normal(*apicobasal)),
        adaptation=float(np.clip(rng.normal(*adaptation), 0.25, 1.5)),
        fall_scale_ms=float(np.clip(rng.normal(*choices.fall_scale_ms), 14, 32)),
        early_share=float(np.clip(rng.normal(*choices.early_share), 0.05, 0.6)),
        texture=draw_texture(rng, 7.0),
    )


def _draw_left_delay(rng: np.random.Generator, conduction: str, choices: Choices) -> float:
    """Draw how late the left branch delivers, ms; 0 for not late, or (LBBB) not at all."""
    if conduction == "lbbb" and rng.random() < choices.late_left:
        return float(rng.uniform(*choices.late_left_ms))
    if conduction == "ivcd":
        return float(rng.uniform(*choices.ivcd_late_ms))
    return 0.0


def _draw_scar(rng: np.random.Generator, ischaemic: bool, choices: Choices) -> Scar | None:
    if ischaemic:
        if rng.random() < 0.1:
            return None
        territory = str(rng.choice(["LAD", "RCA", "LCX"], p=[0.45, 0.33, 0.22]))
        scar = replace(
            choices.scar,
            territory=territory,
            half_width=float(np.clip(rng.normal(0.75, 0.22), 0.25, 1.3)),
            transmurality=float(np.clip(rng.normal(0.65, 0.18), 0.2, 1.0)),
            density=float(rng.uniform(0.8, 1.0)),
        )
    # mid-wall fibrosis: about 30 % of dilated hearts (Gulati, JAMA 2013)
    elif rng.random() < 0.3:
        scar = replace(
            choices.scar,
            territory="mid-wall",
            half_width=float(rng.uniform(0.3, 0.7)),
            transmurality=float(rng.uniform(0.2, 0.6)),
            density=0.6,
        )
    else:
        return None
    return replace(scar, patches=draw_texture(rng, choices.patchy)) if choices.patchy else scar
