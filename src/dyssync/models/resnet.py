"""ResNet-18 on pictures of the ECG: the study's first model and, pretrained, its second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from dyssync.arrays import Floats, Ints, Singles
from dyssync.ecg import LEADS
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.keeping import keeping, kept
from dyssync.layouts import LAYOUTS
from dyssync.learning.ahead import Look, seen_ahead
from dyssync.learning.checkpoint import History
from dyssync.learning.network import (
    build_network,
    load_image_weights,
    pack_weights,
    round_weights,
)
from dyssync.learning.network_file import network_file
from dyssync.learning.network_input import (
    asked_pictures,
    neutral_views,
    stack,
    training_picture,
)
from dyssync.learning.picture_config import (
    MIXED,
    PAPERS,
    PLAIN,
    SAME,
    PictureConfig,
    Size,
    named_layouts,
)
from dyssync.learning.seen import PictureNetwork, Seen, weighed_maps
from dyssync.learning.stored import StoredNetwork, restored_network, stored_network
from dyssync.learning.trained import TrainedNetwork
from dyssync.learning.training import (
    PRECISIONS,
    UNWATCHED,
    Objective,
    Schedule,
    Watch,
    make_fabric,
    train,
)
from dyssync.measurements.waveforms import FS
from dyssync.models.base import (
    ProbabilityMixin,
    base_rate_of,
    check_labels,
    check_weights,
    ecgs_of,
    has_heartbeat,
    learnt_number,
    learnt_rate,
    log_odds,
)
from dyssync.models.protocols import Choices, Labelled, Labels, Presets, Ranges, State
from dyssync.rendering import LeadBox, Rendered, apply_view
from dyssync.rendering.wear import MAX_SEVERITY

if TYPE_CHECKING:
    import torch

PREDICTION_BATCH = 32
NETWORK = "network.onnx"
READ_BACK = "the network was read from a file; of such a one maps of the last stage alone are had"

# Training pictures in one layout on clean paper: a short training learns more from them, see
# docs/pictures.md.
QUICK: Mapping[str, Any] = {
    "height": 128,
    "width": 160,
    "epochs": 15,
    "patience": 15,
    "training_layouts": SAME,
    "papers": PLAIN,
    "wear": 0.0,
}


class ResNet18(ProbabilityMixin):
    """ResNet-18 on a fresh rendering of each recording at every step, or on users' own pictures.

    Args:
        layout: paper layout in which signals are drawn, see ``dyssync list layouts``.
        height: px.
        width: px; the page keeps its aspect ratio inside.
        gain: times the 10 mm/mV of the layout. At 20 mm/mV, as carts can print, an ST segment of
            0.1 mV is more than a pixel high even in a picture 160 px wide.
        epochs: passes over the training part; with a validation part the most.
        patience: epochs without a larger AUROC of the validation part before stopping.
        batch_size: pictures a step.
        learning_rate: peak of AdamW's rate.
        weight_decay: AdamW's.
        dropout: before the last layer, 0-1.
        training_layouts: "same" as `layout`; "mixed", half of the training pictures in other
            layouts; or names with commas between.
        papers: "plain" draws training pictures black on white; "mixed" also with grids, names,
            grey paper, pale ink and noise.
        wear: largest severity (0-5) of what happened to the paper of training pictures.
        augment: draw starting time, position, scale and line width anew at each step, and all of
            the three above.
        test_views: pictures a recording at prediction, from different moments; mean logit.
        weights: local ImageNet state dict (safetensors) to start from; None starts at random.
        precision: "auto", "32-true" or "bf16-mixed".
    """

    OWN_SCALE: ClassVar[bool] = True
    LOCAL_PARAMS: ClassVar[tuple[str, ...]] = ("weights",)
    CHOICES: ClassVar[Choices] = {"layout": LAYOUTS, "papers": PAPERS, "precision": PRECISIONS}
    RANGES: ClassVar[Ranges] = {
        "height": (32, 4096),
        "width": (32, 4096),
        "gain": (0.1, 10.0),
        "epochs": (1, 100_000),
        "patience": (1, 100_000),
        "batch_size": (2, 65_536),
        "learning_rate": (1e-8, 10.0),
        "weight_decay": (0.0, 10.0),
        "dropout": (0.0, 0.99),
        "wear": (0.0, MAX_SEVERITY),
        "test_views": (1, 100),
    }
    PRESETS: ClassVar[Presets] = {
        "quick": QUICK,
        "quick-virtual": {"height": 96, "width": 120, "epochs": 4},
    }

    def __init__(
        self,
        *,
        layout: str = "3x4+II",
        height: int = 224,
        width: int = 224,
        gain: float = 2.0,
        epochs: int = 40,
        patience: int = 15,
        batch_size: int = 16,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.05,
        dropout: float = 0.2,
        training_layouts: str = MIXED,
        papers: str = MIXED,
        wear: float = 2.0,
        augment: bool = True,
        test_views: int = 3,
        weights: str | None = None,
        precision: str = "auto",
    ) -> None:
        self.layout = layout
        self.height = height
        self.width = width
        self.gain = gain
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.training_layouts = training_layouts
        self.papers = papers
        self.wear = wear
        self.augment = augment
        self.test_views = test_views
        self.weights = weights
        self.precision = precision

    @property
    def size(self) -> Size:
        """Height and width of the pictures, px."""
        return (self.height, self.width)

    def check_settings(self, name: str) -> None:
        """Refuse parameters that a fit could only fail on, hours later.

        Raises:
            ConfigError: one is unknown or out of range, or layouts do not fit together.
        """
        super().check_settings(name)
        self.picture_config()

    def work(self, n: int) -> float:
        """Return the pictures that a fit to `n` recordings draws at most."""
        return float(self.epochs * n)

    def takes_pictures(self) -> bool:
        """Return whether a user's own page will do: no page shows the median beat alone."""
        return LAYOUTS[self.layout].source == "rhythm"

    def only_clean(self) -> bool:
        """Return whether it learns from black traces on white alone."""
        return self.papers == PLAIN

    def picture_config(self) -> PictureConfig:
        """Return what the pictures look like.

        Raises:
            ConfigError: a name is unknown or a number out of range.
        """
        return _picture_config(
            size=self.size,
            layout=self.layout,
            gain=self.gain,
            training_layouts=named_layouts(self.training_layouts, self.layout),
            papers=self.papers,
            wear=self.wear,
            augment=self.augment,
        )

    def fit(
        self,
        X: Sequence[Input],
        y: Labels,
        *,
        seed: int = 0,
        fall: Floats | None = None,
        weight: Floats | None = None,
        validation: Labelled | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Train for all epochs; with `validation`, keep the epoch of its largest AUROC.

        Its log-loss would keep the first epoch where a network is overconfident: it judges the
        size of the logits, which calibration mends afterwards, before their order.
        """
        import torch

        labels = check_labels(X, y)
        self.classes_ = np.array([0, 1])
        weights = check_weights(weight, len(X))
        self.base_rate_ = base_rate_of(labels, weights)
        X, labels, fall, weights = self._that_show(X, labels, fall, weights)
        if validation is not None:
            held = np.ones(len(validation[0]))
            validation = self._that_show(*validation, None, held)[:2]
        # The loss weighs both classes alike; the logit is brought back to the cohort's own odds
        # (Elkan 2001).
        self.log_odds_ = log_odds(self.base_rate_)
        # every epoch draws the same recordings: each is filtered once
        with torch.random.fork_rng(devices=[]), keeping():
            torch.manual_seed(seed)
            self._begin(X, labels, fall, weights, seed)
            self._train(X, labels, weights, seed, validation, watch)
        return self

    def _that_show(
        self, X: Sequence[Input], labels: Labels, fall: Floats | None, weights: Floats
    ) -> tuple[Sequence[Input], Labels, Floats | None, Floats]:
        """Leave out whom the layout shows nothing of: pages that were not read off.

        Raises:
            ModelError: too few are left to learn from.
        """
        rows = [i for i, x in enumerate(self._given(X)) if x is not None]
        if len(rows) == len(X):
            return X, labels, fall, weights
        held = [X[i] for i in rows]
        left = check_labels(held, labels[rows])
        falls = None if fall is None else np.asarray(fall)[rows]
        return held, left, falls, check_weights(weights[rows], len(rows))

    def _given(self, X: Sequence[Input]) -> Sequence[Input | None]:
        """Return what is drawn or looked at of recordings; None of a page that was not read off.

        Raises:
            ModelError: signals are needed, and some are pictures that nobody tried to read off.
        """
        return X if self.takes_pictures() else ecgs_of(X, f"layout {self.layout}")

    def _judged(self, X: Sequence[Input], logits: Floats) -> Floats:
        """Return logits; NaN without a heartbeat, and of what :meth:`_given` calls None."""
        seen = [x is not None and has_heartbeat(x) for x in self._given(X)]
        return np.where(seen, logits, np.nan)

    def _begin(
        self, X: Sequence[Input], labels: Labels, fall: Floats | None, weights: Floats, seed: int
    ) -> None:
        """Build the network that training starts from."""
        self.network_: torch.nn.Module = build_network(1, self.dropout)
        if self.weights is not None:
            load_image_weights(self.network_.get_submodule("encoder"), Path(self.weights))

    def _train(
        self,
        X: Sequence[Input],
        labels: Labels,
        weights: Floats,
        seed: int,
        validation: Labelled | None,
        watch: Watch,
    ) -> None:
        import torch
        from torch.nn import functional

        fabric = make_fabric(self.precision)
        network = fabric.setup_module(self.network_)
        target = torch.from_numpy(labels.astype(np.float32)).to(fabric.device)
        # of a recording, times that of its class
        balance = np.where(labels == 1, np.exp(-self.log_odds_), 1.0)
        weight = torch.from_numpy((weights * balance).astype(np.float32)).to(fabric.device)
        config = self.picture_config()

        def loss_of(batch: Ints, rng: np.random.Generator) -> torch.Tensor:
            pictures = [training_picture(X[i], config, rng) for i in batch]
            logits = network(_tensor(stack(pictures), fabric.device)).float().squeeze(1)
            return functional.binary_cross_entropy_with_logits(
                logits, target[batch], weight=weight[batch]
            )

        def validate(averaged: torch.nn.Module) -> float:
            from sklearn.metrics import roc_auc_score

            assert validation is not None
            looking = TrainedNetwork(averaged, self.precision)
            logits = self._balanced_logits(looking, validation[0], views=1)
            return 1 - float(roc_auc_score(validation[1], logits))

        schedule = Schedule(
            self.epochs, self.batch_size, self.learning_rate, self.weight_decay, self.patience
        )
        self.history_ = train(
            self.network_,
            Objective(len(X), loss_of, validate=None if validation is None else validate),
            schedule,
            seed=seed,
            fabric=fabric,
            watch=watch,
        )
        self.network_.cpu()
        round_weights(self.network_)
        # what answers is what was graded, to the last bit: from here on the file looks, not torch
        self.stored_ = stored_network(network_file(pack_weights(self.network_)))

    def _balanced_logits(self, network: PictureNetwork, X: Sequence[Input], views: int) -> Floats:
        """Return the mean logit over views, (n,), at even odds of both classes."""
        config, found = self.picture_config(), []
        for start in range(0, len(X), PREDICTION_BATCH):
            asked = [asked_pictures(x, config, views) for x in X[start:][:PREDICTION_BATCH]]
            logits = network.look(stack([p for several in asked for p in several])).said().logits
            ends = np.cumsum([len(several) for several in asked])[:-1]
            found += [part.mean(dtype=np.float64) for part in np.split(logits, ends)]
        return np.array(found)

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the log-odds of response, (n,) float64; NaN where :meth:`_judged` says so."""
        (look,) = self.looks()
        ahead = [seen_ahead(look, x) for x in X]
        seen = [one for one in ahead if one is not None]
        if len(seen) == len(X):
            found = np.array([one.said().logits.mean(dtype=np.float64) for one in seen])
        else:
            found = self._balanced_logits(look.network, X, self.test_views)
        return self._judged(X, found + self.log_odds_)

    def looks(self) -> tuple[Look, ...]:
        """Return how it looks at a recording."""
        return (Look(self._learned("stored_"), self.picture_config(), self.test_views),)

    def picture(self, x: Input) -> Rendered:
        """Return the first picture the network sees of a recording."""
        return Rendered(asked_pictures(x, self.picture_config(), 1)[0])

    def lead_boxes(self) -> tuple[LeadBox, ...]:
        """Return the cell of each lead in :meth:`picture`, the same for every recording.

        The boxes of a drawn signal also hold its overshoot into the neighbours, and differ from
        patient to patient; those of a flat line are the cells.
        """
        flat = np.zeros((len(LEADS), round(10 * FS)), dtype=np.float32)
        view = neutral_views(self.layout, 1, self.gain)[0]
        return apply_view(flat, FS, view, self.size, boxes=True).boxes

    def evidence(self, X: Sequence[Input]) -> Singles:
        """Return what each cell of :meth:`picture` adds to the log-odds, (n, h, w) float32."""
        return self._evidence(self._learned("stored_"), X)

    def _evidence(
        self, network: StoredNetwork, X: Sequence[Input], weights: Singles | None = None
    ) -> Singles:
        """Weigh maps as `weights` weigh their means in the logit; None: as the head does."""
        config, found = self.picture_config(), []
        for x in X:
            ahead = seen_ahead(Look(network, config, self.test_views), x)
            seen = _looked(network, x, config) if ahead is None else ahead
            own = seen.said().weights if weights is None else weights
            found.append(weighed_maps(seen.maps[:1], own)[0])
        return np.stack(found)

    def fitted_network(self) -> torch.nn.Module:
        """Return the network: a submodule "encoder" and a head.

        Raises:
            ModelError: it was read back, and is there to look with alone.
        """
        self._learned("stored_")
        network: torch.nn.Module | None = getattr(self, "network_", None)
        if network is None:
            raise ModelError(READ_BACK)
        return network

    def untrained_network(self) -> torch.nn.Module:
        """Return a network that has seen nothing: random weights, no ImageNet, no pretraining."""
        return build_network(1, self.dropout)

    def state(self) -> State:
        """Return the weights and the cohort's log-odds of response."""
        values = {"base_rate": self._learned("base_rate_"), "best_epoch": self.history_.best_epoch}
        return State(values, {NETWORK: self.stored_.data})

    def restore(self, state: State) -> Self:
        """Take the weights back."""
        self.classes_ = np.array([0, 1])
        digest = state.digests.get(NETWORK)
        self.stored_ = restored_network(state.files[NETWORK], digest, head=True)
        self.base_rate_ = learnt_rate(state.values)
        self.log_odds_ = log_odds(self.base_rate_)
        self.history_ = History([], [], round(learnt_number(state.values, "best_epoch")))
        return self


@lru_cache(maxsize=32)  # all members of a model have one, and ask for it at every answer
def _picture_config(**settings: Any) -> PictureConfig:
    return PictureConfig(**settings)


@kept(most=16)
def _looked(network: StoredNetwork, x: Input, config: PictureConfig) -> Seen:
    """Return what a network sees in the first picture; members of one trunk look once."""
    return network.look(stack(asked_pictures(x, config, 1)))


def _tensor(pictures: Singles, device: torch.device) -> torch.Tensor:
    import torch

    return torch.from_numpy(pictures).to(device).contiguous(memory_format=torch.channels_last)
