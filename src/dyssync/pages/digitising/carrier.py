"""How far along the paper each point of a picture lies: the phase of the lines of its grid.

The lines are a carrier whose phase says where on the paper one is, as in fringe analysis
(Takeda 1982, 10.1364/JOSA.72.000156). A smooth surface is fitted to it: first to its slopes, which
know no ambiguity of whole lines, then to the phase itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from dyssync.arrays import Floats, Singles

STEP = 8  # px between the points at which the phase is taken
DEGREES = (8, 5)  # of the surface along x and y: perspective, and paper that bends in two waves
# Of the higher terms, per square of their degree, round by round (chosen): first the page as a
# plane seen at an angle, then its waves.
STIFFNESS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 3e-4)
COARSE_REACH_MM, FINE_REACH_MM = 5.0, 2.0  # SD of the window in which lines are counted
FIRST_REACH = 0.8  # of a period of the lines: how far the window goes before the surface is known

FLAT = (1e3, 1e3, 1e3)  # a plane that faces the camera; one seen at an angle bends its lines
PADDED = 3  # times the size, for a finer spectrum
FLAT_COHERENCE = 0.93  # of lines with such a plane, from which no other surface is tried
FINE_COHERENCE = 0.7  # from which the 1-mm lines are believed
FINE_CERTAIN = 0.97  # from which no second way to them is tried

ComplexArray = npt.NDArray[np.complex64]


@dataclass(frozen=True, eq=False)
class Surface:
    """Distance along one direction of the paper, over a picture.

    Attributes:
        wave: cycles a pixel in x and y of the 5-mm lines that were started from.
        terms: (terms, 2) degree in x and y of each Legendre term.
        weights: (terms,) cycles.
        size: height and width of the picture, px.
        coherence: how well the lines agree with it, 0-1.
        slack_mm: SD of single places about it, mm.
    """

    wave: tuple[float, float]
    terms: npt.NDArray[np.int64]
    weights: Floats
    size: tuple[int, int]
    coherence: float
    slack_mm: float

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the distance along the paper at points of the picture (px), mm; any shape."""
        flat = _terms_at(self.terms, _unit(x.ravel(), self.size[1]), _unit(y.ravel(), self.size[0]))
        cycles = self.wave[0] * x + self.wave[1] * y + (flat @ self.weights).reshape(x.shape)
        distance: Floats = 5.0 * cycles
        return distance


def fit_surface(detail: Singles, wave: tuple[float, float]) -> Surface:
    """Return the surface that the lines of a grid follow, from their 5-mm or 1-mm family.

    Args:
        detail: (H, W) darkness of the lines, traces blanked.
        wave: about how many cycles a pixel the 5-mm lines have, in x and y.
    """
    for harmonic, reach in ((5, FINE_REACH_MM), (1, COARSE_REACH_MM)):
        plane = _fit(detail, wave, harmonic, reach, stiffness=FLAT)
        if plane.coherence >= FLAT_COHERENCE:  # scans and prints: nothing bends
            return plane
    coarse = _fit(detail, wave, 1, COARSE_REACH_MM)
    fine = _fit(detail, wave, 5, FINE_REACH_MM, coarse.weights)
    if fine.coherence < FINE_CERTAIN:
        fine = max(fine, _fit(detail, wave, 5, FINE_REACH_MM), key=lambda fit: fit.coherence)
    # Lines five times as close tell places five times as well, if they are there at all.
    return fine if fine.coherence >= FINE_COHERENCE or coarse.coherence < 0.5 else coarse


