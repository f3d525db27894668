"""A bundle: the models of a study as a folder of ONNX, LightGBM text and JSON.

Every file's sha256 stands in the manifest, and the manifest's own beside it; nothing is loaded
from a bundle with one byte changed. It names no patient.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dyssync import __version__
from dyssync.errors import InputError, ModelError
from dyssync.models import MODELS
from dyssync.models.protocols import ResponseModel
from dyssync.prediction.crossfit import CrossFit
from dyssync.prediction.saved import (
    MAX_PART_BYTES,
    SHA256,
    VALUES,
    SavedModel,
    read_part,
    restored,
)
from dyssync.prediction.training_data import TrainingData
from dyssync.records import MAX_RECORD_BYTES, SHOWN, Record
from dyssync.regular import digest_of_file
from dyssync.whole import whole_folder

MANIFEST, SEAL = "manifest.json", "manifest.sha256"
ANSWERING = "answering.json"
POOL = "files"  # of a bundle: what members learnt beside numbers, each file once under its sha256
BUNDLE_FORMAT = 7
MEMBER = re.compile(r"(fit|ecg)-\d{1,4}")
VERSION = re.compile(r"\d{1,4}(\.\w{1,12}){1,5}")
SEAL_BYTES = 100
AGAIN = "copy the bundle again"


OnRestored: TypeAlias = Callable[[ResponseModel], None]


def ignore(_: ResponseModel) -> None:
    """Do nothing with a model that was read."""


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

    def __post_init__(self) -> None:
        """Refuse what no study says of itself.

        Raises:
            ModelError: a number is out of its range.
        """
        shares = {"base_rate": self.base_rate, "threshold": self.threshold}
        wrong = [name for name, share in shares.items() if not 0 <= share <= 1]
        wrong += ["n_patients"] * (self.n_patients < 1) + ["seconds"] * (not self.seconds > 0)
        if wrong:
            raise ModelError(f"{', '.join(wrong)} out of range")


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
class Bundle:
    """An open bundle.

    Attributes:
        folder: where it lies.
        manifest: what it holds.
        digest: sha256 of the manifest, which names those of all files: it tells bundles apart.
    """

    folder: Path
    manifest: Manifest
    digest: str

    @property
    def about(self) -> About:
        """The study that it comes from."""
        return self.manifest.about

    @property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """The members of each model, by its name."""
        return self.manifest.models

    @property
    def best_first(self) -> tuple[str, ...]:
        """Its models that may give the one answer, the best graded first.

        A bundle may hold some of its study's models only.
        """
        return tuple(name for name in self.about.best_first if name in self.members)

    def model(self, name: str, member: str) -> ResponseModel:
        """Return one member of a model, as "fit-03"; see :meth:`read`.

        Raises:
            ModelError: a file is missing or was changed, or does not fit.
        """
        return self.several(name, [member])[0]

    def several(
        self, name: str, members: Sequence[str], each: OnRestored = ignore
    ) -> list[ResponseModel]:
        """Return members of a model; what they share is read and checked once.

        Args:
            name: of the model.
            members: as "fit-03".
            each: called with each as it is there, before the next is read.

        Raises:
            ModelError: as :meth:`model`.
        """
        held: dict[str, bytes] = {}

        def pooled(_: str, sha: str) -> bytes:
            if sha not in held:
                held[sha] = self.read(f"{POOL}/{sha}")
            return held[sha]

        found = []
        for member in members:
            file = f"models/{name}/{member}/{VALUES}"
            saved = SavedModel.from_json(self.read(file, MAX_RECORD_BYTES), file)
            if saved.model != name:
                raise ModelError(f"{name}: is another model inside; {AGAIN}")
            found.append(restored(saved, name, pooled))
            each(found[-1])
        return found

    def any_of(self, name: str) -> ResponseModel:
        """Return one member of a model: what it can do, all can; see :meth:`model`."""
        return self.model(name, self.members[name][0])

    def answering(self, name: str) -> Answering:
        """Return how the members of a model answer together; see :meth:`read`.

        Raises:
            ModelError: it is missing or was changed, or names members that are missing.
        """
        file = f"models/{name}/{ANSWERING}"
        said = Answering.from_json(self.read(file, MAX_RECORD_BYTES), file)
        used = {*said.usual.members, *(() if said.ecg_alone is None else said.ecg_alone.members)}
        if not used <= set(self.members[name]):
            raise ModelError(f"{name}: answers by members that are missing; {AGAIN}")
        return said

    def read(self, file: str, most: int = MAX_PART_BYTES) -> bytes:
        """Return a file, if its sha256 is that of the manifest.

        Args:
            file: its path in the folder.
            most: bytes.

        Raises:
            ModelError: it is not listed, is missing, too large or none, or was changed.
        """
        listed = self.manifest.files.get(file)
        if listed is None:
            raise ModelError(f"{self.folder.name}: a file is needed that {MANIFEST} does not list")
        data = read_part(self.folder / file, most)
        if hashlib.sha256(data).hexdigest() != listed:
            raise ModelError(f"{self.folder.name}: {file} was changed; {AGAIN}")
        return data


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
            files={
                p.relative_to(part).as_posix(): digest_of_file(p, MAX_PART_BYTES) for p in files
            },
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

    Whoever changed a file may have changed the digests as well: nothing that stands in the bundle
    leads out of its folder, and nothing is loaded that the manifest does not list.

    Raises:
        ModelError: it is no bundle, of another version, or files are missing or changed; all are
            named.
    """
    if (folder / "bundle" / MANIFEST).is_file():  # the run folder was given
        folder = folder / "bundle"
    if not (folder / MANIFEST).is_file() or not (folder / SEAL).is_file():
        raise ModelError(f"{folder}: no bundle; a folder with {MANIFEST} and {SEAL} is needed")
    text = read_part(folder / MANIFEST, MAX_RECORD_BYTES)
    seal = read_part(folder / SEAL, SEAL_BYTES).strip()
    digest = hashlib.sha256(text).hexdigest()
    if digest.encode() != seal:
        raise ModelError(f"{folder.name}: {MANIFEST} was changed; {AGAIN}")
    _check_format(folder.name, text)
    manifest = Manifest.from_json(text, f"{folder.name}: {MANIFEST}")
    if found := listing_problem(manifest):
        raise ModelError(f"{folder.name}: {MANIFEST} {found}; it is no bundle of dyssync")
    if check_all:
        _check_files(folder, manifest)
    return Bundle(folder, manifest, digest)


