"""Pretraining: draw pictures, ask the method's question, learn; returns the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dyssync.arrays import Ints
from dyssync.cohort.digests import digest_of, patient_keys, recording_keys
from dyssync.ecg import ECG
from dyssync.learning.network import build_encoder, load_image_weights, pack_weights
from dyssync.learning.network_input import stack
from dyssync.learning.training import UNWATCHED, Objective, Schedule, Watch, make_fabric, train
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.encoder import Encoder, EncoderRecord, digest_of_weights

if TYPE_CHECKING:
    import torch


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

    method = config.make_method()
    method.prepare(ecgs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build_encoder()
        if weights is not None:
            load_image_weights(encoder, Path(weights))
        network = method.network(encoder)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        fabric = make_fabric(config.precision)
        module = fabric.setup_module(network)

        def loss_of(batch: Ints, rng: np.random.Generator) -> torch.Tensor:
            pictures, targets = method.draw(batch, rng)
            x = torch.from_numpy(stack(pictures)).to(fabric.device)
            outputs = module(x.contiguous(memory_format=torch.channels_last))
            return method.loss(outputs, torch.from_numpy(targets).to(fabric.device))

        n = len(method)
        objective = Objective(n, loss_of, lambda progress: method.after_step(network, progress))
        schedule = Schedule(
            config.passes_of(n), config.batch_size, config.learning_rate, config.weight_decay
        )
        history = train(network, objective, schedule, seed=seed, fabric=fabric, watch=watch)
    network.cpu()
    packed = pack_weights(encoder)
    record = EncoderRecord(
        config=config,
        seed=seed,
        corpus_digest=digest_of(ecgs),
        patients=tuple(patient_keys(str(e.patient_id) for e in ecgs if e.patient_id)),
        recordings=tuple(sorted(recording_keys(ecgs))),
        loss=tuple(history.loss),
        sha256=digest_of_weights(packed),
    )
    return Encoder(packed, record)
