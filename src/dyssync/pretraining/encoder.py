"""A pretrained encoder and its folder: weights, what it was trained on and how, its loss curve."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dyssync.arrays import Singles
from dyssync.errors import InputError, ModelError
from dyssync.image import Input
from dyssync.learning.network import repack_weights
from dyssync.pretraining import METHODS
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.method import NOTHING, SIMULATION
from dyssync.pretraining.seen import Seen
from dyssync.records import Record
from dyssync.regular import read_regular
from dyssync.whole import whole_folder

SHIPPED = Path(__file__).parent / "shipped"
WEIGHTS, SEEN, RECORD = "encoder.safetensors", "seen.safetensors", "encoder.json"
READOUTS = "readouts.safetensors"
MAX_PART_BYTES = 500_000_000  # whom it has seen takes 16 bytes a recording
TAUGHT = {NOTHING: "self-supervised", SIMULATION: "supervised by simulation"}
SIMULATED = "simulated ECGs"
FILES = (WEIGHTS, SEEN, READOUTS, RECORD)


@dataclass(frozen=True)
class CorpusSource(Record):
    """A source of the corpus of an encoder.

    Attributes:
        name: of the table or folder.
        recordings: how many were drawn from.
        simulated: whether the hearts are virtual.
        share: of the recordings that an epoch drew, 0-1.
    """

    name: str
    recordings: int
    simulated: bool
    share: float


@dataclass(frozen=True)
class Stage(Record):
    """A pretraining that an encoder has behind it.

    Attributes:
        method: its name.
        supervised: by what: "nothing" or "simulation".
        sources: what it learnt from.
        sha256: of the weights that it left.
    """

    method: str
    supervised: str
    sources: tuple[CorpusSource, ...]
    sha256: str


@dataclass(frozen=True)
class EncoderRecord(Record):
    """What an encoder was trained on and how.

    Attributes:
        config: how it was pretrained.
        seed: of initialisation, order and views.
        corpus_digest: of the recordings.
        sources: what it learnt from.
        earlier: the pretrainings before, first to last; each went on from the one before.
        loss: mean loss of every epoch.
        processes: that learnt it together; after an interruption there may be others.
        sha256: of the weights.
        seen_sha256: of the file that names whom it has seen.
        readouts_sha256: of the file of what pretraining read from the features.
    """

    config: PretrainingConfig
    seed: int
    corpus_digest: str
    sources: tuple[CorpusSource, ...]
    earlier: tuple[Stage, ...]
    loss: tuple[float, ...]
    processes: tuple[int, ...]
    sha256: str
    seen_sha256: str
    readouts_sha256: str

    @property
    def started_from(self) -> str:
        """sha256 of the encoder that it went on from; "" for a fresh one."""
        return self.earlier[-1].sha256 if self.earlier else ""

    @property
    def supervised(self) -> str:
        """By what it, or an encoder before it, was supervised: "nothing" or "simulation"."""
        by = {METHODS[self.config.method].SUPERVISED, *(s.supervised for s in self.earlier)}
        return SIMULATION if SIMULATION in by else NOTHING

    @property
    def origin(self) -> str:
        """What it learnt from, in words, for a report and beside a prediction.

        The first digits of its digest tell encoders apart that learnt from the same.
        """
        stages = ", then ".join(
            learnt_on(stage.method, stage.supervised, _hearts_of(stage.sources))
            for stage in self.stages
        )
        return f"{stages}, weights {self.sha256[:DIGITS]}"

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All pretrainings, its own last."""
        method = self.config.method
        own = Stage(method, METHODS[method].SUPERVISED, self.sources, self.sha256)
        return (*self.earlier, own)


DIGITS = 8  # of a digest, where people read it


def learnt_on(method: str, supervised: str, what: str) -> str:
    """Return in words what a pretraining learns from."""
    return f"{TAUGHT[supervised]} ({method}) on {what}"


def knows_simulator(origin: str) -> bool:
    """Say whether an encoder of this :attr:`EncoderRecord.origin` has learnt from the simulator."""
    return TAUGHT[SIMULATION] in origin or SIMULATED in origin


