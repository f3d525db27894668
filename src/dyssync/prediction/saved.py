"""A fitted model on disk, written and read: what is read may be anybody's."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from dyssync.errors import FAULTS, ConfigError, InputError, ModelError, told_fault
from dyssync.models import MODELS
from dyssync.models.base import ProbabilityMixin
from dyssync.models.protocols import ResponseModel, State
from dyssync.records import Record
from dyssync.regular import read_regular

Fetch: TypeAlias = Callable[[str, str], bytes]  # name and sha256 of a further file to its bytes

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
        ModelError: something is missing, damaged or does not fit, whatever it is.
    """

    def beside(file: str, sha: str) -> bytes:
        data = read_part(folder / file, MAX_PART_BYTES)
        if hashlib.sha256(data).hexdigest() != sha:
            raise ModelError(f"{file} was changed")
        return data

    return restored(SavedModel.load(folder / VALUES), folder.name, beside)


def restored(saved: SavedModel, name: str, fetch: Fetch) -> ResponseModel:
    """Return the model that was saved.

    Args:
        saved: the model.
        name: that messages call it by.
        fetch: returns a further file by its name and sha256, which it has checked.

    Raises:
        ModelError: something is missing, damaged or does not fit, whatever it is.
    """
    try:
        model = _unfitted(saved)
        if not all(PART.fullmatch(n) and SHA256.fullmatch(sha) for n, sha in saved.files.items()):
            raise ModelError("names a file that is none of a model")
        files = {file: fetch(file, sha) for file, sha in saved.files.items()}
        return model.restore(State(saved.values, files, saved.files))
    except ConfigError as error:
        raise ModelError(str(error)) from error
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error
    except FAULTS as error:  # values of another type or shape than the model wrote
        raise ModelError(
            f"{name}: what it learnt is damaged or of another version ({type(error).__name__}); "
            "copy it again"
        ) from error


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
