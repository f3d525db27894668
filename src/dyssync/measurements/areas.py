"""Vectorcardiographic areas, their directions and angles (f07-f14)."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats
from dyssync.measurements.definitions import Definition
from dyssync.measurements.heartbeat import Heartbeat
from dyssync.signals.vectorcardiogram import VCG_LEADS

QRS_AREA = "van Deursen 2015, 10.1016/j.jelectrocard.2014.10.003; Kors 1990"
T_AREA = "Engels 2015, 10.1111/jce.12549"
SAI = "Tereshchenko 2015, PMC4656057"
BRAVEHEART = "Stabenau 2021 (BRAVEHEART)"

DEFINITIONS = (
    Definition(
        "f07", "qrs_area_uvs", "uVs", "norm of the X, Y, Z integrals over QRS", QRS_AREA, VCG_LEADS
    ),
    Definition(
        "f09", "qrs_area_x_uvs", "uVs", "integral of X (left +) over QRS", QRS_AREA, VCG_LEADS
    ),
    Definition(
        "f09", "qrs_area_y_uvs", "uVs", "integral of Y (foot +) over QRS", QRS_AREA, VCG_LEADS
    ),
    Definition(
        "f09", "qrs_area_z_uvs", "uVs", "integral of Z (back +) over QRS", QRS_AREA, VCG_LEADS
    ),
    Definition(
        "f09", "qrs_azimuth_deg", "deg", "atan2(Z, X) of the QRS area", BRAVEHEART, VCG_LEADS
    ),
    Definition(
        "f09", "qrs_elevation_deg", "deg", "angle of the QRS area with +Y", BRAVEHEART, VCG_LEADS
    ),
    Definition(
        "f08", "qrs_vm_area_uvs", "uVs", "integral of |VCG| over QRS", BRAVEHEART, VCG_LEADS
    ),
    Definition("f10", "t_area_uvs", "uVs", "as QRS area, from QRS end to T end", T_AREA, VCG_LEADS),
    Definition("f10", "t_azimuth_deg", "deg", "atan2(Z, X) of the T area", BRAVEHEART, VCG_LEADS),
    Definition(
        "f10", "t_elevation_deg", "deg", "angle of the T area with +Y", BRAVEHEART, VCG_LEADS
    ),
    Definition(
        "f11", "qrst_area_uvs", "uVs", "QRS + T area: ventricular gradient", BRAVEHEART, VCG_LEADS
    ),
    Definition(
        "f11", "qrst_azimuth_deg", "deg", "atan2(Z, X) of the QRST area", BRAVEHEART, VCG_LEADS
    ),
    Definition(
        "f11", "qrst_elevation_deg", "deg", "angle of the QRST area with +Y", BRAVEHEART, VCG_LEADS
    ),
    Definition(
        "f12", "sai_qrst_mvms", "mV ms", "integral of |X|+|Y|+|Z|, QRS on to T end", SAI, VCG_LEADS
    ),
    Definition(
        "f13", "qrs_t_angle_deg", "deg", "angle of QRS area and T area", BRAVEHEART, VCG_LEADS
    ),
    Definition(
        "f14", "qrs_t_peak_angle_deg", "deg", "angle of the largest vectors", BRAVEHEART, VCG_LEADS
    ),
)


def measure(beat: Heartbeat) -> dict[str, float]:
    """Return areas and directions; those of T are missing where no T was found."""
    on, off, t_off = beat.marks.qrs_on, beat.marks.qrs_off, beat.marks.t_off
    qrs = beat.area(beat.loop, on, off)
    size = np.linalg.norm(beat.loop, axis=0)
    found = {
        "qrs_area_uvs": float(np.linalg.norm(qrs)),
        "qrs_area_x_uvs": float(qrs[0]),
        "qrs_area_y_uvs": float(qrs[1]),
        "qrs_area_z_uvs": float(qrs[2]),
        "qrs_vm_area_uvs": float(beat.area(size, on, off)),
        **_direction("qrs", qrs),
    }
    if t_off is None or t_off <= off:
        return found
    t = beat.area(beat.loop, off, t_off)
    peaks = [
        beat.loop[:, a + int(np.argmax(size[a : b + 1]))] for a, b in ((on, off), (off, t_off))
    ]
    found |= {
        "t_area_uvs": float(np.linalg.norm(t)),
        "qrst_area_uvs": float(np.linalg.norm(qrs + t)),
        "sai_qrst_mvms": float(beat.area(np.abs(beat.loop), on, t_off).sum()),
        "qrs_t_angle_deg": angle_deg(qrs, t),
        "qrs_t_peak_angle_deg": angle_deg(peaks[0], peaks[1]),
        **_direction("t", t),
        **_direction("qrst", qrs + t),
    }
    return found


def angle_deg(a: Floats, b: Floats) -> float:
    """Return the angle between two vectors, 0-180 degrees; stable near both ends.

    >>> angle_deg(np.array([1.0, 0, 0]), np.array([-2.0, 0, 0]))
    180.0
    """
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def _direction(wave: str, area: Floats) -> dict[str, float]:
    foot = np.array([0.0, 1.0, 0.0])
    return {
        f"{wave}_azimuth_deg": float(np.degrees(np.arctan2(area[2], area[0]))),
        f"{wave}_elevation_deg": angle_deg(area, foot),
    }
