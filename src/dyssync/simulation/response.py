"""What biventricular pacing does to a heart: less dispersion, and in most a smaller LV."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from dyssync.simulation.heart import Floats, Heart

RESPONSE_PERCENT = 15.0  # the cohort's rule: LVESV falls by at least this

# Percentage fall of LVESV = intercept + the terms below. The signs and the order of sizes follow
# the literature (Martins 2022, 10.1016/j.ijcha.2022.100979; Linde 2017; domain notes 2.3); the
# sizes are calibrated to the shares, odds ratios and AUROCs of docs/virtual-cohort.md.
INTERCEPT = 16.0
PER_DISPERSION_MS = 1.0  # fall of the SD of LV activation times by pacing
CENTRE_DISPERSION_MS = 12.0
PER_SCAR_SHARE = -40.0
PER_RADIUS_MM = -0.9
CENTRE_RADIUS_MM = 32.0
FEMALE = 3.0
ISCHAEMIC = -3.0
# Variation that no ECG shows: remodelling biology, drugs, pacing share, lead position in 6 months,
# and the repeatability of echo volumes (about 10 % of LVESV, Thavendiranathan 2013).
HIDDEN_SD = 14.0
FALL_RANGE = (-60.0, 75.0)  # %, of what is ever seen


@dataclass(frozen=True)
class Response:
    """Effect of pacing: dispersions in ms, expected and actual fall of LVESV in %."""

    dispersion_intrinsic_ms: float
    dispersion_paced_ms: float
    expected_fall: float
    fall: float
    probability: float  # of a fall of at least 15 %, before the hidden part is drawn


def lv_dispersion(heart: Heart, activation: Floats, scar: Floats) -> float:
    """Return the SD of activation times over living LV muscle, ms."""
    weight = np.where(heart.is_lv, 1 - scar, 0.0)
    mean = np.average(activation, weights=weight)
    return float(np.sqrt(np.average((activation - mean) ** 2, weights=weight)))


def expected_fall(
    dispersion_fall_ms: float, scar_share: float, radius_mm: float, female: bool, ischaemic: bool
) -> float:
    """Return the percentage fall of LVESV that the heart's state implies."""
    return (
        INTERCEPT
        + PER_DISPERSION_MS * (dispersion_fall_ms - CENTRE_DISPERSION_MS)
        + PER_SCAR_SHARE * scar_share
        + PER_RADIUS_MM * (radius_mm - CENTRE_RADIUS_MM)
        + FEMALE * female
        + ISCHAEMIC * ischaemic
    )


def response_probability(expected: float) -> float:
    """Return the probability that a heart with this expected fall responds."""
    return float(ndtr((expected - RESPONSE_PERCENT) / HIDDEN_SD))
