"""ResNet-18 that has seen many hearts before: a pretrained trunk, and a head from few patients.

Fitting eleven million weights to a few hundred patients throws away what pretraining has learnt.
So the trunk stays as it is, and a ridge regression on its features is all that patients teach.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.cohort.clinical import FACTS, facts_of
from dyssync.errors import ConfigError, ModelError
from dyssync.image import Input
from dyssync.layouts import LAYOUTS
from dyssync.learning.ahead import Look
from dyssync.learning.checkpoint import History
from dyssync.learning.features import features_of
from dyssync.learning.network import FEATURES, build_network, unpack_weights
from dyssync.learning.network_file import network_file
from dyssync.learning.network_input import neutral_views
from dyssync.learning.picture_config import named_layouts
from dyssync.learning.stored import StoredNetwork, restored_network, stored_network
from dyssync.learning.training import Watch
from dyssync.models.base import (
    keywords_of,
    learnt_number,
    learnt_rate,
    log_odds,
    signals_of,
)
from dyssync.models.fall import falls_to_learn
from dyssync.models.head import Head, fit_head
from dyssync.models.protocols import Choices, Labelled, Labels, Presets, Ranges, State
from dyssync.models.resnet import NETWORK, READ_BACK, ResNet18
from dyssync.pretraining import METHODS
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.encoder import Encoder, learnt_on, load_encoder, shipped_encoder
from dyssync.pretraining.method import NOTHING, SIMULATION, Setting

if TYPE_CHECKING:
    import torch

NO_SETTINGS: Mapping[str, Setting] = {}
SHIPPED, NOWHERE = STARTS = ("shipped", "nothing")
RIDGE, TUNED = HEADS = ("ridge", "tuned")
TRUNK = "trunk.onnx"


class PretrainedResNet18(ResNet18):
    """ResNet-18 whose trunk was pretrained; what pretraining it takes is a subclass's.

    Args:
        encoder: folder of a pretrained encoder (:mod:`dyssync.pretraining.encoder`); None takes
            what `start` says.
        start: "shipped", the encoder that comes with dyssync, from which pretraining on a corpus
            goes on; "nothing", so that without a corpus one is pretrained on the training
            recordings of each fit, as in the paper.
        head: "ridge", on the frozen trunk, is solved and not trained; "tuned" starts from it and
            trains all weights for `epochs` at a low `learning_rate`.
        clinical: whether clinical facts are used where they are known.
        target: "fall" of LVESV where the volumes are known, or "response" even there; of the ridge.
        method: of pretraining, see ``dyssync list methods``.
        method_settings: of the method's own, by name; its defaults for the rest.
        pretraining_passes: how often pretraining goes through its corpus.
        pretraining_draws: most recordings it draws in all.
        pretraining_rate: peak learning rate of pretraining.
        **parameters: as in :class:`ResNet18`.
    """

    # the logit of a ridge is a log-odds, shrunken on purpose
    OWN_SCALE: ClassVar[bool] = False
    SHRUNKEN: ClassVar[bool] = True
    LOCAL_PARAMS: ClassVar[tuple[str, ...]] = (*ResNet18.LOCAL_PARAMS, "encoder")
    CHOICES: ClassVar[Choices] = {
        **ResNet18.CHOICES,
        "method": METHODS,
        "start": STARTS,
        "head": HEADS,
        "target": ("fall", "response"),
    }
    RANGES: ClassVar[Ranges] = {
        **ResNet18.RANGES,
        "pretraining_passes": (1, 100_000),
        "pretraining_draws": (1, 1_000_000_000),
        "pretraining_rate": (1e-8, 10.0),
    }
    PRESETS: ClassVar[Presets] = {}
    ENCODER: ClassVar[str]  # name of the shipped one
    SUPERVISED: ClassVar[str]  # by what its encoders are, see :class:`~dyssync.pretraining.Method`

    def __init__(
        self,
        *,
        encoder: str | None = None,
        start: str = SHIPPED,
        head: str = RIDGE,
        clinical: bool = False,
        target: str = "fall",
        method: str = "measurements",
        method_settings: Mapping[str, Setting] = NO_SETTINGS,
        pretraining_passes: int = 60,
        pretraining_draws: int = 200_000,
        pretraining_rate: float = 1e-3,
        height: int = 128,
        width: int = 160,
        epochs: int = 6,
        learning_rate: float = 1e-4,
        **parameters: Any,
    ) -> None:
        super().__init__(
            height=height, width=width, epochs=epochs, learning_rate=learning_rate, **parameters
        )
        self.encoder = encoder
        self.start = start
        self.head = head
        self.clinical = clinical
        self.target = target
        self.method = method
        self.method_settings = method_settings
        self.pretraining_passes = pretraining_passes
        self.pretraining_draws = pretraining_draws
        self.pretraining_rate = pretraining_rate

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Return scikit-learn's list of parameters: ResNet18's and those above."""
        kinds = (ResNet18, PretrainedResNet18, cls)
        return sorted({name for kind in kinds for name in keywords_of(kind)})

    def check_settings(self, name: str) -> None:
        """Refuse parameters that a fit could only fail on, those of the method among them.

        Raises:
            ConfigError: one is unknown or out of range, `weights` would not be looked at, or what
                it pretrains would be the other kind of encoder.
        """
        super().check_settings(name)
        self.pretraining_config()
        if self.encoder is None and self._taught_by() != self.SUPERVISED:
            raise ConfigError(
                f"{name}: method {self.method} from start {self.start} gives an encoder supervised "
                f"by {self._taught_by()}, this model's are by {self.SUPERVISED}; give another "
                "method, or the folder of an encoder"
            )
        if self.weights is not None and (self.encoder is not None or self.start == SHIPPED):
            raise ConfigError(
                f"{name}.weights would not be looked at: an encoder is there to start from; set "
                f"{name}.start={NOWHERE} too, or leave weights out"
            )

    def _taught_by(self) -> str:
        """Return by what an encoder that this model pretrains is supervised."""
        shipped = self.SUPERVISED if self.start == SHIPPED else NOTHING
        by = {METHODS[self.method].SUPERVISED, shipped}
        return SIMULATION if SIMULATION in by else NOTHING

    def work(self, n: int) -> float:
        """Return the pictures that a fit to `n` recordings looks at, in those that teach."""
        views = len(neutral_views(self.layout, self.test_views, self.gain))
        looked = views * n / 3  # a look costs a third of a step
        return looked + (self.epochs * n if self.head == TUNED else 0.0)

    def start_from(self, encoder: Path) -> Self:
        """Start from the encoder in this folder; return itself."""
        self.encoder = str(encoder)
        return self

    def pretrains(self, *, corpus: bool) -> bool:
        """Return whether an encoder is still to be made for it.

        Args:
            corpus: whether there are recordings without labels to learn from.
        """
        return self.encoder is None and (corpus or self.start == NOWHERE)

    def encoder_origin(self, corpus: str | None) -> str:
        """Return in words what the encoder of each fit learns from; `corpus` names one, or None."""
        if self.encoder is not None:
            return load_encoder(Path(self.encoder)).record.origin
        first = self.first_encoder()
        before = [] if first is None else [first.record.origin]
        what = corpus or "the training patients of each fit"
        own = learnt_on(self.method, METHODS[self.method].SUPERVISED, what)
        return ", then ".join(before + [own] * self.pretrains(corpus=corpus is not None))

    def first_encoder(self) -> Encoder | None:
        """Return the encoder that pretraining goes on from; None for a random start."""
        return shipped_encoder(self.ENCODER) if self.start == SHIPPED else None

    def ecg_alone(self) -> Self | None:
        """Return it unfitted and without clinical facts; None where it looks at none anyway."""
        return type(self)(**{**self.get_params(), "clinical": False}) if self.clinical else None

    def pretraining_config(self) -> PretrainingConfig:
        """Return how an encoder for this model is pretrained."""
        return PretrainingConfig(
            method=self.method,
            settings=self.method_settings,
            layout=self.layout,
            gain=self.gain,
            height=self.height,
            width=self.width,
            training_layouts=named_layouts(self.training_layouts, self.layout),
            papers=self.papers,
            wear=self.wear,
            passes=self.pretraining_passes,
            draws=self.pretraining_draws,
            learning_rate=self.pretraining_rate,
            precision=self.precision,
        )

    def _encoder(self, X: Sequence[Input], seed: int) -> Encoder:
        """Return the encoder to start from.

        Raises:
            ModelError: it learnt from other pictures, or was taught by what this model must not be.
        """
        from dyssync.pretraining.loop import pretrain

        held = load_encoder(Path(self.encoder)) if self.encoder else self.first_encoder()
        if held is None:
            ecgs = signals_of(X, "pretraining without a corpus")
            held = pretrain(ecgs, self.pretraining_config(), seed=seed, weights=self.weights)
        if held.record.supervised != self.SUPERVISED:
            raise ModelError(
                f"encoder: supervised by {held.record.supervised}, this model's are by "
                f"{self.SUPERVISED}; ssl-resnet18 takes the one kind, sim-resnet18 the other"
            )
        own, its = self.picture_config(), held.record.config.pictures
        if (own.size, own.gain) != (its.size, its.gain):
            raise ModelError(
                f"encoder: learnt from pictures of {its.size[0]} x {its.size[1]} px at gain "
                f"{its.gain:g}, the model has {own.size[0]} x {own.size[1]} at {own.gain:g}; "
                "set height, width and gain to the encoder's"
            )
        if LAYOUTS[own.layout].source != LAYOUTS[its.layout].source:
            raise ModelError(
                f"encoder: learnt from pictures in layout {its.layout}, the model draws "
                f"{own.layout}, which shows the {LAYOUTS[own.layout].source.replace('-', ' ')}; "
                "give an encoder of such pictures, or set layout to its"
            )
        return held

    def _begin(
        self, X: Sequence[Input], labels: Labels, fall: Floats | None, weights: Floats, seed: int
    ) -> None:
        """Take the trunk, and solve for the head."""
        held = self._encoder(X, seed)
        self.trunk_: StoredNetwork = stored_network(network_file(held.weights))
        self.encoder_: bytes = held.weights
        falls = falls_to_learn(fall, labels) if self.target == "fall" else None
        features = features_of(X, self._look())
        self.head_ = fit_head(features, held.directions(), self._facts(X), labels, falls, weights)
        if self.head == TUNED:
            self.network_ = self._network(self.encoder_)

    def _network(self, encoder: bytes) -> torch.nn.Sequential:
        """Return trunk and head as one network, which says the log-odds without the facts."""
        import torch

        network = build_network(1, self.dropout)
        unpack_weights(network.get_submodule("encoder"), encoder)
        last = network.get_submodule("head.1")
        assert isinstance(last, torch.nn.Linear)
        with torch.no_grad():
            last.weight.copy_(torch.tensor([self.head_.features]))
            # `logits` brings the network from even odds to the cohort's own
            last.bias.fill_(self.head_.intercept - self.log_odds_)
        return network

    def _train(
        self,
        X: Sequence[Input],
        labels: Labels,
        weights: Floats,
        seed: int,
        validation: Labelled | None,
        watch: Watch,
    ) -> None:
        if self.head == TUNED:
            super()._train(X, labels, weights, seed, validation, watch)
        else:
            self.history_ = History([], [])

    def _look(self) -> Look:
        return Look(self.trunk_, self.picture_config(), self.test_views)

    def looks(self) -> tuple[Look, ...]:
        """Return how it looks at a recording: through the trunk, or its own tuned network."""
        self._learned("head_")
        return super().looks() if self.head == TUNED else (self._look(),)

    def _facts(self, X: Sequence[Input]) -> Floats:
        """Return clinical facts, (n, number of facts), NaN where not known; no columns for none."""
        names = FACTS if self.clinical else ()
        known = [[facts_of(x).get(name, np.nan) for name in names] for x in X]
        return np.array(known, dtype=np.float64).reshape(len(X), len(names))

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the log-odds of response, (n,) float64; NaN where there is nothing to judge."""
        head: Head = self._learned("head_")
        facts = self._facts(X)
        if self.head == TUNED:
            return super().logits(X) + head.facts_logits(facts)
        logits = head.logits(features_of(X, self._look()), facts)
        return self._judged(X, logits)

    def evidence(self, X: Sequence[Input]) -> Singles:
        """Return what each cell of :meth:`picture` adds to the log-odds, (n, h, w) float32."""
        head: Head = self._learned("head_")
        if self.head == TUNED:
            return super().evidence(X)
        return self._evidence(self.trunk_, X, np.array(head.features, dtype=np.float32))

    def fitted_network(self) -> torch.nn.Module:
        """Return the network: a submodule "encoder" and a head, here the solved one.

        Raises:
            ModelError: it was read back, and is there to look with alone.
        """
        self._learned("head_")
        if self.head == TUNED:
            return super().fitted_network()
        encoder: bytes | None = getattr(self, "encoder_", None)
        if encoder is None:
            raise ModelError(READ_BACK)
        return self._network(encoder).eval()

    def state(self) -> State:
        """Return head and trunk; of a tuned network its own weights in place of the trunk's."""
        values = {
            "base_rate": self._learned("base_rate_"),
            "best_epoch": self.history_.best_epoch,
            "head": asdict(self.head_),
        }
        if self.head == TUNED:
            return State(values, {NETWORK: self.stored_.data})
        return State(values, {TRUNK: self.trunk_.data})

    def restore(self, state: State) -> Self:
        """Take head and trunk back."""
        self.classes_ = np.array([0, 1])
        self.base_rate_ = learnt_rate(state.values)
        self.log_odds_ = log_odds(self.base_rate_)
        self.head_ = Head.from_json(json.dumps(state.values["head"]), "head")
        self.head_.check(FEATURES, len(FACTS) if self.clinical else 0)
        self.history_ = History([], [], round(learnt_number(state.values, "best_epoch")))
        tuned = self.head == TUNED
        file = NETWORK if tuned else TRUNK
        network = restored_network(state.files[file], state.digests.get(file), head=tuned)
        if tuned:
            self.stored_ = network
        else:
            self.trunk_ = network
        return self
