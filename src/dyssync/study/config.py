"""The settings of a study: defaults of the paper, presets, TOML file, ``--set key=value``."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dyssync.errors import ConfigError, check_choice
from dyssync.learning.network import STAGES
from dyssync.models import MODELS, ResponseModel
from dyssync.regular import read_regular

# The study's three, then what goes beyond it and what a reviewer asks for beside them.
STUDY_MODELS = (
    "resnet18", "ssl-resnet18", "lightgbm", "sim-resnet18", "combined", "ridge", "logistic",
    "qrs-area", "guideline-esc-2021", "prevalence",
)  # fmt: skip

# "paper" is the study as published, as far as it says: 224 px pictures and ResNet-18; the rest are
# the defaults of each model. What "quick" changes stands on the model (`PRESETS`).
PRESETS = ("paper", "quick")
MAX_CONFIG_BYTES = 1_000_000
CROSS_FIT, INDEPENDENT = PROTOCOLS = ("cross-fit", "independent")


class StudyConfig(BaseModel):
    """Everything that decides the numbers of a study; unknown keys are errors.

    Where the paper is silent the default and its reason stand here: ten splits in two repeats of
    five folds, because each then tests 57 patients, as the SD that it reports tells, and every
    patient is tested twice; threshold 0.5; Grad-CAM on the last stage.

    Attributes:
        protocol: "cross-fit", `repeats` times `folds`; or "independent", `seeds` splits by
            `fractions`, as the paper may have drawn them.
        threshold: from which probability a patient is called a responder; named before any result
            is seen.
        refits: bootstrap samples to which quick models are fitted again, to see how steady their
            answers are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    cohort: Path | None = None
    corpus: Path | None = None
    models: tuple[str, ...] = STUDY_MODELS
    protocol: str = CROSS_FIT
    repeats: int = Field(default=2, ge=1, le=100)
    folds: int = Field(default=5, ge=2, le=100)
    seeds: int = Field(default=10, ge=1, le=1000)
    preset: str = "paper"
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)
    seconds: float = Field(default=10.0, ge=1.0, le=3600.0)
    threshold: float = Field(default=0.5, gt=0.0, lt=1.0)
    refits: int = Field(default=200, ge=0, le=10_000)
    gradcam_stage: str = "layer4"
    region_cut: float = Field(default=0.6, gt=0.5, le=1.0)
    exclude_bad: bool = False
    shuffle_labels: bool = False
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_names(self) -> StudyConfig:
        check_choice("preset", self.preset, PRESETS)
        check_choice("protocol", self.protocol, PROTOCOLS)
        self._check_protocol()
        if not self.models:
            raise ConfigError("models is empty; name at least one")
        if len(set(self.models)) != len(self.models):
            raise ConfigError(f"models names one twice: {', '.join(self.models)}; once is enough")
        check_choice("gradcam_stage", self.gradcam_stage, STAGES)
        for name in self.models:
            self.make_model(name).check_settings(name)
        unused = sorted(set(self.parameters) - set(self.models))
        if unused:
            raise ConfigError(f"settings for models that are not run: {', '.join(unused)}")
        if abs(sum(self.fractions) - 1) > 1e-9 or min(self.fractions) <= 0:
            raise ConfigError(
                f"fractions are {self.fractions}; three above 0 with sum 1 are needed"
            )
        return self

    def _check_protocol(self) -> None:
        """Refuse settings that the protocol does not look at: their user expects an effect."""
        others = {CROSS_FIT: ("seeds", "fractions"), INDEPENDENT: ("repeats", "folds")}
        fields = StudyConfig.model_fields
        idle = [n for n in others[self.protocol] if getattr(self, n) != fields[n].default]
        if idle:
            other = INDEPENDENT if self.protocol == CROSS_FIT else CROSS_FIT
            raise ConfigError(
                f"{' and '.join(idle)} belong to protocol {other}, this is {self.protocol}; "
                f"set protocol {other} too, or {' and '.join(others[other])} instead"
            )

    @property
    def n_fits(self) -> int:
        """How often each model is fitted and tested."""
        return self.repeats * self.folds if self.protocol == CROSS_FIT else self.seeds

    def parameters_of(self, model: str) -> dict[str, Any]:
        """Return all parameters of a model: its defaults, the preset's, the user's.

        Raises:
            ConfigError: the model or one of its parameters is unknown, or of another type.
        """
        plain = MODELS[model]()
        defaults = plain.get_params()
        own = self.parameters.get(model, {})
        for key, value in own.items():
            check_choice(f"parameter of {model}", key, defaults)
            _check_type(f"{model}.{key}", value, defaults[key])
        return {**defaults, **plain.PRESETS.get(self.preset, {}), **own}

    def make_model(self, name: str, **changes: Any) -> ResponseModel:
        """Return an unfitted model with its parameters, some of them changed."""
        return MODELS[name](**{**self.parameters_of(name), **changes})

    def record(self) -> dict[str, Any]:
        """Return all settings as JSON, those of every model included."""
        held = json.loads(self.model_dump_json())
        held["parameters"] = {
            name: {k: _shareable(v) for k, v in self.parameters_of(name).items()}
            for name in self.models
        }
        return held  # type: ignore[no-any-return]

    def differs_from_paper(self) -> dict[str, list[Any]]:
        """Return what differs from the paper preset: setting -> [paper, here]."""
        plain = StudyConfig()
        skipped = {"cohort", "corpus", "preset", "parameters"}
        differing = {
            key: [_jsonable(getattr(plain, key)), _jsonable(getattr(self, key))]
            for key in StudyConfig.model_fields
            if key not in skipped and getattr(plain, key) != getattr(self, key)
        }
        for name in self.models:
            defaults = MODELS[name]().get_params()
            for key, value in self.parameters_of(name).items():
                if value != defaults[key]:
                    differing[f"{name}.{key}"] = [defaults[key], _shareable(value)]
        return differing


