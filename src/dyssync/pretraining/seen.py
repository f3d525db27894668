"""Whom an encoder has learnt from: digests that name patients and recordings without telling."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from dyssync.arrays import Bytes
from dyssync.cohort.digests import signal_key
from dyssync.errors import FAULTS, ModelError
from dyssync.image import Input

KEY = 8  # bytes of sha256: of a million recordings against a million, one in 10^7 meets another's


@dataclass(frozen=True)
class Seen:
    """Patients and recordings of a corpus.

    Attributes:
        patients: the digests, sorted, one after the other, :data:`KEY` bytes each.
        recordings: likewise.
    """

    patients: bytes
    recordings: bytes

    @classmethod
    def of(cls, patients: Bytes, recordings: Bytes) -> Self:
        """Return the digests (n, 8) sorted, each once; zero stands for a patient without an id."""
        return cls(_sorted(patients), _sorted(recordings))

    def __or__(self, other: Seen) -> Seen:
        """Return whom one of the two has seen."""
        both = ((self.patients, other.patients), (self.recordings, other.recordings))
        return Seen(*(_sorted(_rows(a + b)) for a, b in both))

    def among(self, tested: Iterable[Input]) -> list[str]:
        """Return the ids of the patients of `tested` that were seen, sorted, each once."""
        patients, recordings = set(_keys(self.patients)), set(_keys(self.recordings))
        return sorted(
            {
                str(x.patient_id)
                for x in tested
                if short_patient_key(str(x.patient_id)) in patients
                or bytes.fromhex(signal_key(x))[:KEY] in recordings
            }
        )

    def pack(self) -> bytes:
        """Return them as safetensors bytes: two tensors, (n, 8) uint8."""
        from safetensors.numpy import save

        held = {"patients": _rows(self.patients), "recordings": _rows(self.recordings)}
        return bytes(save(held))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return what :meth:`pack` wrote.

        Raises:
            ModelError: it is damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        raised: tuple[type[Exception], ...] = (*FAULTS, SafetensorError)
        try:
            held = load(data)
            return cls(held["patients"].tobytes(), held["recordings"].tobytes())
        except raised as error:
            raise ModelError("patients of the encoder: damaged; pretrain again") from error


def short_patient_key(patient: str) -> bytes:
    """Return the digest of a patient id."""
    return hashlib.sha256(patient.encode()).digest()[:KEY]


def _rows(keys: bytes) -> Bytes:
    return np.frombuffer(keys, np.uint8).reshape(-1, KEY)


def _keys(keys: bytes) -> Iterator[bytes]:
    return (keys[k : k + KEY] for k in range(0, len(keys), KEY))


def _sorted(keys: Bytes) -> bytes:
    held = np.unique(keys, axis=0)
    return held[held.any(axis=1)].tobytes()
