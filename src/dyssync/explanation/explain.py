"""What a network on pictures looked at, recording by recording: maps, and their shares by lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Bytes, Floats, Singles
from dyssync.explanation.gradcam import gradcam
from dyssync.explanation.maps import CamMaps, MapBox
from dyssync.explanation.regions import LeadWeights, call_regions, lead_shares, lead_weights
from dyssync.image import Input
from dyssync.learning.network import STAGES
from dyssync.learning.network_input import stack
from dyssync.models.protocols import LooksAtPictures


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a network looked at in n recordings.

    Attributes:
        patients: (n,) their ids, "None" where there is none.
        p: (n,) float64, probability of response, 0-1.
        maps: (n) maps, pictures and the cells of the leads.
        weights: from the cells of a map to leads.
        shares: (n, 12) float64, share of each map in each lead; NaN for an empty map.
        regions: (n,) what each map is called: precordial, limb, both or none.
    """

    patients: tuple[str, ...]
    p: Floats
    maps: CamMaps
    weights: LeadWeights
    shares: Floats
    regions: tuple[str, ...]


def explain(model: LooksAtPictures, inputs: Sequence[Input], stage: str, cut: float) -> Explanation:
    """Return Grad-CAM maps of what speaks for response, and their shares by lead.

    Nothing is drawn, written or scaled here.

    Args:
        model: fitted.
        inputs: signals; where the leads of a user's own picture stand is not known.
        stage: of the encoder, such as "layer4".
        cut: share of one side from which a map is called by it, above 0.5 and at most 1.
    """
    pictures = np.stack([model.picture(x).image for x in inputs])
    maps = _maps(model, inputs, pictures, stage)
    cells = model.lead_boxes()
    weights = lead_weights(cells, model.size, maps.shape[1:])
    shares = lead_shares(maps, weights)
    boxes = tuple(MapBox(box.lead, box.x0, box.y0, box.x1, box.y1) for box in cells)
    return Explanation(
        patients=tuple(str(one.patient_id) for one in inputs),
        p=model.response_probability(inputs),
        maps=CamMaps(maps, pictures, boxes),
        weights=weights,
        shares=shares,
        regions=call_regions(shares, weights, cut),
    )


def _maps(model: LooksAtPictures, inputs: Sequence[Input], pictures: Bytes, stage: str) -> Singles:
    """Return Grad-CAM maps, (n, h, w); those of the last stage follow from the head alone."""
    if stage == STAGES[-1]:
        return np.maximum(model.evidence(inputs), 0)
    import torch

    x = torch.from_numpy(stack(list(pictures)))
    return gradcam(model.fitted_network(), x, f"encoder.{stage}")
