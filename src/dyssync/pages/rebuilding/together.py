"""How the beats of columns that no strip ties to each other lie on one another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LIMB_LEADS
from dyssync.pages.digitising.digitised import FS
from dyssync.pages.digitising.physics import limb_residual
from dyssync.pages.rebuilding.tracks import filled
from dyssync.signals.bounds import qrs_bounds

MOST_S = 0.06  # by which fiducial points of one beat, found in other leads, lie apart (chosen)

Typical = Mapping[str, Floats]  # typical beats of the leads of one column, (m,) mV each


def shift_onto(column: Typical, other: Typical, before: int, interval: float) -> int:
    """Return by how many samples the beats of a column come later than those of another.

    Limb leads say it exactly, for all six are made of two (Einthoven, Goldberger). Else the middle
    of the QRS is laid on that of the other column: each sees the QRS begin and end a few
    milliseconds earlier or later, so that nothing that compares them is exact to these.

    Args:
        column: typical beats by lead.
        other: those that it is laid on, of the same length.
        before: their samples before the fiducial point.
        interval: samples between beats.
    """
    most = round(MOST_S * FS)
    limb = [lead for lead in LIMB_LEADS if lead in column]
    of_other = [lead for lead in LIMB_LEADS if lead in other]
    if limb and len(of_other) > 1:
        left = [_limb_residual(column, other, shift) for shift in range(-most, most + 1)]
        if np.isfinite(left).all():
            return int(np.argmin(left)) - most
    apart = _qrs_middle(column, before, interval) - _qrs_middle(other, before, interval)
    return int(np.clip(round(apart), -most, most))


def _limb_residual(column: Typical, other: Typical, shift: int) -> float:
    moved = {lead: np.roll(beat, -shift) for lead, beat in column.items()}
    return limb_residual({**other, **moved})


def _qrs_middle(column: Typical, before: int, interval: float) -> float:
    beat = np.stack([filled(row) for row in column.values()])
    # room on both sides, so that marks near the ends of a short beat stay inside
    room = round(0.2 * FS)
    wide = np.pad(beat, ((0, 0), (room, room)), mode="edge")
    bounds = qrs_bounds(wide, before + room, interval / FS)
    return (bounds.on + bounds.off) / 2