def _check_files(folder: Path, manifest: Manifest) -> None:
    wrong = [
        problem
        for name, digest in manifest.files.items()
        if (problem := _difference(folder, name, digest))
    ]
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise ModelError(f"{folder.name}: {'; '.join(wrong[:SHOWN])}{more}; {AGAIN}")


def listing_problem(manifest: Manifest) -> str:
    """Return what is wrong with the names that a manifest holds; "" where all is right.

    All of them become parts of paths, so they are ours or none.
    """
    if not manifest.models or not all(manifest.models.values()):
        return "lists no models"
    if not all(name in MODELS for name in manifest.models):
        return "names a model that there is none of"
    if not all(name in MODELS for name in manifest.about.best_first):
        return "lets a model answer that there is none of"
    members = [f"{name}/{member}" for name, own in manifest.models.items() for member in own]
    if not all(MEMBER.fullmatch(member.partition("/")[2]) for member in members):
        return "names a member that there is none of"
    needed = {f"models/{name}/{ANSWERING}" for name in manifest.models}
    needed |= {f"models/{n}/{m}/{VALUES}" for n, own in manifest.models.items() for m in own}
    listed = dict(manifest.files)
    if not needed <= listed.keys() or len(members) != sum(
        len(set(m)) for m in manifest.models.values()
    ):
        return "does not list a file of each model and member"
    pooled = {name: sha for name, sha in listed.items() if name not in needed}
    if not all(SHA256.fullmatch(sha) for sha in listed.values()):
        return "holds a digest that is none"
    if any(name != f"{POOL}/{sha}" for name, sha in pooled.items()):
        return "lists a file that belongs to no model"
    return ""


def _difference(folder: Path, name: str, digest: str) -> str:
    """Return what is wrong with a listed file, "" where nothing is."""
    try:
        found = digest_of_file(folder / name, MAX_PART_BYTES)
    except FileNotFoundError:
        return f"{name} is missing"
    except InputError as error:
        return f"{name} is {error}"
    except OSError as error:
        return f"{name} cannot be read ({error.strerror})"
    return "" if found == digest else f"{name} was changed"


def _check_format(name: str, text: bytes) -> None:
    """Refuse a bundle of another version by its version, before its fields are looked at."""
    try:
        found = json.loads(text)
        version, writer = found["format"], found["dyssync"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{name}: {MANIFEST} is no manifest of a bundle") from error
    if version != BUNDLE_FORMAT:
        what = version if isinstance(version, int) else "of another kind"
        who = writer if VERSION.fullmatch(str(writer)) else "another version"
        raise ModelError(
            f"{name}: bundle format {what}, this version reads {BUNDLE_FORMAT}; run the study "
            f"again, or use the dyssync that wrote it ({who})"
        )


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)  # half a gigabyte of weights need not stand twice on the disk
    except OSError:
        shutil.copy2(source, target)
