"""What the recordings of a training cohort were like, as a bundle keeps it: no patient's data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dyssync.cohort.clinical import FACTS, clinical_fact
from dyssync.ecg import ECG
from dyssync.errors import ModelError
from dyssync.image import ECGImage
from dyssync.pages.likeness import PageLook, look_of
from dyssync.records import Record

if TYPE_CHECKING:
    from dyssync.cohort import Cohort


@dataclass(frozen=True)
class SignalLook(Record):
    """What signals of one cohort had in common.

    Attributes:
        fs_range: lowest and highest sampling rate, Hz.
        amplitude_range: smallest and largest typical amplitude (:func:`amplitude`), mV.
        clinical: facts that were known of more than half of the patients.
    """

    fs_range: tuple[float, float]
    amplitude_range: tuple[float, float]
    clinical: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse ranges that are none.

        Raises:
            ModelError: the first number of one is not the smaller, or below 0.
        """
        for low, high in (self.fs_range, self.amplitude_range):
            if not 0 <= low <= high < math.inf:
                raise ModelError("a range of what was trained on is none")


@dataclass(frozen=True)
class TrainingData(Record):
    """What models were trained on.

    Attributes:
        signals: of a cohort of signals, or of what was read off pictures; None where none was.
        pages: of a cohort of users' own pictures.
    """

    signals: SignalLook | None
    pages: PageLook | None


def describe_cohort(cohort: Cohort) -> TrainingData:
    """Return what a recording is compared with before it is predicted from."""
    pages = [page.pixels for page in cohort.inputs if isinstance(page, ECGImage)]
    return TrainingData(
        signals=_look_of_signals(cohort) if cohort.signals else None,
        pages=look_of(pages) if pages else None,
    )


def _look_of_signals(cohort: Cohort) -> SignalLook:
    sizes = [amplitude(ecg) for ecg in cohort.signals]
    rates = [ecg.fs for ecg in cohort.signals]
    return SignalLook(
        fs_range=(min(rates), max(rates)),
        amplitude_range=(min(sizes), max(sizes)),
        clinical=known_facts(cohort),
    )


def known_facts(cohort: Cohort) -> tuple[str, ...]:
    """Return the clinical facts that are known of more than half of the patients."""
    return tuple(name for name in FACTS if _share_known(cohort, name) > 0.5)


def amplitude(ecg: ECG) -> float:
    """Return the typical amplitude of a recording: median over leads of the 1-99 % span, mV."""
    low, high = np.percentile(ecg.signal, (1, 99), axis=1)
    return float(np.median(high - low))


def _share_known(cohort: Cohort, fact: str) -> float:
    known = [np.isfinite(clinical_fact(ecg, fact)) for ecg in cohort.signals]
    return float(sum(known) / len(cohort.inputs))
