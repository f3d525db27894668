"""A fitted model on disk, written and read: what is read may be anybody's."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dyssync.errors import FAULTS, ConfigError, InputError, ModelError, told_fault
from dyssync.models import MODELS
from dyssync.models.base import ProbabilityMixin
from dyssync.models.protocols import ResponseModel, State
from dyssync.records import Record
from dyssync.regular import read_regular

VALUES = "model.json"
SHA256 = re.compile("[0-9a-f]{64}")
PART = re.compile(r"[a-z][a-z_]{0,30}\.[a-z]{1,20}")
MAX_PART_BYTES = 500_000_000  # a ResNet-18 has 22 MB, a forest less


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
class Pool:
    """Where further files of the models of a bundle lie, under their sha256.

    Attributes:
        folder: of them.
        listed: sha256 of all files of the bundle, checked, by path.
    """

    folder: Path
    listed: Mapping[str, str]

    def read(self, sha: str) -> bytes:
        """Return a file that the bundle lists.

        Raises:
            ModelError: it is not listed, or cannot be read.
        """
        if f"{self.folder.name}/{sha}" not in self.listed:
            raise ModelError("the manifest does not list a file that it is made of")
        return read_part(self.folder / sha, MAX_PART_BYTES)


def save_model(model: ResponseModel, name: str, folder: Path) -> None:
    """Write one fitted model into a new folder; `name` is its key in the registry."""
    folder.mkdir(parents=True)
    state = model.state()
    for file, data in state.files.items():
        (folder / file).write_bytes(data)
    digests = {file: hashlib.sha256(data).hexdigest() for file, data in state.files.items()}
    SavedModel(name, model.portable_params(), state.values, digests).save(folder / VALUES)


def load_model(folder: Path, name: str | None = None, pool: Pool | None = None) -> ResponseModel:
    """Read what :func:`save_model` wrote.

    Args:
        folder: of the model.
        name: its key in the registry; None takes whatever is there.
        pool: where further files lie; None where they lie beside it.

    Raises:
        ModelError: something is missing, damaged or does not fit, whatever it is.
    """
    saved = SavedModel.load(folder / VALUES)
    if name not in (None, saved.model):
        raise ModelError(f"{name}: is another model inside; copy the bundle again")
    try:
        model = _unfitted(saved)
        files = {file: _bytes_of(folder, file, sha, pool) for file, sha in saved.files.items()}
        return model.restore(State(saved.values, files))
    except ConfigError as error:
        raise ModelError(str(error)) from error
    except ModelError as error:
        raise ModelError(f"{name or folder.name}: {error}") from error
    except FAULTS as error:  # values of another type or shape than the model wrote
        raise ModelError(
            f"{name or folder.name}: what it learnt is damaged or of another version "
            f"({type(error).__name__}); copy it again"
        ) from error


def _bytes_of(folder: Path, file: str, sha: str, pool: Pool | None) -> bytes:
    if not PART.fullmatch(file) or not SHA256.fullmatch(sha):
        raise ModelError("names a file that is none of a model")
    if pool is not None:
        return pool.read(sha)
    data = read_part(folder / file, MAX_PART_BYTES)
    if hashlib.sha256(data).hexdigest() != sha:
        raise ModelError(f"{file} was changed")
    return data


def _unfitted(saved: SavedModel) -> ResponseModel:
    """Return the model with its parameters, each of the type that its default has.

    Raises:
        ConfigError: a parameter is out of range.
        ModelError: one is unknown, of another type, or names something of this machine.
    """
    kind = MODELS[saved.model]
    defaults = kind().get_params()
    unknown = set(saved.params) - set(defaults)
    if unknown:
        raise ModelError(f"{len(unknown)} parameters of another version")
    for key, value in saved.params.items():
        if not _fits(value, defaults[key]):
            raise ModelError(f"parameter {key} is of another type")
    model = kind(**saved.params)
    if isinstance(model, ProbabilityMixin):
        if any(saved.params.get(key) is not None for key in model.LOCAL_PARAMS):
            raise ModelError("names files of this machine, which no bundle does")
        ProbabilityMixin.check_settings(model, saved.model)
    return model


def _fits(value: object, default: object) -> bool:
    """Say whether a parameter is of the type of its default."""
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int):
        return isinstance(value, int)
    if isinstance(default, float):
        return isinstance(value, (int, float)) and math.isfinite(value)
    if isinstance(default, Mapping):
        return isinstance(value, Mapping)
    return value is None if default is None else isinstance(value, type(default))


def read_part(path: Path, most: int) -> bytes:
    """Return a file of a bundle.

    Raises:
        ModelError: it is missing, none, or too large.
    """
    try:
        return read_regular(path, most)
    except FileNotFoundError as error:
        raise ModelError(f"{path.name} is missing") from error
    except InputError as error:
        raise ModelError(f"{path.name} is {error}") from error
    except OSError as error:
        raise ModelError(f"{path.name}: cannot be read ({error.strerror})") from error


def unanswered(name: str, error: Exception) -> ModelError:
    """Return the error of a model that was read and yet cannot answer."""
    return ModelError(f"{name}: cannot answer; {told_fault(error)}, or copy the bundle again")
