"""How an encoder is pretrained: everything that decides its numbers but the recordings."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from dyssync import __version__
from dyssync.errors import ConfigError, check_choice, check_range, join_problems
from dyssync.learning.picture_config import MIXED, PLAIN, PictureConfig, named_layouts
from dyssync.pretraining import METHODS
from dyssync.pretraining.method import Method, Setting
from dyssync.records import Record

VERSION = 2  # another one where the same config leaves other bytes; cached encoders go by it
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


@dataclass(frozen=True)
class PretrainingConfig(Record):
    """How an encoder is pretrained.

    Attributes:
        method: see ``dyssync list methods``.
        settings: of the method's own; those left out are written out here with their defaults.
        layout: of the model to come.
        gain: times the layout's.
        height, width: of the pictures, px; by default those of the models that start from one.
        training_layouts: names, as in :class:`PictureConfig`; left empty, the mix of all layouts of
            one kind of signal is written out here.
        papers: "plain" or "mixed", as in :class:`PictureConfig`.
        wear: largest severity, 0-5.
        passes: how often the corpus is gone through.
        draws: most recordings drawn in all; a large corpus is gone through less often.
        batch_size: recordings a step; left 0, the method's own is written out here.
        learning_rate: peak of AdamW's rate.
        weight_decay: AdamW's.
        precision: "auto", "32-true" or "bf16-mixed".

    Raises:
        ConfigError: on construction, when a name is unknown or a setting does not fit.
    """

    method: str = "waveform"
    settings: Mapping[str, Setting] = field(default_factory=dict)
    layout: str = "3x4+II"
    gain: float = 2.0
    height: int = 128
    width: int = 160
    training_layouts: tuple[str, ...] = ()
    papers: str = PLAIN
    wear: float = 0.0
    passes: int = 60
    draws: int = 200_000
    batch_size: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    precision: str = "auto"

    def __post_init__(self) -> None:
        # written out, so that digest and record tell what was done whatever becomes of a default
        settings = settings_of(self.method, self.settings)
        layouts = self.training_layouts or named_layouts(MIXED, self.layout)
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "training_layouts", layouts)
        batch_size = self.batch_size or METHODS[self.method].BATCH
        object.__setattr__(self, "batch_size", check_range("batch_size", batch_size, 2, 65_536))
        check_range("learning_rate", self.learning_rate, 1e-8, 10.0)
        check_range("weight_decay", self.weight_decay, 0.0, 10.0)
        _ = self.pictures  # checks their settings

    @property
    def pictures(self) -> PictureConfig:
        """What the pictures look like."""
        return PictureConfig(
            size=(self.height, self.width),
            layout=self.layout,
            gain=self.gain,
            training_layouts=self.training_layouts,
            papers=self.papers,
            wear=self.wear,
        )

    def make_method(self) -> Method:
        """Return the method with its settings, not prepared yet."""
        return METHODS[self.method](self.pictures, **self.settings)

    def passes_of(self, n: int) -> int:
        """Return how often a corpus of n recordings is gone through; once at least."""
        return max(1, min(self.passes, round(self.draws / n)))

    def digest(self, corpus: str, weights: str | None = None, started_from: str = "") -> str:
        """Return the name of the encoder that this config makes of a corpus.

        Args:
            corpus: digest of its recordings.
            weights: file that it starts from, if any.
            started_from: sha256 of the encoder that it goes on from, if any.
        """
        held = [VERSION, __version__, asdict(self), corpus, weights, started_from]
        text = json.dumps(held, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def settings_of(method: str, given: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return all own settings of a method: those given, the defaults for the rest.

    Args:
        method: name in the registry.
        given: by name.

    Raises:
        ConfigError: the method or a setting is unknown, or one is of another type or out of range;
            all that is wrong with the settings at once.
    """
    kind = METHODS[method]
    parameters = inspect.signature(kind).parameters.values()
    settings = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    problems = []
    for name, value in given.items():
        try:
            check_choice("setting", name, settings)
            settings[name] = _checked(kind, name, value, settings[name])
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError(join_problems(problems, f"settings of {method}"))
    return settings


def _checked(kind: type[Method], name: str, value: Setting, default: Setting) -> Setting:
    if isinstance(default, float) and type(value) is int:
        value = float(value)  # one name of an encoder, however the number was written
    if type(value) is not type(default):
        raise ConfigError(f"{name} is {value!r}; {KINDS[type(default)]} is needed")
    if name in kind.CHOICES:
        check_choice(name, str(value), kind.CHOICES[name])
    elif name in kind.RANGES and not isinstance(value, str):
        check_range(name, value, *kind.RANGES[name])
    return value
