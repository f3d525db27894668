"""How an encoder is pretrained: everything that decides its numbers but the recordings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dyssync import __version__
from dyssync.cohort.digests import digest_of
from dyssync.ecg import ECG
from dyssync.errors import check_choice
from dyssync.learning.picture_config import MIXED, PLAIN, PictureConfig, named_layouts
from dyssync.pretraining import METHODS
from dyssync.records import Record


@dataclass(frozen=True)
class PretrainingConfig(Record):
    """How an encoder is pretrained.

    Attributes:
        method: see ``dyssync list methods``.
        layout: of the model to come.
        gain: times the layout's.
        height, width: of the pictures, px.
        training_layouts: names, as in :class:`PictureConfig`; left empty, the mix of all layouts of
            one kind of signal is written out here.
        papers: "plain" or "mixed", as in :class:`PictureConfig`.
        wear: largest severity, 0-5.
        passes: how often the corpus is gone through.
        draws: most recordings drawn in all; a large corpus is gone through less often.
        batch_size: recordings a step.
        learning_rate: peak of AdamW's rate.
        weight_decay: AdamW's.
        precision: "auto", "32-true" or "bf16-mixed".

    Raises:
        ConfigError: on construction, when a name is unknown or a setting does not fit.
    """

    method: str = "waveform"
    layout: str = "3x4+II"
    gain: float = 2.0
    height: int = 224
    width: int = 224
    training_layouts: tuple[str, ...] = ()
    papers: str = PLAIN
    wear: float = 0.0
    passes: int = 60
    draws: int = 200_000
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    precision: str = "auto"

    def __post_init__(self) -> None:
        check_choice("method", self.method, METHODS)
        # the names and not the word, so that digest and record tell what was drawn
        layouts = self.training_layouts or named_layouts(MIXED, self.layout)
        object.__setattr__(self, "training_layouts", layouts)
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

    def passes_of(self, n: int) -> int:
        """Return how often a corpus of n recordings is gone through; once at least."""
        return max(1, min(self.passes, round(self.draws / n)))

    def digest(self, ecgs: Sequence[ECG], weights: str | None = None) -> str:
        """Return the name of the encoder that this config makes of these recordings."""
        held = [__version__, asdict(self), digest_of(ecgs), weights]
        text = json.dumps(held, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
