"""A bundle: the models of a study as a folder of safetensors, LightGBM text and JSON.

Every file's sha256 stands in the manifest, and the manifest's own beside it; nothing is loaded
from a bundle with one byte changed. It names no patient.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dyssync import __version__
from dyssync.errors import ModelError
from dyssync.models import MODELS
from dyssync.models.base import ResponseModel, State

MANIFEST, SEAL, VALUES = "manifest.json", "manifest.sha256", "model.json"
BUNDLE_FORMAT = 2
FINAL = "final"


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle.

    Attributes:
        folder: where it lies.
        about: cohort size, base rate, thresholds by model, ranges of the training data.
        members: models by name; each maps "final" and "seed-<n>" to its folder.
    """

    folder: Path
    about: Mapping[str, Any]
    members: Mapping[str, tuple[str, ...]]

    def model(self, name: str, member: str = FINAL) -> ResponseModel:
        """Return one fitted model; "final" was fitted on all patients, "seed-03" in seed 3."""
        return load_model(self.folder / "models" / name / member)


def save_model(model: ResponseModel, name: str, folder: Path) -> None:
    """Write one fitted model into a new folder; `name` is its key in the registry."""
    folder.mkdir(parents=True)
    state = model.state()
    local = set(getattr(model, "LOCAL_PARAMS", ()))
    params = {k: None if k in local else v for k, v in model.get_params().items()}
    record = {"model": name, "params": params, "values": state.values, "files": list(state.files)}
    (folder / VALUES).write_text(json.dumps(record, indent=1), encoding="utf-8")
    for file, data in state.files.items():
        (folder / file).write_bytes(data)


def load_model(folder: Path) -> ResponseModel:
    """Read what :func:`save_model` wrote.

    Raises:
        ModelError: something is missing or does not fit.
    """
    try:
        record = json.loads((folder / VALUES).read_text(encoding="utf-8"))
        files = {name: (folder / name).read_bytes() for name in record["files"]}
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder.name}: no readable model ({error})") from error
    model = MODELS[record["model"]](**record["params"])
    return model.restore(State(record["values"], files))


def save_bundle(folder: Path, members: Mapping[str, Mapping[str, Path]], about: object) -> None:
    """Assemble a bundle from folders of saved models; it appears whole or not at all.

    Args:
        folder: the bundle; replaced if it exists.
        members: for each model its folders by member name ("final", "seed-01", ...).
        about: JSON-able facts, see :class:`Bundle`.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")  # of a killed run, removed here
    shutil.rmtree(temporary, ignore_errors=True)
    for name, held in members.items():
        for member, source in held.items():
            target = temporary / "models" / name / member
            shutil.copytree(source, target, copy_function=_link_or_copy)
    files = sorted(p for p in temporary.rglob("*") if p.is_file())
    manifest = {
        "format": BUNDLE_FORMAT,
        "dyssync": __version__,
        "about": about,
        "models": {name: list(held) for name, held in members.items()},
        "files": {p.relative_to(temporary).as_posix(): _sha256(p) for p in files},
    }
    text = json.dumps(manifest, indent=1).encode()
    (temporary / MANIFEST).write_bytes(text)
    (temporary / SEAL).write_text(hashlib.sha256(text).hexdigest() + "\n", encoding="ascii")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(temporary, folder)


def load_bundle(folder: Path) -> Bundle:
    """Open a bundle and check every file against its sha256.

    Raises:
        ModelError: it is no bundle, or files are missing or changed; all are named.
    """
    if (folder / "bundle" / MANIFEST).is_file():  # the run folder was given
        folder = folder / "bundle"
    if not (folder / MANIFEST).is_file() or not (folder / SEAL).is_file():
        raise ModelError(f"{folder}: no bundle; a folder with {MANIFEST} and {SEAL} is needed")
    text = (folder / MANIFEST).read_bytes()
    if hashlib.sha256(text).hexdigest().encode() != (folder / SEAL).read_bytes().strip():
        raise ModelError(f"{folder.name}: {MANIFEST} was changed; copy the bundle again")
    manifest = json.loads(text)
    if manifest["format"] != BUNDLE_FORMAT:
        raise ModelError(
            f"{folder.name}: bundle format {manifest['format']}, this version reads "
            f"{BUNDLE_FORMAT}; use dyssync {manifest['dyssync']}"
        )
    wrong = [
        f"{name} {'was changed' if (folder / name).is_file() else 'is missing'}"
        for name, digest in manifest["files"].items()
        if not (folder / name).is_file() or _sha256(folder / name) != digest
    ]
    if wrong:
        raise ModelError(f"{folder.name}: {'; '.join(wrong)}; copy the bundle again")
    members = {name: tuple(held) for name, held in manifest["models"].items()}
    return Bundle(folder, {**manifest["about"], "dyssync": manifest["dyssync"]}, members)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)  # half a gigabyte of weights need not stand twice on the disk
    except OSError:
        shutil.copy2(source, target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
