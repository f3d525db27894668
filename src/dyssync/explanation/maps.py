"""Grad-CAM maps of one model: what they are, on disk and back."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dyssync.arrays import Bytes, Floats, Singles
from dyssync.ecg import LEADS
from dyssync.errors import ModelError
from dyssync.whole import whole_file

# what NumPy, zipfile and zlib raise where bytes of an NPZ file are missing or changed
DAMAGED = (
    OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class MapBox(NamedTuple):
    """Where one panel of a lead lies in the picture, px; corners as in `rendering.LeadBox`."""

    lead: str
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, eq=False)
class CamMaps:
    """Grad-CAM maps of one model, in the order of its rows in ``lead_regions``.

    Attributes:
        maps: (k, h, w) float32, raw (unscaled, >= 0), at the resolution of the network's stage.
        pictures: (k, H, W) uint8, what the network saw.
        boxes: one entry a panel of the picture; a rhythm strip is a second one of its lead.
    """

    maps: Singles
    pictures: Bytes
    boxes: tuple[MapBox, ...]

    def save(self, path: Path) -> None:
        """Write the maps as NPZ; the file appears whole or not at all."""
        corners = np.array([box[1:] for box in self.boxes], dtype=np.float64).reshape(-1, 4)
        leads = np.array([box.lead for box in self.boxes], dtype=np.str_)
        with whole_file(path) as part, part.open("wb") as file:
            np.savez_compressed(
                file, maps=self.maps, pictures=self.pictures, boxes=corners, leads=leads
            )

    @classmethod
    def load(cls, path: Path) -> CamMaps:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path.name}: cannot be read ({error.strerror})") from error
        try:
            with _open(data) as file:
                maps, pictures = file["maps"], file["pictures"]
                corners, leads = file["boxes"], file["leads"]
        except DAMAGED as error:
            raise ModelError(_damaged(path, "no whole NPZ file of maps")) from error
        finding = _misfit(maps, pictures, corners, leads)
        if finding:
            raise ModelError(_damaged(path, finding))
        boxes = zip(leads.tolist(), corners.tolist(), strict=True)
        return cls(maps, pictures, tuple(MapBox(lead, *at) for lead, at in boxes))

    @classmethod
    def joined(cls, parts: Sequence[CamMaps]) -> CamMaps:
        """Return the maps of several parts, such as seeds, one behind the other.

        Raises:
            ModelError: their pictures differ in size or in where the leads stand.
        """
        if len({(p.maps.shape[1:], p.pictures.shape[1:], p.boxes) for p in parts}) != 1:
            raise ModelError("maps of several layouts or sizes cannot be joined; run them apart")
        return cls(
            np.concatenate([part.maps for part in parts]),
            np.concatenate([part.pictures for part in parts]),
            parts[0].boxes,
        )


def _open(data: bytes) -> np.lib.npyio.NpzFile:
    file = np.load(io.BytesIO(data), allow_pickle=False)
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise ValueError("a single array")
    return file


def _damaged(path: Path, finding: str) -> str:
    return f"{path.name}: damaged or of another version ({finding}); make it anew"


def _misfit(maps: Singles, pictures: Bytes, corners: Floats, leads: np.ndarray) -> str:
    """Return what is wrong with arrays from a file; "" if nothing is."""
    if maps.ndim != 3 or maps.dtype != np.float32:
        return "maps are no (k, h, w) float32"
    if pictures.ndim != 3 or pictures.dtype != np.uint8:
        return "pictures are no (k, H, W) uint8"
    if len(maps) != len(pictures):
        return f"{len(maps)} maps of {len(pictures)} pictures"
    if corners.shape != (len(leads), 4) or corners.dtype.kind != "f" or leads.ndim != 1:
        return "boxes do not fit their leads"
    unknown = sorted({str(lead) for lead in leads} - set(LEADS))
    return f"boxes of {', '.join(unknown)}" if unknown else ""
