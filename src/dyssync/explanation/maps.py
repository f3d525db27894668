"""Grad-CAM maps of one model: what they are, on disk and back."""

from __future__ import annotations

from dataclasses import dataclass

from dyssync.arrays import Bytes, Singles


@dataclass(frozen=True)
class CamMaps:
    """Grad-CAM maps of one model, in the order of its rows in ``lead_regions``.

    Attributes:
        maps: (k, h, w) float32, raw (unscaled, >= 0), at the resolution of the network's stage.
        pictures: (k, H, W) uint8, what the network saw.
        boxes: lead, x0, y0, x1, y1 in px, one entry a panel of the picture.
    """

    maps: Singles
    pictures: Bytes
    boxes: tuple[tuple[str, float, float, float, float], ...]