def _fit(
    detail: Singles,
    wave: tuple[float, float],
    harmonic: int,
    reach_mm: float,
    start: Floats | None = None,
    stiffness: Sequence[float] = STIFFNESS,
) -> Surface:
    """Return the surface of one family of lines; `start` (cycles of 5 mm) saves the way to it."""
    px_per_mm = 1 / (5 * float(np.hypot(*wave)))
    period_mm = 5.0 / harmonic
    carrier = (wave[0] * harmonic, wave[1] * harmonic)
    first = _demodulated(detail, carrier, FIRST_REACH * period_mm * px_per_mm)
    height, width = first.shape
    x = _unit((np.arange(width, dtype=np.float64) + 0.5) * STEP - 0.5, detail.shape[1])
    y = _unit((np.arange(height, dtype=np.float64) + 0.5) * STEP - 0.5, detail.shape[0])
    terms = np.array(
        [(i, j) for i in range(DEGREES[0] + 1) for j in range(DEGREES[1] + 1) if i + 2 * j <= 10]
    )
    xx, yy = np.meshgrid(x, y)
    basis = _terms_at(terms, xx.ravel(), yy.ravel())
    if stiffness is FLAT:
        weights = _plane(first, terms)
    elif start is None:
        weights = _fit_slopes(first, basis.reshape(height, width, -1), terms, stiffness)
    else:
        weights = start * harmonic
    phase = first
    for stiff in stiffness if start is None else stiffness[-3:]:
        # The better the surface is known, the longer the window may be, and the quieter it is.
        known = (basis @ weights).reshape(height, width)
        phase = _demodulated(detail, carrier, reach_mm * px_per_mm, known)
        weights = _fit_phase(phase.ravel(), basis, weights, _penalty(terms, stiff))
    coherence, slack = _agreement(phase.ravel(), basis @ weights)
    return Surface(
        wave, terms, weights / harmonic, (detail.shape[0], detail.shape[1]), coherence,
        slack * period_mm,
    )  # fmt: skip


def _unit(at: Floats, length: int) -> Floats:
    scaled: Floats = (at + 0.5) / length * 2 - 1
    return scaled


def _terms_at(terms: npt.NDArray[np.int64], x: Floats, y: Floats) -> Floats:
    """Return the Legendre terms at points (n,), (n, terms)."""
    in_x = legendre.legvander(np.clip(x, -1.3, 1.3), DEGREES[0])
    in_y = legendre.legvander(np.clip(y, -1.3, 1.3), DEGREES[1])
    product: Floats = in_x[:, terms[:, 0]] * in_y[:, terms[:, 1]]
    return product


def _demodulated(
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


def _penalty(terms: npt.NDArray[np.int64], stiffness: float) -> Floats:
    degree = terms.sum(axis=1)
    penalty: Floats = stiffness * np.square(np.maximum(degree - 1, 0)).astype(np.float64)
    return penalty


def _solve(basis: Floats, values: Floats, weight: Floats, penalty: Floats) -> Floats:
    weighted = basis * weight[:, None]
    normal = basis.T @ weighted
    # Terms that the places say nothing about stay zero.
    stiff = np.diag(penalty * float(weight.sum()) + 1e-9 * np.trace(normal))
    solution: Floats = np.linalg.solve(normal + stiff, weighted.T @ values).astype(np.float64)
    return solution


def _plane(phase: ComplexArray, terms: npt.NDArray[np.int64]) -> Floats:
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


def _fit_slopes(
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
    return _solve(design, values, weight, _penalty(terms, max(stiffness)))


def _fit_phase(phase: ComplexArray, basis: Floats, weights: Floats, penalty: Floats) -> Floats:
    """Return the terms after one step towards the phase itself."""
    rest = phase * np.exp(-2j * np.pi * (basis @ weights))
    offset = np.angle(rest.sum())
    error = np.angle(rest * np.exp(-1j * offset)) / (2 * np.pi)
    trust = np.abs(rest) * np.square(np.cos(np.pi * error))  # a place half a line off says nothing
    target = basis @ weights + error + offset / (2 * np.pi)
    return _solve(basis, target, trust.astype(np.float64), penalty)


def _agreement(phase: ComplexArray, cycles: Floats) -> tuple[float, float]:
    rest = phase * np.exp(-2j * np.pi * cycles)
    total = float(np.abs(rest).sum())
    coherence = float(np.abs(rest.sum())) / max(total, 1e-12)
    spread = float(np.sqrt(max(-2 * np.log(max(coherence, 1e-6)), 0.0))) / (2 * np.pi)
    return coherence, spread