def _hearts_of(sources: Sequence[CorpusSource]) -> str:
    counts = {
        kind: sum(s.recordings for s in sources if s.simulated == simulated)
        for kind, simulated in ((SIMULATED, True), ("ECGs", False))
    }
    return " and ".join(f"{n:,} {kind}" for kind, n in counts.items() if n)


@dataclass(frozen=True)
class Encoder:
    """What pretraining leaves behind.

    Attributes:
        weights: safetensors bytes of the network's trunk.
        seen: patients and recordings that it, or an encoder before it, has learnt from.
        record: where they come from.
        readouts: safetensors bytes, see :meth:`directions`.
    """

    weights: bytes
    seen: Seen
    record: EncoderRecord
    readouts: bytes

    def directions(self) -> dict[str, Singles]:
        """Return what pretraining read from the features, (k, FEATURES) float32, by kind."""
        from safetensors.numpy import load

        return {name: np.asarray(held, np.float32) for name, held in load(self.readouts).items()}

    def check_unseen(self, tested: Iterable[Input]) -> None:
        """Refuse to be used where one of its patients or recordings is tested.

        Raises:
            ModelError: the corpus holds some of `tested`; all their patients are named.
        """
        if seen := self.seen.among(tested):
            raise ModelError(
                f"encoder: {len(seen)} patients of its corpus are in a test part "
                f"({', '.join(seen)}); pretrain without them"
            )

    def packed(self) -> Encoder:
        """Return the same in 8 bits a weight: half the bytes, features that differ by 1 %.

        Raises:
            ModelError: the weights are damaged.
        """
        weights = repack_weights(self.weights)
        return replace(
            self, weights=weights, record=replace(self.record, sha256=digest_of_weights(weights))
        )

    def save(
        self, folder: Path, *, bits: int = 16, kind: str | None = None, force: bool = True
    ) -> None:
        """Write the folder; it appears whole or not at all.

        Args:
            folder: where.
            bits: of each weight: 16, as it is; or 8, see :meth:`packed`.
            kind: as of `whole.whole_folder`, where a user names the folder.
            force: replace an encoder; without `kind`, whatever is there.

        Raises:
            InputError: it cannot be written.
        """
        held = self.packed() if bits == 8 else self
        with whole_folder(folder, kind=kind, force=force) as part:
            (part / WEIGHTS).write_bytes(held.weights)
            (part / SEEN).write_bytes(held.seen.pack())
            (part / READOUTS).write_bytes(held.readouts)
            held.record.save(part / RECORD)


def load_encoder(folder: Path) -> Encoder:
    """Read the folder that :meth:`Encoder.save` wrote.

    Raises:
        ModelError: it is no encoder, or it is damaged.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder.name} is no encoder: {' and '.join(missing)} missing")
    record = EncoderRecord.load(folder / RECORD)
    weights = _read(folder / WEIGHTS, record.sha256)
    seen = Seen.unpack(_read(folder / SEEN, record.seen_sha256))
    return Encoder(weights, seen, record, _read(folder / READOUTS, record.readouts_sha256))


def _read(path: Path, sha256: str) -> bytes:
    try:
        data = read_regular(path, MAX_PART_BYTES)
    except InputError as error:
        raise ModelError(f"{path.name}: {error}") from error
    except OSError as error:
        raise ModelError(f"{path.name}: cannot be read ({error.strerror})") from error
    if digest_of_weights(data) != sha256:
        raise ModelError(f"{path.parent.name}: {path.name} differs from its sha256; pretrain again")
    return data


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


def encoder_at(place: Path) -> Encoder:
    """Return the encoder in a folder or, where there is no such folder, the shipped one so named.

    Raises:
        ModelError: it is neither, or damaged.
    """
    if place.is_dir():
        return load_encoder(place)
    shipped = sorted(folder.name for folder in SHIPPED.iterdir() if folder.is_dir())
    if str(place) not in shipped:
        raise ModelError(
            f"{place.name}: no such folder; give that of an encoder, or the name of one that comes "
            f"with dyssync ({', '.join(shipped)})"
        )
    return shipped_encoder(str(place))


def digest_of_weights(weights: bytes) -> str:
    """Return the sha256 that an encoder's record holds of a file."""
    return hashlib.sha256(weights).hexdigest()
