"""The phase of the lines of a grid at places of a picture, compared with a surface."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats, Singles

STEP = 8  # px between the points at which the phase is taken
PADDED = 3  # times the size, for a finer spectrum

ComplexArray = npt.NDArray[np.complex64]


@dataclass(frozen=True, eq=False)
class Lines:
    """One family of lines, brought down by its carrier.

    Attributes:
        means: (h, w) mean of each square of :data:`STEP` px times the carrier.
        harmonic: lines in 5 mm: 1 or 5.
        px_per_mm: about.
    """

    means: ComplexArray
    harmonic: int
    px_per_mm: float

    @property
    def period_mm(self) -> float:
        """From line to line."""
        return 5.0 / self.harmonic

    def phase(self, reach_mm: float, known: Floats | None = None) -> ComplexArray:
        """Return the complex amplitude of the lines, (h, w).

        Args:
            reach_mm: SD of the window.
            known: cycles of 5 mm (h, w) that are taken off besides the carrier. The better the
                surface is known, the longer the window may be, and the quieter the rest is.
        """
        rest = self.means if known is None else self.without(self.means, known)
        sigma = max(reach_mm * self.px_per_mm / STEP, 0.5)
        return np.asarray(
            cv2.GaussianBlur(rest.real, (0, 0), sigma)
            + 1j * cv2.GaussianBlur(rest.imag, (0, 0), sigma),
            np.complex64,
        )

    def without(self, phase: ComplexArray, known: Floats) -> ComplexArray:
        """Return `phase` less `known` cycles of 5 mm."""
        turn = known.astype(np.float32) * np.float32(-2 * np.pi * self.harmonic)
        spin = np.empty(turn.shape, np.complex64)
        spin.real, spin.imag = np.cos(turn), np.sin(turn)
        return np.asarray(phase * spin, np.complex64)


def lines_of(detail: Singles, wave: tuple[float, float], harmonic: int) -> Lines:
    """Return one family of lines.

    Args:
        detail: (H, W) darkness of the lines, traces blanked.
        wave: about how many cycles a pixel the 5-mm lines have, in x and y.
        harmonic: 1 for these, 5 for the 1-mm lines.
    """
    period = 1 / float(np.hypot(*wave))
    # What does not change along `wave` is no line of this family: the level of the paper, and the
    # lines that cross. The squares below are too few to tell them from lines.
    k = 2 * round(period / 2) + 1
    window = (k, 1) if abs(wave[0]) > abs(wave[1]) else (1, k)
    apart = detail - np.asarray(cv2.blur(detail, window), np.float32)
    rows, columns = (n // STEP for n in detail.shape)
    turn = np.float32(2 * np.pi * harmonic)
    across = np.exp(-1j * turn * wave[0] * np.arange(columns * STEP)).astype(np.complex64)
    down = np.exp(-1j * turn * wave[1] * np.arange(rows * STEP)).astype(np.complex64)
    part = apart[: rows * STEP, : columns * STEP] * across
    part *= down[:, None]
    means = part.reshape(rows, STEP, columns, STEP).mean(axis=(1, 3))
    return Lines(np.asarray(means, np.complex64), harmonic, period / 5)


def places(size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return x and y of the points of the phase of a picture (H, W), (h, w) px each."""
    rows, columns = (n // STEP for n in size)
    x, y = np.meshgrid(
        (np.arange(columns, dtype=np.float64) + 0.5) * STEP - 0.5,
        (np.arange(rows, dtype=np.float64) + 0.5) * STEP - 0.5,
    )
    return x, y


def strongest_slopes(phase: ComplexArray) -> tuple[float, float]:
    """Return cycles a point in x and y of the plane that most of the phase agrees with."""
    size = PADDED * phase.shape[0], PADDED * phase.shape[1]
    peak = int(np.abs(np.fft.fft2(phase, size)).argmax())
    down, across = (int(k) for k in np.unravel_index(peak, size))
    x, y = ((k if k < n / 2 else k - n) / n for k, n in ((across, size[1]), (down, size[0])))
    return x, y


def errors(rest: ComplexArray) -> tuple[Floats, Floats]:
    """Return how far a phase is from being the same everywhere, cycles, and the trust in that.

    Args:
        rest: phase less that of a surface.
    """
    offset = np.angle(rest.sum())
    error = np.angle(rest * np.exp(-1j * offset)) / (2 * np.pi)
    # a place half a line off says nothing
    trust = np.abs(rest) * np.square(np.cos(np.pi * error))
    return (error + offset / (2 * np.pi)).astype(np.float64), trust.astype(np.float64)


def steps(rest: ComplexArray, axis: int) -> tuple[Floats, Floats]:
    """Return the change of a phase from point to point along an axis, cycles, and its weight."""
    later, sooner = (rest[1:], rest[:-1]) if axis == 0 else (rest[:, 1:], rest[:, :-1])
    product = later * np.conj(sooner)
    error, weight = np.angle(product) / (2 * np.pi), np.sqrt(np.abs(product))
    return error.astype(np.float64), weight.astype(np.float64)


def agreement(rest: ComplexArray) -> tuple[float, float]:
    """Return how well a phase agrees with being the same everywhere, 0-1, and its SD, cycles."""
    total = float(np.abs(rest).sum())
    coherence = float(np.abs(rest.sum())) / max(total, 1e-12)
    spread = float(np.sqrt(max(-2 * np.log(max(coherence, 1e-6)), 0.0))) / (2 * np.pi)
    return coherence, spread


def solve(basis: Floats, values: Floats, weight: Floats, penalty: Floats) -> Floats:
    """Return the weighted least squares of `values` (n,) by `basis` (n, k); `penalty` (k,)."""
    weighted = basis * weight[:, None]
    normal = basis.T @ weighted
    # Terms that the places say nothing about stay zero.
    stiff = np.diag(penalty * float(weight.sum()) + 1e-9 * np.trace(normal))
    solution: Floats = np.linalg.solve(normal + stiff, weighted.T @ values).astype(np.float64)
    return solution
