"""One training loop for fitting and for pretraining; read it top to bottom.

Every epoch draws from its own generator, seeded by (seed, epoch): a run that is stopped after an
epoch goes on from the checkpoint with the same numbers, and no generator has to be stored.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dyssync.arrays import Ints
from dyssync.learning.checkpoint import Checkpoint, History
from dyssync.workers import OnProgress, unwatched

if TYPE_CHECKING:
    import torch
    from lightning_fabric import Fabric

PRECISIONS = ("auto", "32-true", "bf16-mixed")  # Fabric's names


def _nothing(told: float) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Watch:
    """Who looks on while a model is fitted.

    Attributes:
        on_progress: called with how much is done, of how much: epochs, trees; first with what was
            done before.
        checkpoint: folder for what is needed to go on after an interruption; None to keep nothing.
        on_loss: called after each epoch, before `on_progress`, with its mean loss.
    """

    on_progress: OnProgress = unwatched
    checkpoint: Path | None = None
    on_loss: Callable[[float], None] = _nothing


UNWATCHED = Watch()


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes:
        epochs: passes over the data.
        batch_size: pictures a step.
        learning_rate: peak, after a linear warm-up over a tenth of the steps; cosine to 0 after.
        weight_decay: of AdamW, on weight matrices only.
        patience: epochs without a better validation value before stopping; None to run all.
        averaging: decay a step of the running mean of the weights, which is what is validated and
            kept. The weights of a single step of a short run are noisy: on the stand-in cohorts the
            validation loss of one epoch was at times five times that of the next.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int | None = None
    averaging: float = 0.95

    def rate_at(self, progress: float) -> float:
        """Return the learning rate at `progress`, 0-1 of all steps."""
        if progress < 0.1:
            return self.learning_rate * (progress + 0.01) / 0.11
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9))


@dataclass(frozen=True)
class Objective:
    """What is to be learnt of `n` recordings.

    Attributes:
        n: how many there are.
        loss_of: loss of a batch, from indices (k,) and the epoch's generator; of several processes
            each gets the same indices and a generator of its own, and returns the same loss.
        after_step: called after each step of the optimiser, without gradients, with the share of
            all steps that are done, 0-1.
        order: draws the indices of an epoch, (n,), in the order in which they are learnt; some may
            be there twice, others not at all. Unless it is given each comes once, shuffled.
        validate: value to make small after each epoch, of the averaged module in evaluation mode;
            None to keep the last epoch.
    """

    n: int
    loss_of: Callable[[Ints, np.random.Generator], torch.Tensor]
    after_step: Callable[[float], None] = _nothing
    order: Callable[[np.random.Generator], Ints] | None = None
    validate: Callable[[torch.nn.Module], float] | None = None


def precision_here() -> str:
    """Return Fabric's name of the fastest precision: bf16 where the processor multiplies it."""
    import torch

    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    # oneDNN emulates bf16 without AVX-512, slower than fp32
    return "bf16-mixed" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "32-true"


@lru_cache(maxsize=8)
def make_fabric(precision: str = "auto") -> Fabric:
    """Return the device (any CUDA device, else the processor) and precision to train with."""
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # one line a call otherwise
    chosen = precision_here() if precision == "auto" else precision
    return Fabric(accelerator="auto", devices=1, precision=chosen)  # type: ignore[arg-type]


def epoch_rng(seed: int, epoch: int) -> np.random.Generator:
    """Return the generator of one epoch."""
    return np.random.default_rng(np.random.SeedSequence([seed, epoch]))


def batches(order: Ints, size: int, world: int = 1) -> Iterator[Ints]:
    """Yield indices in batches; a rest of one is left out (batch norm needs two).

    So is one of which not each of `world` processes would have a share.
    """
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        if len(batch) >= max(2, world):
            yield batch


def train(
    module: torch.nn.Module,
    objective: Objective,
    schedule: Schedule,
    *,
    seed: int,
    fabric: Fabric,
    watch: Watch = UNWATCHED,
) -> History:
    """Train `module` in place; leave it with the averaged weights of its best epoch, or its last.

    Args:
        module: what learns; already set up by `fabric.setup_module`.
        objective: what it learns.
        schedule: how long and how fast.
        seed: of order and augmentation.
        fabric: device and precision; and, of several processes, which this one is.
        watch: progress and checkpoint.
    """
    import torch
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    adamw = torch.optim.AdamW(_groups(module, schedule.weight_decay))
    optimizer: Any = fabric.setup_optimizers(adamw)
    average = get_ema_multi_avg_fn(schedule.averaging)  # type: ignore[no-untyped-call]
    averaged = AveragedModel(module, multi_avg_fn=average, use_buffers=True)
    checkpoint = Checkpoint(watch.checkpoint, module, averaged, optimizer)
    history = checkpoint.resume(fabric.broadcast)
    watch.on_progress(len(history.loss), schedule.epochs)
    steps = max(1, math.ceil(objective.n / schedule.batch_size))
    world = fabric.world_size
    for epoch in range(len(history.loss), schedule.epochs):
        # asked before an epoch, so that a resumed run stops where the whole one would have
        if schedule.patience and epoch - history.best_epoch >= schedule.patience:
            break
        rng = epoch_rng(seed, epoch)
        torch.manual_seed(int(rng.integers(2**31)))
        module.train()
        losses = []
        order = objective.order(rng) if objective.order else rng.permutation(objective.n)
        if world > 1:
            from dyssync.learning.together import share_rng

            rng = share_rng(seed, epoch, fabric.global_rank)
        for step, batch in enumerate(batches(order, schedule.batch_size, world)):
            for group in optimizer.param_groups:
                group["lr"] = schedule.rate_at((epoch + step / steps) / schedule.epochs)
            loss = objective.loss_of(batch, rng)
            optimizer.zero_grad(set_to_none=True)
            fabric.backward(loss)
            optimizer.step()
            with torch.no_grad():
                objective.after_step((epoch + (step + 1) / steps) / schedule.epochs)
            averaged.update_parameters(module)
            losses.append(loss.detach())
        history.loss.append(float(torch.stack(losses).mean()))
        history.processes.append(world)
        if objective.validate is not None:
            averaged.eval()
            history.validation.append(objective.validate(averaged.module))
        if objective.validate is None or history.validation[-1] <= min(history.validation):
            history.best_epoch = epoch + 1
            checkpoint.keep_best()
        watch.on_loss(history.loss[-1])
        watch.on_progress(epoch + 1, schedule.epochs)
        checkpoint.save(history)
    checkpoint.load_best()
    module.eval()
    return history


def _groups(module: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return AdamW's groups: no decay on biases and normalisation (Loshchilov 2019)."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
