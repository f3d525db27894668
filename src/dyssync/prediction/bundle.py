"""A bundle: the models of a study as a folder of ONNX, LightGBM text and JSON.

Every file's sha256 stands in the manifest, and the manifest's own beside it; nothing is loaded
from a bundle with one byte changed. It names no patient.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dyssync import __version__
from dyssync.errors import ConfigError, ModelError
from dyssync.models import MODELS
from dyssync.models.protocols import ResponseModel, State
from dyssync.prediction.crossfit import CrossFit
from dyssync.prediction.training_data import TrainingData
from dyssync.records import Record
from dyssync.whole import whole_folder

MANIFEST, SEAL = "manifest.json", "manifest.sha256"
VALUES, ANSWERING = "model.json", "answering.json"
POOL = "files"  # of a bundle: what members learnt beside numbers, each file once under its sha256
BUNDLE_FORMAT = 6
AGAIN = "copy the bundle again"
DAMAGED = f"what it learnt is damaged or of another version; {AGAIN}"


@dataclass(frozen=True)
class About(Record):
    """What a prediction needs to know of the study that a bundle comes from.

    Attributes:
        n_patients: in all.
        base_rate: share of responders among them, 0-1.
        threshold: from which probability a patient is called a responder, 0-1; named before
            anything was fitted.
        seconds: shortest recording that was accepted, s.
        training: what the recordings were like.
        shuffled_labels: the study was a negative control; its models know nothing.
        simulated: the patients do not exist.
        encoders: by model, in words, what the encoder that it starts from has learnt from.
        best_first: models that are no rules, the lowest Brier score of their out-of-fold answers
            first. The first that can judge a recording gives the one answer.
        cohort_digest: of the recordings, as in the study's config.json.
    """

    n_patients: int
    base_rate: float
    threshold: float
    seconds: float
    training: TrainingData
    shuffled_labels: bool
    simulated: bool
    encoders: Mapping[str, str]
    best_first: tuple[str, ...]
    cohort_digest: str


@dataclass(frozen=True)
class Answering(Record):
    """How the members of a model answer: with clinical facts, or by the ECG alone.

    Attributes:
        usual: the members "fit-<n>".
        ecg_alone: the members "ecg-<n>", fitted without clinical facts, of a model that uses them;
            None of others, and where the study knew none.
        history: what was changed after the study, a sentence each; see ``dyssync validate``.
    """

    usual: CrossFit
    ecg_alone: CrossFit | None
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest(Record):
    """What a bundle holds.

    Attributes:
        format: version of this layout.
        dyssync: version that wrote it.
        about: the study.
        models: by name, its members: "fit-<n>", and "ecg-<n>" that have seen the ECG alone.
        files: sha256 of every other file by its path in the folder.
    """

    format: int
    dyssync: str
    about: About
    models: Mapping[str, tuple[str, ...]]
    files: Mapping[str, str]


@dataclass(frozen=True)
class SavedModel(Record):
    """A fitted model on disk.

    Attributes:
        model: key in the registry.
        params: of its constructor.
        values: what it learnt.
        files: sha256 of further files by their name; ten members may share one trunk.
    """

    model: str
    params: Mapping[str, Any]
    values: Mapping[str, Any]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: where it lies and what it holds."""

    folder: Path
    manifest: Manifest

    @property
    def about(self) -> About:
        """The study that it comes from."""
        return self.manifest.about

    @property
    def digest(self) -> str:
        """The sha256 of its manifest, which names those of all files: it tells bundles apart."""
        return (self.folder / SEAL).read_text(encoding="ascii").strip()

    @property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """The members of each model, by its name."""
        return self.manifest.models

    def model(self, name: str, member: str) -> ResponseModel:
        """Return one member of a model, as "fit-03"; see :meth:`read`.

        Raises:
            ModelError: a file is missing or was changed, or does not fit.
        """
        return self.several(name, [member])[0]

    def several(self, name: str, members: Sequence[str]) -> list[ResponseModel]:
        """Return members of a model; what they share is read and checked once.

        Raises:
            ModelError: as :meth:`model`.
        """
        held: dict[str, bytes] = {}
        found = []
        for member in members:
            file = f"models/{name}/{member}/{VALUES}"
            saved = SavedModel.from_json(self.read(file), file)
            for sha in saved.files.values():
                if sha not in held:
                    held[sha] = self.read(f"{POOL}/{sha}")
            files = {n: held[sha] for n, sha in saved.files.items()}
            found.append(_restored(saved, files))
        return found

    def answering(self, name: str) -> Answering:
        """Return how the members of a model answer together; see :meth:`read`."""
        file = f"models/{name}/{ANSWERING}"
        return Answering.from_json(self.read(file), file)

    def read(self, file: str) -> bytes:
        """Return a file, if its sha256 is that of the manifest.

        Args:
            file: its path in the folder.

        Raises:
            ModelError: it is missing or was changed.
        """
        try:
            data = (self.folder / file).read_bytes()
        except OSError as error:
            raise ModelError(f"{self.folder.name}: {file} is missing; {AGAIN}") from error
        if hashlib.sha256(data).hexdigest() != self.manifest.files.get(file):
            raise ModelError(f"{self.folder.name}: {file} was changed; {AGAIN}")
        return data


