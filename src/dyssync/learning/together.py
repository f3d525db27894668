"""Several processes that learn as one: each draws its share of a batch, all see the whole of it.

The loss is that of the whole batch, whatever a method asks of it, and batch norm knows the whole
batch; so that the weights move as those of one process would, up to rounding, and up to what views
are drawn. Torch is imported with this module, which is itself imported only where several learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.modules.batchnorm import _BatchNorm

from dyssync.arrays import Ints


def shares_of(batch: Ints, world: int) -> list[Ints]:
    """Return the shares of a batch, a process each, in their order; no two differ by more than one.

    >>> [len(share) for share in shares_of(np.arange(7), 3)]
    [3, 2, 2]
    """
    return np.array_split(batch, world)


def share_rng(seed: int, epoch: int, rank: int) -> np.random.Generator:
    """Return the generator by which one process draws the views of an epoch; seed torch's by it."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, epoch, rank]))
    torch.manual_seed(int(rng.integers(2**31)))
    return rng


def gathered(own: torch.Tensor, counts: Sequence[int]) -> torch.Tensor:
    """Return the rows of all processes as one process would have them, with their gradient.

    Args:
        own: the rows of this process: (views x k, ...), all recordings in a first view, then all
            in a second.
        counts: recordings of each process, k of them here.

    Returns:
        (views x sum(counts), ...), likewise.
    """
    views = len(own) // counts[dist.get_rank()]
    rows = [views * count for count in counts]
    whole: torch.Tensor = _AllRows.apply(own, rows)  # type: ignore[no-untyped-call]
    rest = own.shape[1:]
    parts = [  # of each process
        part.reshape(views, count, *rest)
        for part, count in zip(torch.split(whole, rows), counts, strict=True)
    ]
    return torch.cat(parts, 1).reshape(sum(rows), *rest)


class _AllRows(torch.autograd.Function):
    """All rows in each process; back goes the gradient of its own.

    Every process computes the same loss of all rows, and its gradient by its own rows is a part of
    the whole one. Parts are to be added, where DDP takes the mean of processes: hence the factor.
    """

    @staticmethod
    def forward(ctx: Any, own: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        ctx.end = list(accumulate(rows))[dist.get_rank()]
        ctx.count = len(own)
        if not own.numel():  # targets of no width
            return own.new_zeros((sum(rows), *own.shape[1:]))
        sent = own.new_zeros((max(rows), *own.shape[1:]))
        sent[: len(own)] = own
        held = [torch.empty_like(sent) for _ in rows]
        dist.all_gather(held, sent)
        return torch.cat([part[:count] for part, count in zip(held, rows, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        own = grads[0][ctx.end - ctx.count : ctx.end]
        return own * dist.get_world_size(), None


def share_batch_norm(module: torch.nn.Module) -> None:
    """Let all batch norms below a module go by the recordings of all processes; in place.

    Parameters, buffers and their names stay. On GPUs torch's own does it, which has no other kind.
    """
    for name, child in module.named_children():
        if not isinstance(child, _BatchNorm):
            share_batch_norm(child)
        elif next(module.parameters()).is_cuda:
            shared = torch.nn.SyncBatchNorm.convert_sync_batchnorm(child)  # type: ignore[no-untyped-call]
            setattr(module, name, shared)
        else:
            setattr(module, name, SharedBatchNorm.of(child))


class SharedBatchNorm(_BatchNorm):
    """Batch norm over the recordings of all processes, on processors; as torch's in evaluation."""

    @classmethod
    def of(cls, norm: _BatchNorm) -> SharedBatchNorm:
        """Return one with the parameters and buffers of another, shared with it."""
        made = cls(norm.num_features, norm.eps, norm.momentum)
        for name in ("weight", "bias"):
            setattr(made, name, getattr(norm, name))
        for name, buffer in norm.named_buffers():
            setattr(made, name, buffer)
        made.train(norm.training)
        return made

    def _check_input_dim(self, input: torch.Tensor) -> None:
        """Take any."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n, channels, ...) normalised."""
        if not self.training:
            return super().forward(x)
        y, mean, variance, count = _Normalised.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.bias, self.eps
        )
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        normalised: torch.Tensor = y
        return normalised


class _Normalised(torch.autograd.Function):
    """Ioffe and Szegedy 2015, arXiv 1502.03167, algorithm 1, and its gradient (section 3)."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        held = x.float()
        axes = [axis for axis in range(x.ndim) if axis != 1]
        own = x.numel() // x.shape[1]
        variance, mean = torch.var_mean(held, axes, correction=0)
        mean, variance, count = _merged(mean.double(), variance.double(), own)
        scale = (variance + eps).rsqrt()
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.axes, ctx.count = axes, count
        factor = weight * scale
        y = held * _wide(factor, x) + _wide(bias - mean * factor, x)
        ctx.mark_non_differentiable(mean, variance, count)
        return y.to(x.dtype), mean, variance, count

    @staticmethod
    def backward(
        ctx: Any, *grads: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        x, weight, mean, scale = ctx.saved_tensors
        grad, held = grads[0].float(), x.float()
        d_bias = grad.sum(ctx.axes)
        d_weight = ((grad * held).sum(ctx.axes) - mean * d_bias) * scale
        sums = torch.stack([d_bias, d_weight])
        dist.all_reduce(sums)
        over, along = sums / ctx.count
        # dx = weight scale (grad - over - x^ along), x^ = (x - mean) scale
        factor = weight * scale
        slope = -factor * scale * along
        shift = -factor * over - slope * mean
        dx = grad * _wide(factor, x) + held * _wide(slope, x) + _wide(shift, x)
        return dx.to(x.dtype), d_weight, d_bias, None


def _merged(
    mean: torch.Tensor, variance: torch.Tensor, count: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return mean, variance and count over all processes (Chan, Golub and LeVeque 1983)."""
    sent = torch.cat([mean, variance, mean.new_tensor([count])])
    held = [torch.empty_like(sent) for _ in range(dist.get_world_size())]
    dist.all_gather(held, sent)
    rows = torch.stack(held)
    counts = rows[:, -1:]
    means, variances = rows[:, :-1].chunk(2, 1)
    total = counts.sum()
    whole = (counts * means).sum(0) / total
    spread = (counts * (variances + (means - whole).square())).sum(0) / total
    return whole.float(), spread.float(), total.float()


def _wide(values: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return (channels,) so that it meets the second axis of x."""
    return values.view(1, -1, *[1] * (x.ndim - 2))