def _shareable(value: Any) -> Any:
    """Return a value without the folders of this machine: a run may be shared."""
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _jsonable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _check_type(name: str, value: Any, default: Any) -> None:
    """Refuse a value of another kind than the default; where that is None, take text or number."""
    kinds: tuple[type, ...] = (str, int, float) if default is None else (type(default),)
    if kinds == (float,):
        kinds = (float, int)
    if isinstance(value, bool) != isinstance(default, bool) or not isinstance(value, kinds):
        needed = " or ".join(kind.__name__ for kind in kinds)
        raise ConfigError(f"{name} is {value!r}; {needed} is needed")
    for inner in value.values() if isinstance(value, Mapping) else [value]:
        if isinstance(inner, float) and not math.isfinite(inner):
            raise ConfigError(f"{name} is {inner}; a finite number is needed")


def build_config(
    values: Mapping[str, Any], file: Path | None = None, settings: Sequence[str] = ()
) -> StudyConfig:
    """Return the configuration from command-line values over ``--set`` over a TOML file.

    In the file and in `settings`, "resnet18.epochs" (or a table [resnet18]) is a model's parameter,
    everything else a field of :class:`StudyConfig`.

    Raises:
        ConfigError: a key is unknown or a value does not fit; all such findings at once.
    """
    merged: dict[str, Any] = {}
    if file is not None:
        try:
            merged = tomllib.loads(read_regular(file, MAX_CONFIG_BYTES).decode("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(f"{file}: no readable TOML file ({error})") from error
    for text in settings:
        key, separator, value = text.partition("=")
        if not separator:
            raise ConfigError(f"--set {text}: key=value is needed")
        model, _, parameter = key.strip().rpartition(".")
        if model:
            held = merged.setdefault(model, {})
            if not isinstance(held, dict):
                raise ConfigError(f"--set {text}: {model} has no parameters; it is a setting")
            held[parameter] = parse_value(value)
        else:
            merged[key.strip()] = parse_value(value)
    parameters = {k: merged.pop(k) for k in list(merged) if isinstance(merged[k], dict)}
    for name in parameters:
        check_choice("model", name, MODELS)
    try:
        return StudyConfig.model_validate({**merged, **values, "parameters": parameters})
    except ValidationError as error:
        raise ConfigError("; ".join(_wording(e) for e in error.errors())) from error


def _wording(error: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown setting {key!r}. Settings: {', '.join(StudyConfig.model_fields)}"
    return str(error["msg"]).removeprefix("Value error, ") if not key else f"{key}: {error['msg']}"


def parse_value(text: str) -> Any:
    """Return a TOML value, or the text itself when it is none (an unquoted name)."""
    try:
        return tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
