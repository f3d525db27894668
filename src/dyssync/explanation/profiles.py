"""What a network looked at, along each lead in time: its map brought back from the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.ecg import ECG, LEADS
from dyssync.explanation.evidence import evidence_of
from dyssync.explanation.regions import lead_shares, lead_weights
from dyssync.layouts import TILE_CENTRE_SHARE
from dyssync.models.protocols import LooksAtPictures
from dyssync.rendering import LeadBox

STEPS = 25  # along one cell of a lead; a network's last map has about two cells in it
BEAT_PANEL_S = 1.0  # shorter panels show the median beat: no rhythm is drawn in less than 2.5 s


@dataclass(frozen=True)
class Profile:
    """How strongly a network looked along one cell of a lead.

    Attributes:
        lead: position in LEADS.
        start_s, stop_s: time in the recording, or from the middle of the QRS.
        levels: :data:`STEPS` numbers, 0-1; 1 is the strongest place of all leads.
    """

    lead: int
    start_s: float
    stop_s: float
    levels: tuple[float, ...]


@dataclass(frozen=True)
class LeadProfiles:
    """What a network looked at, by lead and time.

    Attributes:
        model: its name.
        about: "response" or "non-response": what the places speak for.
        beat: whether times count from the middle of the QRS of the typical beat.
        shares: of each lead, 0-1; None where the map is empty.
        cells: along the leads.
    """

    model: str
    about: str
    beat: bool
    shares: tuple[float, ...] | None
    cells: tuple[Profile, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


class Onlookers:
    """The networks of a model's members, asked together where they looked.

    Args:
        name: of the model.
        members: fits of it, which see the same picture.
    """

    def __init__(self, name: str, members: Sequence[LooksAtPictures]) -> None:
        self.name = name
        self.members = members
        self.cells = members[0].lead_boxes()

    def look(self, ecg: ECG, *, response: bool) -> LeadProfiles:
        """Return where the networks looked, along the leads.

        The map is coarse: in a picture of 160 x 128 px one of its cells is .6 s of the median beat
        of one lead, or in a page about a second of three leads wide and high. It tells what the
        networks used, not why a heart responds.

        Args:
            ecg: the recording.
            response: ask for what speaks for response, else for non-response.
        """
        size = self.members[0].size
        total = evidence_of(self.members, ecg, response=response)
        held = lead_weights(self.cells, size, (total.shape[0], total.shape[1]))
        shares = lead_shares(total[None], held)[0]
        spread = np.asarray(
            cv2.resize(total, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32
        )
        rows = [_along(spread, cell) for cell in self.cells]
        most = max(float(row.max()) for row in rows)
        beat = max(cell.stop_s - cell.start_s for cell in self.cells) < BEAT_PANEL_S
        found = zip(self.cells, rows, strict=True) if most > 0 else ()
        return LeadProfiles(
            self.name,
            "response" if response else "non-response",
            beat,
            tuple(shares.tolist()) if np.isfinite(shares).all() else None,
            tuple(_profile(cell, row / most, beat) for cell, row in found),
        )


def _profile(cell: LeadBox, levels: Floats, beat: bool) -> Profile:
    """Return one cell, in a picture of beats with its times from the middle of the QRS."""
    centre = cell.start_s + TILE_CENTRE_SHARE * (cell.stop_s - cell.start_s) if beat else 0.0
    return Profile(
        LEADS.index(cell.lead),
        round(cell.start_s - centre, 4),
        round(cell.stop_s - centre, 4),
        tuple(round(float(level), 3) for level in levels),
    )


def _along(spread: Singles, cell: LeadBox) -> Floats:
    """Return the mean of a map over the height of a cell, at :data:`STEPS` places along it."""
    rows = slice(max(0, round(cell.y0)), max(1, round(cell.y1)))
    columns = slice(max(0, round(cell.x0)), max(1, round(cell.x1)))
    mean = spread[rows, columns].mean(axis=0, dtype=np.float64)
    places = (np.arange(STEPS) + 0.5) / STEPS * len(mean) - 0.5
    return np.asarray(np.interp(places, np.arange(len(mean)), mean))
