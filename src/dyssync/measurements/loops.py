"""Shape of the depolarisation and repolarisation loops from eight leads (f16, f31, f32)."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEAD_INDEX
from dyssync.measurements.definitions import Definition
from dyssync.measurements.heartbeat import Heartbeat
from dyssync.signals.vectorcardiogram import VCG_LEADS

ACAR = "Acar 1999, Med Biol Eng Comput 37:574"
BRAVEHEART = "Stabenau 2021 (BRAVEHEART)"
TCRT_ENERGY = 0.7  # QRS samples whose loop reaches this share of its largest radius
_ROWS = [LEAD_INDEX[lead] for lead in VCG_LEADS]

DEFINITIONS = (
    Definition(
        "f16", "tcrt", "", "mean cosine of T vector and QRS loop (>= 0.7 of max)", ACAR, VCG_LEADS
    ),
    Definition(
        "f31", "qrs_svd_ratio", "", "2nd / 1st singular value of QRS, 8 leads", ACAR, VCG_LEADS
    ),
    Definition("f31", "t_svd_ratio", "", "2nd / 1st singular value of T, 8 leads", ACAR, VCG_LEADS),
    Definition("f31", "twr", "", "share of T energy outside 3 dimensions", ACAR, VCG_LEADS),
    Definition(
        "f31", "tmd_deg", "deg", "mean angle between leads in the T loop's plane", ACAR, VCG_LEADS
    ),
    Definition("f32", "qrs_loop_length_mv", "mV", "length of the QRS loop", BRAVEHEART, VCG_LEADS),
    Definition(
        "f32",
        "qrs_loop_planarity",
        "",
        "share of QRS loop energy in its plane",
        BRAVEHEART,
        VCG_LEADS,
    ),
    Definition(
        "f32", "qrs_loop_roundness", "", "2nd / 1st axis of the QRS loop", BRAVEHEART, VCG_LEADS
    ),
    Definition(
        "f32",
        "qrs_loop_speed_mvs",
        "mV/s",
        "largest speed along the QRS loop",
        BRAVEHEART,
        VCG_LEADS,
    ),
)


def measure(beat: Heartbeat) -> dict[str, float]:
    """Return the loop shapes; those with T are missing where no T was found."""
    on, off, t_off = beat.marks.qrs_on, beat.marks.qrs_off, beat.marks.t_off
    leads = beat.signal[_ROWS]
    found = {
        "qrs_svd_ratio": _ratio(leads[:, on : off + 1]),
        **_loop(beat.loop[:, on : off + 1], beat),
    }
    start = off + round(0.04 * beat.fs)
    if t_off is None or t_off - start < round(0.06 * beat.fs):
        return found
    t = leads[:, start : t_off + 1]
    t = t - t.mean(axis=1, keepdims=True)
    _, size, _ = np.linalg.svd(t, full_matrices=False)
    found["t_svd_ratio"] = float(size[1] / max(size[0], 1e-12))
    found["twr"] = float(np.square(size[3:]).sum() / max(np.square(size).sum(), 1e-12))
    found["tmd_deg"] = _dispersion(t)
    found["tcrt"] = _tcrt(beat, leads)
    return found


def _ratio(wave: Floats) -> float:
    size = np.linalg.svd(wave - wave.mean(axis=1, keepdims=True), compute_uv=False)
    return float(size[1] / max(size[0], 1e-12))


def _loop(loop: Floats, beat: Heartbeat) -> dict[str, float]:
    steps = np.linalg.norm(np.diff(loop, axis=1), axis=0)
    size = np.linalg.svd(loop - loop.mean(axis=1, keepdims=True), compute_uv=False)
    energy = np.square(size)
    return {
        "qrs_loop_length_mv": float(steps.sum()),
        "qrs_loop_planarity": float(energy[:2].sum() / max(energy.sum(), 1e-12)),
        "qrs_loop_roundness": float(size[1] / max(size[0], 1e-12)),
        "qrs_loop_speed_mvs": float(steps.max() * beat.fs),
    }


def _dispersion(t: Floats) -> float:
    """Mean angle between the leads' vectors in the two main dimensions of T; V1 is left out."""
    u, size, _ = np.linalg.svd(t[1:], full_matrices=False)
    vectors = u[:, :2] * size[:2]
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosine = np.clip(unit @ unit.T, -1.0, 1.0)[np.triu_indices(len(unit), 1)]
    return float(np.degrees(np.arccos(cosine)).mean())


def _tcrt(beat: Heartbeat, leads: Floats) -> float:
    """Mean cosine between the T vector and the QRS loop in the beat's three main dimensions."""
    on, off, t_off = beat.marks.qrs_on, beat.marks.qrs_off, beat.marks.t_off
    assert t_off is not None
    part = leads[:, on : t_off + 1]
    _, size, rows = np.linalg.svd(part, full_matrices=False)
    loop = size[:3, None] * rows[:3]  # (3, samples)
    radius = np.linalg.norm(loop, axis=0)
    first = min(off - on + round(0.08 * beat.fs), part.shape[1] - 1)
    t = loop[:, first + int(np.argmax(radius[first:]))]
    qrs, reach = loop[:, : off - on + 1], radius[: off - on + 1]
    strong = reach >= TCRT_ENERGY * reach.max()
    cosine = t @ qrs[:, strong] / np.maximum(np.linalg.norm(t) * reach[strong], 1e-12)
    return float(cosine.mean())
