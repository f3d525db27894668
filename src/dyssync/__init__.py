"""Predict the response to cardiac resynchronization therapy from the 12-lead ECG.

Research use only: dyssync is not a medical device.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dyssync.cohort.cohort import read_cohort
    from dyssync.ecg import ECG, LEADS
    from dyssync.formats import read_ecg, read_ecgs
    from dyssync.measurements import measure
    from dyssync.prediction.bundle import load_bundle
    from dyssync.prediction.predictor import Predictor

__all__ = [
    "ECG",
    "LEADS",
    "Predictor",
    "__version__",
    "load_bundle",
    "measure",
    "read_cohort",
    "read_ecg",
    "read_ecgs",
]
__version__ = "0.1.0"

# Imported on first use, so that `dyssync --help` need not wait for numpy.
_HOMES = {
    "ECG": "dyssync.ecg",
    "LEADS": "dyssync.ecg",
    "Predictor": "dyssync.prediction.predictor",
    "load_bundle": "dyssync.prediction.bundle",
    "measure": "dyssync.measurements",
    "read_cohort": "dyssync.cohort.cohort",
    "read_ecg": "dyssync.formats",
    "read_ecgs": "dyssync.formats",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dyssync' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
