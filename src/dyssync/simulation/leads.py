"""From the sources of the heart to the electrodes: the torso of one patient.

Limb leads see the dipole (Dower). Chest electrodes are near, so each also sees the quadrupole: the
next term of the field of a source that is not in the centre. Small patient-specific changes stand
for body shape and for electrodes that are not quite in place.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LIMB_FROM_I_II
from dyssync.signals.vectorcardiogram import DOWER, KORS

# Distance (mm) that the quadrupole is divided by: about that of electrode and heart for V2-V4, and
# twice it in effect because the conducting torso smooths what a free field would show.
NEAR_MM = np.array([300.0, 240.0, 220.0, 230.0, 270.0, 330.0, np.inf, np.inf])
# Another body: of all fields from which Kors' transform reads the dipole back without error, the
# one that is likeliest where leads spread as Dower's do, with an own part as large as the dipole's.
_SPREAD = DOWER @ DOWER.T + np.eye(8)
INVERSE_KORS: Floats = _SPREAD @ KORS.T @ np.linalg.inv(KORS @ _SPREAD @ KORS.T)
# Plateau height times mm2 to mV: chosen so that an average normal beat peaks at 1.6 mV.
MV_PER_SOURCE = 6.0e-4


@dataclass(frozen=True)
class Torso:
    """One patient's body, as it shapes the leads.

    Attributes:
        axis: (3,), direction of the LV long axis, base to apex, in X left, Y foot, Z back.
        roll: rad, turn of the heart round that axis (0: septum faces right and front).
        gain: mV of this patient relative to the average one.
        lead_gain: (8,), relative gain of each lead of `VCG_LEADS`.
        lead_shift: (8, 3), added to the rows of the matrix.
        matrix: (8, 3), dipole to leads of the average body.
        near_mm: (8,), what divides the quadrupole at each electrode.
    """

    axis: tuple[float, float, float] = (0.68, 0.42, -0.60)
    roll: float = 0.0
    gain: float = 1.0
    lead_gain: Floats = field(default_factory=lambda: np.ones(8))
    lead_shift: Floats = field(default_factory=lambda: np.zeros((8, 3)))
    matrix: Floats = field(default_factory=lambda: DOWER)
    near_mm: Floats = field(default_factory=lambda: NEAR_MM)


def heart_axes(torso: Torso) -> Floats:
    """Return the local axes of the heart in body coordinates, (3, 3), a column an axis."""
    z = np.asarray(torso.axis) / np.linalg.norm(torso.axis)
    front_right = np.array([-0.75, -0.10, -0.60])  # where the RV lies
    x = front_right - (front_right @ z) * z
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    cos, sin = np.cos(torso.roll), np.sin(torso.roll)
    return np.stack([cos * x + sin * y, -sin * x + cos * y, z], axis=1)


def body_matrix(torso: Torso) -> Floats:
    """Return the map from a dipole in body coordinates to V1-V6, I, II, (8, 3)."""
    vectors: Floats = torso.matrix * torso.lead_gain[:, None] + torso.lead_shift
    return torso.gain * vectors


def lead_matrix(torso: Torso, sway: Floats | None = None) -> Floats:
    """Return the map from the 12 sources to V1-V6, I, II, (8, 12), mV per source unit.

    Args:
        torso: the patient's body.
        sway: (3, 3) rotation of the heart in body coordinates, as breathing makes it.
    """
    axes = heart_axes(torso) if sway is None else sway @ heart_axes(torso)
    local = body_matrix(torso) @ axes
    size = np.linalg.norm(local, axis=1)
    unit = local / size[:, None]
    # Field of a current element p at r, seen from far along u: p.u + (3 (p.u)(r.u) - p.r) / R
    second = 3 * np.einsum("ki,kj->kij", unit, unit) - np.eye(3)
    second *= (size / torso.near_mm)[:, None, None]
    matrix = np.concatenate([local, second.reshape(8, 9)], axis=1)
    return MV_PER_SOURCE * matrix


def twelve_leads(eight: Floats) -> Floats:
    """Return 12 leads in the order of `dyssync.ecg.LEADS` from V1-V6, I, II, (8, n) -> (12, n)."""
    limb = eight[6:8]
    return np.concatenate([limb, LIMB_FROM_I_II @ limb, eight[:6]])
