"""A pretrained encoder and its folder: weights, what it was trained on and how, its loss curve."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dyssync.cohort.digests import patient_keys, signal_key
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.pretraining.config import PretrainingConfig
from dyssync.records import Record
from dyssync.whole import whole_folder

SHIPPED = Path(__file__).parent / "shipped"
WEIGHTS, RECORD = "encoder.safetensors", "encoder.json"


@dataclass(frozen=True)
class EncoderRecord(Record):
    """What an encoder was trained on and how.

    Attributes:
        config: how it was pretrained.
        seed: of initialisation, order and views.
        corpus_digest: of the recordings.
        patients: sha256 of each patient id of the corpus, sorted.
        recordings: digest of each recording, sorted.
        loss: mean loss of every epoch.
        sha256: of the weights.
    """

    config: PretrainingConfig
    seed: int
    corpus_digest: str
    patients: tuple[str, ...]
    recordings: tuple[str, ...]
    loss: tuple[float, ...]
    sha256: str


@dataclass(frozen=True)
class Encoder:
    """What pretraining leaves behind.

    Attributes:
        weights: safetensors bytes of the network's trunk.
        record: where they come from.
    """

    weights: bytes
    record: EncoderRecord

    def check_unseen(self, tested: Iterable[Input]) -> None:
        """Refuse to be used where one of its patients or recordings is tested.

        Raises:
            ModelError: the corpus holds some of `tested`; all their patients are named.
        """
        patients, recordings = set(self.record.patients), set(self.record.recordings)
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
        """Write the folder; it appears whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        with whole_folder(folder) as part:
            (part / WEIGHTS).write_bytes(self.weights)
            self.record.save(part / RECORD)


def load_encoder(folder: Path) -> Encoder:
    """Read the folder that :meth:`Encoder.save` wrote.

    Raises:
        ModelError: it is no encoder, or it is damaged.
    """
    missing = [name for name in (WEIGHTS, RECORD) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder.name} is no encoder: {' and '.join(missing)} missing")
    record = EncoderRecord.load(folder / RECORD)
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(f"{WEIGHTS}: cannot be read ({error.strerror})") from error
    if digest_of_weights(weights) != record.sha256:
        raise ModelError(f"{folder.name}: {WEIGHTS} differs from its sha256; pretrain again")
    return Encoder(weights, record)


def shipped_encoder(name: str) -> Encoder:
    """Return an encoder that comes with dyssync: see docs/encoder.md.

    Args:
        name: of the method that it learnt by.

    Raises:
        ModelError: there is none of this name.
    """
    folder = SHIPPED / name
    if not folder.is_dir():
        raise ModelError(f"no encoder {name} comes with dyssync; give the folder of one")
    return load_encoder(folder)


def digest_of_weights(weights: bytes) -> str:
    """Return the sha256 that an encoder's record holds of its weights."""
    return hashlib.sha256(weights).hexdigest()
