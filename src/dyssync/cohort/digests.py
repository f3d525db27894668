"""Fingerprints: of a recording, of many in their order, of patients without naming them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dyssync.ecg import ECG
from dyssync.image import Input

if TYPE_CHECKING:
    import pandas as pd


def digest_of(recordings: Iterable[Input]) -> str:
    """Return the sha256 of what a model sees: whose signals, at which rate, in which order."""
    whole = hashlib.sha256()
    for recording in recordings:
        rate = recording.fs if isinstance(recording, ECG) else "picture"
        whole.update(f"{recording.patient_id}\n{rate}\n{signal_key(recording)}\n".encode())
    return whole.hexdigest()


def signal_key(recording: Input) -> str:
    """Return the digest of the samples or pixels: the same whatever the file's name or format."""
    values = recording.signal if isinstance(recording, ECG) else recording.pixels
    return hashlib.sha256(values.tobytes()).hexdigest()


def responses_digest(table: pd.DataFrame) -> str:
    """Return the sha256 of who responded, and by how much where the volumes say so.

    Args:
        table: columns patient_id and responder, and the two volumes where they are known.
    """
    from dyssync.cohort.table import fall_of_lvesv

    text = table[["patient_id", "responder"]].assign(fall=fall_of_lvesv(table)).to_csv(index=False)
    return hashlib.sha256(text.encode()).hexdigest()


def clinical_digest(ecgs: Iterable[ECG]) -> str:
    """Return the sha256 of what is known of the patients beside their ECG and response."""
    facts = [(e.patient_id, e.age, e.sex, sorted(e.clinical.items())) for e in ecgs]
    return hashlib.sha256(repr(facts).encode()).hexdigest()
