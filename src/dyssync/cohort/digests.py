"""Fingerprints: of a recording, of many in their order, of patients without naming them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pandas as pd

from dyssync.ecg import ECG
from dyssync.image import Input


def digest_of(ecgs: Iterable[Input]) -> str:
    """Return the sha256 of what a model sees: whose signals, at which rate, in which order."""
    whole = hashlib.sha256()
    for ecg in ecgs:
        rate = ecg.fs if isinstance(ecg, ECG) else "picture"
        whole.update(f"{ecg.patient_id}\n{rate}\n{signal_key(ecg)}\n".encode())
    return whole.hexdigest()


def signal_key(ecg: Input) -> str:
    """Return the digest of the samples or pixels: the same whatever the file's name or format."""
    held = ecg.signal if isinstance(ecg, ECG) else ecg.pixels
    return hashlib.sha256(held.tobytes()).hexdigest()


def recording_keys(ecgs: Iterable[Input]) -> list[str]:
    """Return :func:`signal_key` of each recording."""
    return [signal_key(ecg) for ecg in ecgs]


def patient_keys(patients: Iterable[str]) -> list[str]:
    """Return sha256 digests of patient ids, so that an encoder can name them without telling."""
    return sorted({hashlib.sha256(p.encode()).hexdigest() for p in patients})


def responses_digest(table: pd.DataFrame) -> str:
    """Return the sha256 of who responded, from columns patient_id and responder."""
    text = table[["patient_id", "responder"]].to_csv(index=False)
    return hashlib.sha256(text.encode()).hexdigest()


def clinical_digest(ecgs: Iterable[ECG]) -> str:
    """Return the sha256 of what is known of the patients beside their ECG and response."""
    facts = [(e.patient_id, e.age, e.sex, sorted(e.clinical.items())) for e in ecgs]
    return hashlib.sha256(repr(facts).encode()).hexdigest()
