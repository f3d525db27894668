"""Scar: a patch of the LV wall in the territory of one coronary artery, or in the mid-wall."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dyssync.arrays import Floats
from dyssync.simulation.heart import Heart
from dyssync.simulation.texture import unevenness

# Centre of each territory (angle in rad, level), after the 17-segment model (Cerqueira et al.,
# Circulation 2002;105:539-42): LAD supplies the anterior wall, septum and apex, LCX the lateral
# and RCA the inferior wall.
TERRITORIES = {"LAD": (-0.9, 0.70), "LCX": (2.7, 0.45), "RCA": (1.4, 0.40), "mid-wall": (0.1, 0.35)}


@dataclass(frozen=True)
class Scar:
    """Where scar lies: territory, half width (rad), depth and density 0-1.

    `stretch` is how many rad a level counts (a smaller one makes the patch longer towards base and
    apex), `edge` the scale of the logistic border (rad), `patches` a texture of islands of living
    muscle in it, SD 1 for one half in the middle.
    """

    territory: str
    half_width: float
    transmurality: float = 0.7
    density: float = 0.9
    stretch: float = 1.6
    edge: float = 0.045
    patches: Floats = field(default_factory=lambda: np.zeros((0, 5)))


def scar_density(heart: Heart, scar: Scar | None) -> Floats:
    """Return how much of each node is scar, (n,), 0-1; none outside the LV."""
    if scar is None:
        return np.zeros(len(heart))
    angle, level = TERRITORIES[scar.territory]
    away = np.angle(np.exp(1j * (heart.angle - angle)))
    ring = np.sqrt(np.maximum(1 - heart.level**2, 0.05))
    distance = np.hypot(away * ring, scar.stretch * (heart.level - level))
    across = 1 / (1 + np.exp((distance - scar.half_width) / scar.edge))
    if scar.territory == "mid-wall":
        through = np.exp(-(((heart.depth - 0.5) / (0.15 + 0.35 * scar.transmurality)) ** 2))
    else:  # ischaemic scar grows from the endocardium outwards
        through = 1 / (1 + np.exp((heart.depth - scar.transmurality) / 0.06))
    if len(scar.patches):
        across *= 1 / (1 + np.exp(-3 * (0.7 + unevenness(heart.position, scar.patches))))
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
