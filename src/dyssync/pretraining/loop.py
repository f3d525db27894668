"""Pretraining: draw pictures, ask the method's question, learn; returns the encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dyssync.arrays import Ints, Singles
from dyssync.ecg import ECG
from dyssync.errors import CohortError, ConfigError
from dyssync.layouts import LAYOUTS
from dyssync.learning.checkpoint import History
from dyssync.learning.network import (
    build_encoder,
    load_image_weights,
    pack_weights,
    unpack_weights,
)
from dyssync.learning.network_input import stack
from dyssync.learning.training import UNWATCHED, Objective, Schedule, Watch, make_fabric, train
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.encoder import CorpusSource, Encoder, EncoderRecord, digest_of_weights
from dyssync.pretraining.material import Material
from dyssync.pretraining.method import Method
from dyssync.pretraining.mixing import epoch_order
from dyssync.pretraining.seen import Seen

if TYPE_CHECKING:
    import torch
    from lightning_fabric import Fabric

# of what one process has of a batch makes what all have
Join: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"


def pretrain(
    corpus: Material | Sequence[ECG],
    config: PretrainingConfig,
    *,
    seed: int = 0,
    weights: str | None = None,
    start: Encoder | None = None,
    watch: Watch = UNWATCHED,
    fabric: Fabric | None = None,
) -> Encoder:
    """Learn an encoder from recordings without labels.

    Args:
        corpus: as it was prepared, or ECGs, which are prepared in memory.
        config: how.
        seed: of initialisation, order and views.
        weights: local ImageNet state dict to start from.
        start: encoder to go on from, instead.
        watch: progress and checkpoint; of several processes in the first only.
        fabric: of one of several processes that learn together, each from the same corpus; None
            learns alone.

    Raises:
        ConfigError: a batch is smaller than the processes are many, or `start` has learnt from
            pictures of another kind.
        CohortError: the corpus is too small, no heart beat is found in it, or it does not tell what
            the method asks for.
    """
    import torch
    from safetensors.numpy import save

    if start is not None:
        _check_start(start, config)
    material = corpus if isinstance(corpus, Material) else Material.of(corpus)
    method = config.make_method()
    method.prepare(material)
    sources = _sources(material, method)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build_encoder()
        if start is not None:
            unpack_weights(encoder, start.weights)
        elif weights is not None:
            load_image_weights(encoder, Path(weights))
        history, readouts = _learn(encoder, method, material, config, seed, watch, fabric)
    packed = pack_weights(encoder)
    # a trunk that only goes on keeps what was read from it before
    read = save({**(start.directions() if start else {}), **readouts})
    seen = Seen.of(material.keys("patients"), material.keys("recordings"))
    if start is not None:
        seen |= start.seen
    record = EncoderRecord(
        config=config,
        seed=seed,
        corpus_digest=material.digest,
        sources=sources,
        earlier=start.record.stages if start is not None else (),
        loss=tuple(history.loss),
        processes=tuple(history.processes),
        sha256=digest_of_weights(packed),
        seen_sha256=digest_of_weights(seen.pack()),
        readouts_sha256=digest_of_weights(read),
    )
    return Encoder(packed, seen, record, read)


def _check_start(start: Encoder, config: PretrainingConfig) -> None:
    """Refuse to go on with pictures that show another kind of signal."""
    own, its = config.layout, start.record.config.layout
    if LAYOUTS[own].source != LAYOUTS[its].source:
        raise ConfigError(
            f"layout {own}: the encoder to go on from has learnt from {its}, which shows the "
            f"{LAYOUTS[its].source.replace('-', ' ')}; give a layout that does, or another encoder"
        )


def _learn(
    encoder: torch.nn.Module,
    method: Method,
    material: Material,
    config: PretrainingConfig,
    seed: int,
    watch: Watch,
    fabric: Fabric | None,
) -> tuple[History, dict[str, Singles]]:
    """Train the encoder in place, on whatever device there is.

    Returns:
        The course of it, and what the method reads from the features.
    """
    import torch

    network = method.network(encoder)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    n, source = len(method), material.source[method.rows]
    fabric = fabric or make_fabric(config.precision)
    whole: Callable[[Ints], tuple[Ints, Join]] = _alone
    if fabric.world_size > 1:
        _check_shares(fabric.world_size, n, config.batch_size)
        whole = _prepared_to_share(network, fabric)
    module = fabric.setup_module(network)

    def loss_of(batch: Ints, rng: np.random.Generator) -> torch.Tensor:
        own, join = whole(batch)
        pictures, targets = method.draw(own, rng)
        x = torch.from_numpy(stack(pictures)).to(fabric.device)
        outputs = module(x.contiguous(memory_format=torch.channels_last))
        return method.loss(join(outputs), join(torch.from_numpy(targets).to(fabric.device)))

    objective = Objective(
        n,
        loss_of,
        after_step=lambda progress: method.after_step(network, progress),
        order=lambda rng: epoch_order(source, material.shares, rng),
    )
    schedule = Schedule(
        config.passes_of(n), config.batch_size, config.learning_rate, config.weight_decay
    )
    history = train(network, objective, schedule, seed=seed, fabric=fabric, watch=watch)
    network.cpu()
    return history, dict(method.readouts(network))


def _alone(batch: Ints) -> tuple[Ints, Join]:
    """Return a batch and what joins its outputs to others': nothing."""
    return batch, lambda outputs: outputs


def _prepared_to_share(
    network: torch.nn.Module, fabric: Fabric
) -> Callable[[Ints], tuple[Ints, Join]]:
    """Let a network learn in several processes; return what :func:`_alone` is for one."""
    from dyssync.learning.together import gathered, share_batch_norm, shares_of

    network.to(fabric.device)
    share_batch_norm(network)

    def whole(batch: Ints) -> tuple[Ints, Join]:
        shares = shares_of(batch, fabric.world_size)
        counts = [len(share) for share in shares]
        return shares[fabric.global_rank], partial(gathered, counts=counts)

    return whole


def _check_shares(world: int, n: int, batch_size: int) -> None:
    if world > min(n, batch_size):
        raise ConfigError(
            f"{world} processes: a batch has {min(n, batch_size)} recordings; each process needs "
            "one. Start fewer, or give a larger --batch-size"
        )


def _sources(material: Material, method: Method) -> tuple[CorpusSource, ...]:
    """Return what the method draws from.

    Raises:
        CohortError: a source that is to have a share has nothing to draw from.
    """
    counts = np.bincount(material.source[method.rows], minlength=len(material.parts))
    shares = material.shares or tuple(counts / counts.sum())
    empty = [
        part.name
        for part, count, share in zip(material.parts, counts, shares, strict=True)
        if share > 0 and count == 0
    ]
    if empty:
        raise CohortError(f"corpus {', '.join(empty)}: no recording can be used; leave it out")
    return tuple(
        CorpusSource(part.name, int(count), part.simulated, float(share))
        for part, count, share in zip(material.parts, counts, shares, strict=True)
    )
