"""ResNet-18 that first learns without labels: the study's second model."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from dyssync.image import Input
from dyssync.learning.network import unpack_weights
from dyssync.learning.training import Watch
from dyssync.models.base import signals_of
from dyssync.models.protocols import Choices, Presets, Ranges
from dyssync.models.resnet import QUICK, ResNet18
from dyssync.pretraining import METHODS
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.encoder import Encoder, load_encoder
from dyssync.pretraining.loop import pretrain
from dyssync.pretraining.method import Setting

NO_SETTINGS: Mapping[str, Setting] = {}


class SelfSupervisedResNet18(ResNet18):
    """ResNet-18 that has first learnt from pictures without labels.

    Args:
        encoder: folder of a pretrained encoder (:func:`dyssync.pretraining.load_encoder`); None
            pretrains on the training recordings of each fit.
        method: of pretraining, see ``dyssync list methods``.
        method_settings: of the method's own, by name; its defaults for the rest.
        pretraining_passes: how often pretraining goes through its corpus.
        pretraining_draws: most recordings it draws in all.
        pretraining_rate: peak learning rate of pretraining.
        **parameters: as in :class:`ResNet18`.
    """

    LOCAL_PARAMS: ClassVar[tuple[str, ...]] = (*ResNet18.LOCAL_PARAMS, "encoder")
    CHOICES: ClassVar[Choices] = {**ResNet18.CHOICES, "method": METHODS}
    RANGES: ClassVar[Ranges] = {
        **ResNet18.RANGES,
        "pretraining_passes": (1, 100_000),
        "pretraining_draws": (1, 1_000_000_000),
        "pretraining_rate": (1e-8, 10.0),
    }
    PRESETS: ClassVar[Presets] = {
        "quick": {**QUICK, "pretraining_passes": 16, "pretraining_draws": 20_000},
        "quick-virtual": {"height": 96, "width": 120, "epochs": 3, "pretraining_passes": 8},
    }

    def __init__(
        self,
        *,
        encoder: str | None = None,
        method: str = "waveform",
        method_settings: Mapping[str, Setting] = NO_SETTINGS,
        pretraining_passes: int = 60,
        pretraining_draws: int = 200_000,
        pretraining_rate: float = 1e-3,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.encoder = encoder
        self.method = method
        self.method_settings = method_settings
        self.pretraining_passes = pretraining_passes
        self.pretraining_draws = pretraining_draws
        self.pretraining_rate = pretraining_rate

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Return scikit-learn's list of parameters: ResNet18's and those above."""
        own = inspect.signature(cls).parameters.keys() - {"parameters"}
        return sorted([*ResNet18._get_param_names(), *own])

    def check_settings(self, name: str) -> None:
        """Refuse parameters that a fit could only fail on, those of the method among them.

        Raises:
            ConfigError: one is unknown or out of range.
        """
        super().check_settings(name)
        self.pretraining_config()

    def start_from(self, encoder: Path) -> Self:
        """Start from the encoder in this folder; return itself."""
        self.encoder = str(encoder)
        return self

    def pretraining_config(self) -> PretrainingConfig:
        """Return how an encoder for this model is pretrained."""
        return PretrainingConfig(
            method=self.method,
            settings=self.method_settings,
            layout=self.layout,
            gain=self.gain,
            height=self.height,
            width=self.width,
            papers=self.papers,
            wear=self.wear,
            passes=self.pretraining_passes,
            draws=self.pretraining_draws,
            learning_rate=self.pretraining_rate,
            precision=self.precision,
        )

    def _begin(self, X: Sequence[Input], seed: int, watch: Watch) -> None:
        super()._begin(X, seed, watch)
        held: Encoder
        if self.encoder is not None:
            held = load_encoder(Path(self.encoder))
        else:
            ecgs = signals_of(X, "pretraining without a corpus")
            held = pretrain(ecgs, self.pretraining_config(), seed=seed, weights=self.weights)
        unpack_weights(self.network_.get_submodule("encoder"), held.weights)
