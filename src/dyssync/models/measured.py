"""What the models that measure see of a recording, measured once for whoever keeps it.

A set of features is a table of names and a function of one recording. Adding one is an entry in
:data:`FEATURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.cohort.clinical import FACTS, clinical_fact
from dyssync.ecg import ECG
from dyssync.image import Input
from dyssync.keeping import kept
from dyssync.measurements import DEFINITIONS, measure, waveforms
from dyssync.models.base import ecgs_of

CLINICAL_NAMES = FACTS
# Quality (f33) tells the recorder and the ward, not the heart: left out of what a model may use.
NOT_PHYSIOLOGY = "f33"
DICTIONARY = tuple(d.name for d in DEFINITIONS if d.id != NOT_PHYSIOLOGY)
_AT = np.array([k for k, d in enumerate(DEFINITIONS) if d.id != NOT_PHYSIOLOGY])


@dataclass(frozen=True)
class FeatureSet:
    """Names of the features and how to compute them for one recording, in that order."""

    names: tuple[str, ...]
    row: Callable[[ECG], Floats]


def _dictionary(ecg: ECG) -> Floats:
    return np.asarray(measure(ecg).values[_AT])


def _both(ecg: ECG) -> Floats:
    return np.concatenate([_dictionary(ecg), waveforms.features(ecg)])


_WAVEFORM = tuple(waveforms.feature_names())
FEATURES: Mapping[str, FeatureSet] = {
    "dictionary": FeatureSet(DICTIONARY, _dictionary),
    "waveform": FeatureSet(_WAVEFORM, waveforms.features),
    "both": FeatureSet((*DICTIONARY, *_WAVEFORM), _both),
}


def feature_names(features: str, *, clinical: bool) -> list[str]:
    """Return the names of a set of features, clinical columns last."""
    return [*FEATURES[features].names, *(CLINICAL_NAMES if clinical else ())]


def feature_matrix(ecgs: Sequence[ECG | None], features: str, *, clinical: bool) -> Floats:
    """Return (n, len(feature_names())) float64; NaN where something is not defined or known."""
    unknown = np.full(len(feature_names(features, clinical=clinical)), np.nan)
    return np.stack([unknown if x is None else _row(x, features, clinical) for x in ecgs])


@kept(most=20_000)
def _row(ecg: ECG, features: str, clinical: bool) -> Floats:
    row = FEATURES[features].row(ecg)
    facts = [clinical_fact(ecg, name) for name in CLINICAL_NAMES] if clinical else []
    return np.concatenate([row, facts])


def signal_matrix(X: Sequence[Input], purpose: str, features: str, *, clinical: bool) -> Floats:
    """Return :func:`feature_matrix` of signals, also of those read off pictures.

    Raises:
        ModelError: there are pictures that nobody tried to read off; they are none of `purpose`'s.
    """
    return feature_matrix(ecgs_of(X, purpose), features, clinical=clinical)
