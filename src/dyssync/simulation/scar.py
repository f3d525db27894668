"""Scar: a patch of the LV wall in the territory of one coronary artery, or in the mid-wall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.simulation.heart import Heart

# Centre of each territory (angle in rad, level), after the 17-segment model (Cerqueira et al.,
# Circulation 2002;105:539-42): LAD supplies the anterior wall, septum and apex, LCX the lateral
# and RCA the inferior wall.
TERRITORIES = {"LAD": (-0.9, 0.70), "LCX": (2.7, 0.45), "RCA": (1.4, 0.40), "mid-wall": (0.1, 0.35)}
EDGE = 0.18  # rad (or level), width of the border zone


@dataclass(frozen=True)
class Scar:
    """Where scar lies: territory, half width (rad, or levels times 1.6), depth and density 0-1."""

    territory: str
    half_width: float
    transmurality: float = 0.7
    density: float = 0.9


def scar_density(heart: Heart, scar: Scar | None) -> Floats:
    """Return how much of each node is scar, (n,), 0-1; none outside the LV."""
    if scar is None:
        return np.zeros(len(heart))
    angle, level = TERRITORIES[scar.territory]
    away = np.angle(np.exp(1j * (heart.angle - angle)))
    ring = np.sqrt(np.maximum(1 - heart.level**2, 0.05))
    distance = np.hypot(away * ring, 1.6 * (heart.level - level))
    across = 1 / (1 + np.exp((distance - scar.half_width) / (0.25 * EDGE)))
    if scar.territory == "mid-wall":
        through = np.exp(-(((heart.depth - 0.5) / (0.15 + 0.35 * scar.transmurality)) ** 2))
    else:  # ischaemic scar grows from the endocardium outwards
        through = 1 / (1 + np.exp((heart.depth - scar.transmurality) / 0.06))
    density: Floats = np.where(heart.is_lv, scar.density * across * through, 0.0)
    return density


def living_share(density: Floats) -> Floats:
    """Return how much of each node still has an action potential, (n,), 0-1.

    Less than one minus the density: what survives inside dense scar is thin strands that couple
    too little to be seen from the skin.
    """
    alive: Floats = np.clip(1 - 1.2 * density, 0, 1)
    return alive


def scar_burden(heart: Heart, density: Floats) -> float:
    """Return the share of LV muscle that is scar, 0-1."""
    return float(density[heart.is_lv].mean())
