"""From a map over the picture to leads: whose box holds how much, and what a map is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.ecg import LEADS, LIMB_LEADS
from dyssync.rendering import LeadBox

PRECORDIAL, LIMB, BOTH, NONE = "precordial", "limb", "both", "none"
REGIONS = (PRECORDIAL, LIMB, BOTH, NONE)


@dataclass(frozen=True)
class LeadWeights:
    """Where the boxes of a picture lie, as one matrix on the cells of a map.

    Attributes:
        weights: (12, h * w): energy of each lead's boxes for unit energy in each cell of the map.
        areas: (12,) area of each lead's boxes, px^2.
    """

    weights: Floats
    areas: Floats

    @property
    def limb_area_share(self) -> float:
        """Share of the boxes' area that limb leads have: what an even map would give them."""
        return float(self.areas[: len(LIMB_LEADS)].sum() / self.areas.sum())


def lead_weights(
    boxes: Sequence[LeadBox], size: tuple[int, int], map_shape: tuple[int, int]
) -> LeadWeights:
    """Return the matrix that takes a map's cells to leads.

    The map is spread over the picture by bilinear interpolation, which is linear: each cell's share
    in each box is computed once and serves all maps.

    Args:
        boxes: of the leads, px; a lead may have several (rhythm strip).
        size: of the picture, (H, W) px.
        map_shape: (h, w) of the map.
    """
    cells = np.eye(map_shape[0] * map_shape[1], dtype=np.float32).reshape(-1, *map_shape)
    spread = [cv2.resize(cell, size[::-1], interpolation=cv2.INTER_LINEAR) for cell in cells]
    weights, areas = np.zeros((len(LEADS), len(cells))), np.zeros(len(LEADS))
    for box in boxes:
        rows = slice(max(0, round(box.y0)), max(0, round(box.y1)))
        columns = slice(max(0, round(box.x0)), max(0, round(box.x1)))
        lead = LEADS.index(box.lead)
        areas[lead] += spread[0][rows, columns].size
        weights[lead] += [float(s[rows, columns].sum()) for s in spread]
    return LeadWeights(weights, areas)


def lead_shares(maps: Singles, held: LeadWeights) -> Floats:
    """Return the share of positive map energy in each lead, (n, 12); NaN rows for empty maps."""
    energy = maps.reshape(len(maps), -1).astype(np.float64) @ held.weights.T
    total = energy.sum(axis=1, keepdims=True)
    empty = np.full_like(energy, np.nan)
    shares: Floats = np.divide(energy, total, out=empty, where=total > 0)
    return shares


def call_region(shares: Floats, held: LeadWeights, cut: float = 0.6) -> str:
    """Return precordial, limb or both; none for an empty map.

    Energy per unit area of limb and of precordial boxes is compared; the side that has at least
    `cut` of their sum gives the name, and a layout with more limb area favours nobody.
    """
    if not np.isfinite(shares).all():
        return NONE
    limb = shares[: len(LIMB_LEADS)].sum() / held.areas[: len(LIMB_LEADS)].sum()
    chest = shares[len(LIMB_LEADS) :].sum() / held.areas[len(LIMB_LEADS) :].sum()
    limb_part = limb / (limb + chest)
    return LIMB if limb_part >= cut else PRECORDIAL if limb_part <= 1 - cut else BOTH


def call_regions(shares: Floats, held: LeadWeights, cut: float = 0.6) -> tuple[str, ...]:
    """Return what each of n maps is called, from their shares by lead, (n, 12)."""
    return tuple(call_region(row, held, cut) for row in shares)