def save_model(model: ResponseModel, name: str, folder: Path) -> None:
    """Write one fitted model into a new folder; `name` is its key in the registry."""
    folder.mkdir(parents=True)
    state = model.state()
    for file, data in state.files.items():
        (folder / file).write_bytes(data)
    digests = {file: hashlib.sha256(data).hexdigest() for file, data in state.files.items()}
    SavedModel(name, model.portable_params(), state.values, digests).save(folder / VALUES)


def load_model(folder: Path) -> ResponseModel:
    """Read what :func:`save_model` wrote.

    Raises:
        ModelError: something is missing, damaged or does not fit.
    """
    saved = SavedModel.load(folder / VALUES)
    try:
        files = {name: (folder / name).read_bytes() for name in saved.files}
    except OSError as error:
        raise ModelError(f"{saved.model}: {DAMAGED}") from error
    return _restored(saved, files)


def _restored(saved: SavedModel, files: Mapping[str, bytes]) -> ResponseModel:
    try:
        plain = MODELS[saved.model]()
        unknown = sorted(set(saved.params) - set(plain.get_params()))
        if unknown:
            raise ModelError(f"{saved.model}: parameters of another version: {', '.join(unknown)}")
        state = State(saved.values, files, saved.files)
        return MODELS[saved.model](**saved.params).restore(state)
    except ConfigError as error:
        raise ModelError(str(error)) from error
    except ModelError:
        raise
    # values of another type or shape than the model wrote
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{saved.model}: {DAMAGED}") from error


@dataclass(frozen=True)
class Graded:
    """A model as a study leaves it.

    Attributes:
        members: folders by name.
        answering: how they answer.
        pool: where further files of the members lie under their sha256; None beside each.
    """

    members: Mapping[str, Path]
    answering: Answering
    pool: Path | None = None


def save_bundle(folder: Path, models: Mapping[str, Graded], about: About) -> None:
    """Assemble a bundle from folders of saved models; it appears whole or not at all.

    Args:
        folder: the bundle; replaced if it exists.
        models: by name.
        about: the study.
    """
    with whole_folder(folder) as part:
        for name, graded in models.items():
            for member, source in graded.members.items():
                _add_member(source, graded.pool, part / "models" / name / member, part / POOL)
            graded.answering.save(part / "models" / name / ANSWERING)
        files = sorted(p for p in part.rglob("*") if p.is_file())
        manifest = Manifest(
            format=BUNDLE_FORMAT,
            dyssync=__version__,
            about=about,
            models={name: tuple(graded.members) for name, graded in models.items()},
            files={p.relative_to(part).as_posix(): _sha256(p) for p in files},
        )
        text = manifest.to_json().encode()
        (part / MANIFEST).write_bytes(text)
        (part / SEAL).write_text(hashlib.sha256(text).hexdigest() + "\n", encoding="ascii")


def _add_member(source: Path, held: Path | None, target: Path, pool: Path) -> None:
    """Copy a saved model; what it keeps in further files goes to the pool, once."""
    target.mkdir(parents=True)
    shutil.copy2(source / VALUES, target / VALUES)
    for name, sha in SavedModel.load(source / VALUES).files.items():
        pool.mkdir(exist_ok=True)
        if not (pool / sha).exists():
            _link_or_copy(str(held / sha if held else source / name), str(pool / sha))


def load_bundle(folder: Path, *, check_all: bool = True) -> Bundle:
    """Open a bundle.

    Args:
        folder: of the bundle, or of the run that holds it.
        check_all: check every file against its sha256 now. Whoever asks a few models may leave
            that to :meth:`Bundle.read`, which checks whatever is read.

    Raises:
        ModelError: it is no bundle, of another version, or files are missing or changed; all are
            named.
    """
    if (folder / "bundle" / MANIFEST).is_file():  # the run folder was given
        folder = folder / "bundle"
    if not (folder / MANIFEST).is_file() or not (folder / SEAL).is_file():
        raise ModelError(f"{folder}: no bundle; a folder with {MANIFEST} and {SEAL} is needed")
    text = (folder / MANIFEST).read_bytes()
    if hashlib.sha256(text).hexdigest().encode() != (folder / SEAL).read_bytes().strip():
        raise ModelError(f"{folder.name}: {MANIFEST} was changed; {AGAIN}")
    _check_format(folder.name, text)
    bundle = Bundle(folder, Manifest.from_json(text, f"{folder.name}: {MANIFEST}"))
    if check_all:
        _check_files(bundle)
    return bundle


def _check_files(bundle: Bundle) -> None:
    folder = bundle.folder
    wrong = [
        f"{name} {'was changed' if (folder / name).is_file() else 'is missing'}"
        for name, digest in bundle.manifest.files.items()
        if not (folder / name).is_file() or _sha256(folder / name) != digest
    ]
    if wrong:
        raise ModelError(f"{folder.name}: {'; '.join(wrong)}; {AGAIN}")


def _check_format(name: str, text: bytes) -> None:
    """Refuse a bundle of another version by its version, before its fields are looked at."""
    try:
        found = json.loads(text)
        version, writer = found["format"], found["dyssync"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{name}: {MANIFEST} is no manifest of a bundle") from error
    if version != BUNDLE_FORMAT:
        raise ModelError(
            f"{name}: bundle format {version}, this version reads {BUNDLE_FORMAT}; run the study "
            f"again, or use the dyssync that wrote it ({writer})"
        )


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)  # half a gigabyte of weights need not stand twice on the disk
    except OSError:
        shutil.copy2(source, target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
