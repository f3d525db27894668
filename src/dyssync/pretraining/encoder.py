"""A pretrained encoder and its folder: weights, what it was trained on and how, its loss curve."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dyssync.cohort.digests import patient_keys, signal_key
from dyssync.errors import ModelError
from dyssync.image import Input

WEIGHTS, ABOUT = "encoder.safetensors", "encoder.json"


@dataclass(frozen=True)
class Encoder:
    """What pretraining leaves behind.

    Attributes:
        weights: safetensors bytes of the network's trunk.
        config: how it was pretrained.
        corpus_digest: of the recordings.
        patients: sha256 of each patient id of the corpus, sorted.
        recordings: digest of each recording, sorted.
        loss: mean loss of every epoch.
    """

    weights: bytes
    config: Mapping[str, Any]
    corpus_digest: str
    patients: Sequence[str]
    recordings: Sequence[str]
    loss: Sequence[float]

    def check_unseen(self, tested: Iterable[Input]) -> None:
        """Refuse to be used where one of its patients or recordings is tested.

        Raises:
            ModelError: the corpus holds some of `tested`; all their patients are named.
        """
        patients, recordings = set(self.patients), set(self.recordings)
        seen = sorted(
            {
                str(ecg.patient_id)
                for ecg in tested
                if patient_keys([str(ecg.patient_id)])[0] in patients
                or signal_key(ecg) in recordings
            }
        )
        if seen:
            raise ModelError(
                f"encoder: {len(seen)} patients of its corpus are in a test part "
                f"({', '.join(seen)}); pretrain without them"
            )

    def save(self, folder: Path) -> None:
        """Write the folder; it appears whole or not at all."""
        temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        about = {
            "config": dict(self.config),
            "corpus_digest": self.corpus_digest,
            "patients": list(self.patients),
            "recordings": list(self.recordings),
            "loss": list(self.loss),
            "sha256": hashlib.sha256(self.weights).hexdigest(),
        }
        (temporary / WEIGHTS).write_bytes(self.weights)
        (temporary / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)


def load_encoder(folder: Path) -> Encoder:
    """Read an encoder's folder.

    Raises:
        ModelError: it is no encoder, or its weights were changed.
    """
    missing = [name for name in (WEIGHTS, ABOUT) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder.name} is no encoder: {' and '.join(missing)} missing")
    weights = (folder / WEIGHTS).read_bytes()
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    if hashlib.sha256(weights).hexdigest() != about.pop("sha256"):
        raise ModelError(f"{folder.name}: {WEIGHTS} differs from its sha256; pretrain again")
    return Encoder(weights=weights, **about)
