"""Small logistic regressions, many at once: the same patients under B sets of weights.

Recalibration, calibration measures and their bootstrap all rest on this one fit.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Bools, Floats, Indices, Ints

# Probabilities of exactly 0 and 1 have no logit. One in 10^12 is less than any study can tell from
# never, and leaves perfect predictions perfect: their loss is at rounding.
TINY = 1e-12
ENOUGH = 1e-14  # the loss that the last step can still gain, in nats; its root is 1e-7 of an SE
MAX_STEPS = 25  # separated classes still gain exp(-25) nats a patient then: seen as no minimum
LONGEST = 8.0  # logits that any linear predictor may move in one step: exp(8) in the odds


def logits(p: Floats) -> Floats:
    """Return the logits of probabilities (0-1), those of 0 and 1 being finite; NaN stays NaN."""
    inside = np.clip(p, TINY, 1 - TINY)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def fit_logistic(
    design: Floats,
    target: Floats | Ints,
    weight: Floats,
    start: Floats,
    *,
    offset: Floats | float = 0.0,
    ridge: Floats | float = 0.0,
) -> Floats:
    """Return the coefficients of B weighted logistic regressions, by Newton steps with halving.

    Each minimises ``sum w (log(1 + e^eta) - t eta)`` over patients, with ``eta = design @ c +
    offset``, plus ``sum ridge (c - start)^2 / 2`` over coefficients.

    Args:
        design: (n, d).
        target: (n,) or (B, n), 0-1.
        weight: (B, n), at least 0.
        start: (d,) first guess, and centre of the penalty. Where it explains every outcome already
            it is the answer: nothing can be better.
        offset: (n,) part of the linear predictor that is not fitted.
        ridge: (d,) strength of the penalty.

    Returns:
        (B, d); NaN where there is no finite minimum (separated or absent classes, no weight).
    """
    total = weight.sum(axis=1)
    answer = np.full((len(weight), design.shape[1]), np.nan)
    targets = np.broadcast_to(np.asarray(target, dtype=np.float64), weight.shape)
    fits = _Fits(design, targets, weight, start, offset, ridge)
    loss, _ = fits.loss(np.tile(start, (len(weight), 1)))
    perfect = (loss <= 1e3 * TINY * total) & (total > 0)
    answer[perfect] = start
    others = np.flatnonzero(~perfect & (total > 0))
    answer[others] = _minimise(fits.only(others), len(others))
    return answer


def _minimise(fits: _Fits, n: int) -> Floats:
    """Return the coefficients (n, d) of n fits from their start on; NaN without a minimum."""
    answer = np.full((n, len(fits.start)), np.nan)
    open_ = np.arange(n)  # fits that go on, as rows of the answer
    current = np.tile(fits.start, (n, 1)).astype(np.float64)
    loss, share = fits.loss(current)
    step, gain = fits.newton(current, share)
    for _ in range(MAX_STEPS):
        if len(open_) == 0:
            break
        trial = current - step
        trial_loss, trial_share = fits.loss(trial)
        better = trial_loss <= loss * (1 + 1e-13)  # rounding
        done = better & (gain < ENOUGH)
        answer[open_[done]] = trial[done]
        current = np.where(better[:, None], trial, current)[~done]
        share = np.where(better[:, None], trial_share, share)[~done]
        loss = np.where(better, trial_loss, loss)[~done]
        open_, fits = open_[~done], fits.only(~done)
        next_step, gain = fits.newton(current, share)
        step = np.where(better[~done, None], next_step, step[~done] / 2)
    return answer


class _Fits:
    """B fits that share a design; what Newton's method asks of them."""

    def __init__(
        self,
        design: Floats,
        target: Floats,
        weight: Floats,
        start: Floats,
        offset: Floats | float,
        ridge: Floats | float,
    ) -> None:
        self.design, self.target, self.weight = design, target, weight
        self.start, self.offset = start, offset
        d = design.shape[1]
        self.ridge = np.broadcast_to(np.asarray(ridge, dtype=np.float64), (d,))
        self.squares = (design[:, :, None] * design[:, None, :]).reshape(len(design), d * d)
        self.reach = np.abs(design).max(axis=0, initial=0.0)  # (d,)

    def only(self, kept: Bools | Indices) -> _Fits:
        """Return the fits in these rows."""
        return _Fits(
            self.design, self.target[kept], self.weight[kept], self.start, self.offset, self.ridge
        )

    def loss(self, c: Floats) -> tuple[Floats, Floats]:
        """Return the penalised loss (B,) and the fitted probabilities (B, n)."""
        eta = c @ self.design.T + self.offset
        small = np.exp(-np.abs(eta))
        # in this order nothing cancels for sure answers that are right
        own = (np.maximum(eta, 0) - self.target * eta) + np.log1p(small)
        loss = np.einsum("bn,bn->b", self.weight, own)
        share = np.where(eta >= 0, 1.0, small) / (1 + small)
        return loss + ((c - self.start) ** 2 @ self.ridge) / 2, share

    def newton(self, c: Floats, share: Floats) -> tuple[Floats, Floats]:
        """Return Newton's step (B, d), not longer than :data:`LONGEST`, and its gain in loss."""
        d = c.shape[1]
        slope = (self.weight * (share - self.target)) @ self.design + (c - self.start) * self.ridge
        curve = (self.weight * share * (1 - share)) @ self.squares  # (B, d * d)
        curve = curve.reshape(-1, d, d) + np.diag(self.ridge)
        # a trace on the diagonal keeps the system solvable; Newton corrects it in the next step
        diagonal = np.arange(d)
        curve[:, diagonal, diagonal] = curve[:, diagonal, diagonal] * (1 + 1e-9) + TINY
        step = np.linalg.solve(curve, slope[:, :, None])[:, :, 0]
        gain = np.einsum("bd,bd->b", slope, step)
        longest = (np.abs(step) * self.reach).sum(axis=1)
        return step * np.minimum(1, LONGEST / np.maximum(longest, TINY))[:, None], gain


def probabilities(eta: Floats) -> Floats:
    """Return the probabilities of logits."""
    with np.errstate(over="ignore"):  # beyond, it is 0
        return np.asarray(1 / (1 + np.exp(-eta)), dtype=np.float64)
