"""Pretraining: draw pictures, ask the method's question, learn; returns the encoder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dyssync import __version__
from dyssync.arrays import Ints
from dyssync.cohort.digests import digest_of, patient_keys, recording_keys
from dyssync.ecg import ECG
from dyssync.learning.network import build_network, load_image_weights, pack_weights
from dyssync.learning.network_input import stack
from dyssync.learning.picture_config import MIXED, PLAIN, PictureConfig, named_layouts
from dyssync.learning.training import UNWATCHED, Schedule, Watch, make_fabric, train
from dyssync.pretraining import METHODS
from dyssync.pretraining.encoder import Encoder

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PretrainingConfig:
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
        # the names and not the word, so that digest and record tell what was drawn
        layouts = self.training_layouts or named_layouts(MIXED, self.layout)
        object.__setattr__(self, "training_layouts", layouts)

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


def pretrain(
    ecgs: Sequence[ECG],
    config: PretrainingConfig,
    *,
    seed: int = 0,
    weights: str | None = None,
    watch: Watch = UNWATCHED,
) -> Encoder:
    """Learn an encoder from recordings without labels.

    Args:
        ecgs: the corpus.
        config: how.
        seed: of initialisation, order and views.
        weights: local ImageNet state dict to start from.
        watch: progress and checkpoint.

    Raises:
        CohortError: the corpus is too small, or no heart beat is found in it.
    """
    import torch

    method = METHODS[config.method](config.pictures)
    method.prepare(ecgs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(method.outputs())
        if weights is not None:
            load_image_weights(network.get_submodule("encoder"), Path(weights))
        fabric = make_fabric(config.precision)
        module = fabric.setup_module(network)

        def loss_of(batch: Ints, rng: np.random.Generator) -> torch.Tensor:
            pictures, targets = method.draw(batch, rng)
            x = torch.from_numpy(stack(pictures)).to(fabric.device)
            outputs = module(x.contiguous(memory_format=torch.channels_last)).float()
            return method.loss(outputs, torch.from_numpy(targets).to(fabric.device))

        schedule = Schedule(
            config.passes_of(len(method)),
            config.batch_size,
            config.learning_rate,
            config.weight_decay,
        )
        history = train(
            network, loss_of, len(method), schedule, seed=seed, fabric=fabric, watch=watch
        )
    return Encoder(
        weights=pack_weights(network.cpu().get_submodule("encoder")),
        config={**asdict(config), "seed": seed},
        corpus_digest=digest_of(ecgs),
        patients=patient_keys(str(e.patient_id) for e in ecgs if e.patient_id),
        recordings=sorted(recording_keys(ecgs)),
        loss=history.loss,
    )
