"""Numbers that a picture must tell, in groups that weigh alike however many numbers each has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from dyssync.arrays import Ints, Singles

if TYPE_CHECKING:
    import torch

LEAST_KNOWN = 1 / 3  # chosen: of the recordings; what is known of fewer is not asked for


@dataclass(frozen=True, eq=False)
class Group:
    """Targets of one kind.

    Attributes:
        values: (n, k) float32, of mean 0; NaN where not known.
    """

    values: Singles

    @cached_property
    def variance(self) -> float:
        """Mean square of what is known: the error of answering with the mean; 1 of nothing."""
        known = self.values[np.isfinite(self.values)].astype(np.float64)
        return float((known**2).mean()) if len(known) else 1.0


@dataclass(frozen=True, eq=False)
class Groups:
    """Several groups, asked at once: their targets side by side.

    Attributes:
        groups: of the same recordings.
    """

    groups: tuple[Group, ...]

    @property
    def width(self) -> int:
        """How many targets there are."""
        return sum(group.values.shape[1] for group in self.groups)

    def of(self, rows: Ints) -> Singles:
        """Return the targets of some recordings, (len(rows), width); NaN where not known."""
        return np.concatenate([group.values[rows] for group in self.groups], axis=1)

    def weights_of_first(self, head: torch.nn.Module) -> Singles:
        """Return the weights of a linear head that tell the first group, (k, FEATURES)."""
        weights: Singles = head.get_parameter("weight").detach().float().cpu().numpy()
        return weights[: self.groups[0].values.shape[1]]

    def errors(
        self, outputs: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return how wrong each answer is in each group, and whether the group is known.

        Args:
            outputs: (n, width).
            targets: (n, width); what is NaN takes no part, nor does the answer to it.

        Returns:
            (n, number of groups) float32 twice: the mean squared error relative to the group's
            variance, so that 1 is what the mean of all recordings would cost; and 1 where something
            of the group is known, else 0.
        """
        import torch

        errors, known = [], []
        widths = [group.values.shape[1] for group in self.groups]
        parts = torch.split(outputs, widths, 1), torch.split(targets, widths, 1)
        pairs = zip(*parts, strict=True)
        for group, (told, asked) in zip(self.groups, pairs, strict=True):
            held = ~torch.isnan(asked)
            # NaN times 0 is NaN: what is not known must not reach the difference at all
            difference = torch.where(held, told - torch.where(held, asked, 0.0), 0.0)
            count = held.sum(1)
            errors.append(difference.square().sum(1) / count.clamp(min=1) / group.variance)
            known.append((count > 0).float())
        return torch.stack(errors, 1), torch.stack(known, 1)


def blended(errors: torch.Tensor, known: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the mean over recordings of the weighted mean over the groups known of each.

    Args:
        errors: (n, g), as :meth:`Groups.errors` returns them.
        known: likewise.
        weights: (g,) or (n, g), of the groups.
    """
    held = weights * known
    return ((held * errors).sum(1) / held.sum(1).clamp(min=1e-9)).mean()


def normal_ranks(values: Singles, *, least_known: float = LEAST_KNOWN) -> Group:
    """Return columns as the normal scores of their ranks, so that no outlier rules a loss.

    A column that is constant, or known of too few, is left out.

    Args:
        values: (n, k), NaN where not known; ties get their mean rank.
        least_known: share of the recordings of which a column must be known.
    """
    kept = [column for column in values.T if _worth_asking(column, least_known)]
    return Group(np.stack([_scores(c) for c in kept], 1) if kept else values[:, :0])


def _worth_asking(column: Singles, least_known: float) -> bool:
    known = column[np.isfinite(column)]
    enough = len(known) >= max(1, least_known * len(column))
    return enough and bool(known.min() < known.max())


def _scores(column: Singles) -> Singles:
    known = np.isfinite(column)
    ranks = rankdata(column[known])  # from 1; half a rank less, and none is at infinity
    scores = ndtri((ranks - 0.5) / len(ranks))
    held = np.full(len(column), np.nan, dtype=np.float32)
    held[known] = scores - scores.mean()
    return held
