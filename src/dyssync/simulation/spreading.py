"""Numbers spread further: by a factor or a shift of a middle of one or nothing, within limits."""

from __future__ import annotations

import numpy as np


def scaled(rng: np.random.Generator, value: float, log_sd: float, low: float, high: float) -> float:
    """Return `value` times a log-normal factor of median 1, kept between two limits."""
    return float(np.clip(value * np.exp(rng.normal(0, log_sd)), low, high))


def moved(rng: np.random.Generator, value: float, sd: float, low: float, high: float) -> float:
    """Return `value` plus a normal shift of mean 0, kept between two limits."""
    return float(np.clip(value + rng.normal(0, sd), low, high))
