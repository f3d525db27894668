"""The phase of the lines of a grid at places of a picture, and surfaces fitted to it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats, Singles

STEP = 8  # px between the points at which the phase is taken
PADDED = 3  # times the size, for a finer spectrum

ComplexArray = npt.NDArray[np.complex64]


def demodulated(
    detail: Singles, carrier: tuple[float, float], reach: float, known: Floats | None = None
) -> ComplexArray:
    """Return the complex amplitude of the carrier at every :data:`STEP` px, (h, w).

    Args:
        detail: darkness of the lines.
        carrier: cycles a pixel, in x and y.
        reach: SD of the window, px.
        known: cycles (h, w) that are taken off besides the carrier, so that a longer window holds
            the same phase; they are put back.
    """
    height, width = detail.shape
    turn = np.float32(2 * np.pi)
    across = np.exp(-1j * turn * carrier[0] * np.arange(width)).astype(np.complex64)
    down = np.exp(-1j * turn * carrier[1] * np.arange(height)).astype(np.complex64)
    rows, columns = height // STEP, width // STEP
    part = detail[: rows * STEP, : columns * STEP] * across[: columns * STEP]
    part *= down[: rows * STEP, None]
    means = part.reshape(rows, STEP, columns, STEP).mean(axis=(1, 3))
    spin = None if known is None else np.exp(-1j * turn * known).astype(np.complex64)
    if spin is not None:
        means = means * spin
    sigma = max(reach / STEP, 0.5)
    smooth = cv2.GaussianBlur(means.real, (0, 0), sigma) + 1j * cv2.GaussianBlur(
        means.imag, (0, 0), sigma
    )
    if spin is not None:
        smooth = smooth * np.conj(spin)
    return np.asarray(smooth, np.complex64)


def penalty(terms: npt.NDArray[np.int64], stiffness: float) -> Floats:
    """Return what each term (degrees in x and y) costs, (terms,); level and slope cost nothing."""
    degree = terms.sum(axis=1)
    cost: Floats = stiffness * np.square(np.maximum(degree - 1, 0)).astype(np.float64)
    return cost


def _solve(basis: Floats, values: Floats, weight: Floats, penalty: Floats) -> Floats:
    weighted = basis * weight[:, None]
    normal = basis.T @ weighted
    # Terms that the places say nothing about stay zero.
    stiff = np.diag(penalty * float(weight.sum()) + 1e-9 * np.trace(normal))
    solution: Floats = np.linalg.solve(normal + stiff, weighted.T @ values).astype(np.float64)
    return solution


def plane(phase: ComplexArray, terms: npt.NDArray[np.int64]) -> Floats:
    """Return the terms (cycles) of the plane that most of the phase agrees with."""
    height, width = phase.shape
    size = PADDED * height, PADDED * width
    peak = int(np.abs(np.fft.fft2(phase, size)).argmax())
    down, across = (int(k) for k in np.unravel_index(peak, size))
    weights = np.zeros(len(terms))
    for degrees, k, n, length in (
        ((1, 0), across, size[1], width),
        ((0, 1), down, size[0], height),
    ):
        cycles = (k if k < n / 2 else k - n) / n * length  # from one side to the other
        weights[np.flatnonzero((terms == degrees).all(axis=1))] = cycles / 2
    return weights


def fit_slopes(
    phase: ComplexArray, basis: Floats, terms: npt.NDArray[np.int64], stiffness: Sequence[float]
) -> Floats:
    """Return the terms (cycles) whose slopes are those of the phase."""
    steps, slopes, weights = [], [], []
    for axis in (0, 1):
        later = phase[1:] if axis == 0 else phase[:, 1:]
        sooner = phase[:-1] if axis == 0 else phase[:, :-1]
        product = later * np.conj(sooner)
        steps.append(np.diff(basis, axis=axis).reshape(-1, basis.shape[2]))
        slopes.append(np.angle(product).ravel() / (2 * np.pi))
        weights.append(np.sqrt(np.abs(product)).ravel())
    design = np.concatenate(steps) * (basis.shape[1] / 2)  # a step is as large as a term
    values = np.concatenate(slopes) * (basis.shape[1] / 2)
    weight = np.concatenate(weights).astype(np.float64)
    return _solve(design, values, weight, penalty(terms, max(stiffness)))


def fit_phase(phase: ComplexArray, basis: Floats, weights: Floats, penalty: Floats) -> Floats:
    """Return the terms after one step towards the phase itself."""
    rest = phase * np.exp(-2j * np.pi * (basis @ weights))
    offset = np.angle(rest.sum())
    error = np.angle(rest * np.exp(-1j * offset)) / (2 * np.pi)
    trust = np.abs(rest) * np.square(np.cos(np.pi * error))  # a place half a line off says nothing
    target = basis @ weights + error + offset / (2 * np.pi)
    return _solve(basis, target, trust.astype(np.float64), penalty)


def agreement(phase: ComplexArray, cycles: Floats) -> tuple[float, float]:
    """Return how well the phase agrees with a surface, 0-1, and the SD about it, cycles."""
    rest = phase * np.exp(-2j * np.pi * cycles)
    total = float(np.abs(rest).sum())
    coherence = float(np.abs(rest.sum())) / max(total, 1e-12)
    spread = float(np.sqrt(max(-2 * np.log(max(coherence, 1e-6)), 0.0))) / (2 * np.pi)
    return coherence, spread
