"""Grad-CAM maps of one model: what they are, on disk and back."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from dyssync.arrays import Bytes, Singles
from dyssync.errors import ModelError
from dyssync.whole import whole_file

Box: TypeAlias = tuple[str, float, float, float, float]  # lead, x0, y0, x1, y1 in px


@dataclass(frozen=True, eq=False)
class CamMaps:
    """Grad-CAM maps of one model, in the order of its rows in ``lead_regions``.

    Attributes:
        maps: (k, h, w) float32, raw (unscaled, >= 0), at the resolution of the network's stage.
        pictures: (k, H, W) uint8, what the network saw.
        boxes: of the leads, one entry a panel of the picture.
    """

    maps: Singles
    pictures: Bytes
    boxes: tuple[Box, ...]

    def save(self, path: Path) -> None:
        """Write an .npz file; it appears whole or not at all."""
        boxes = np.array([box[1:] for box in self.boxes])
        leads = np.array([box[0] for box in self.boxes])
        with whole_file(path) as part, part.open("wb") as file:
            np.savez_compressed(
                file, maps=self.maps, pictures=self.pictures, boxes=boxes, leads=leads
            )

    @classmethod
    def load(cls, path: Path) -> CamMaps:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: it is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                leads, corners = held["leads"].tolist(), held["boxes"].tolist()
                boxes = tuple(
                    (str(lead), float(x0), float(y0), float(x1), float(y1))
                    for lead, (x0, y0, x1, y1) in zip(leads, corners, strict=True)
                )
                return cls(held["maps"], held["pictures"], boxes)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path.name}: no readable maps; explain again") from error

    @classmethod
    def joined(cls, parts: Sequence[CamMaps]) -> CamMaps:
        """Return the maps of several seeds as one, whose pictures have the same boxes."""
        return cls(
            np.concatenate([part.maps for part in parts]),
            np.concatenate([part.pictures for part in parts]),
            parts[0].boxes,
        )
