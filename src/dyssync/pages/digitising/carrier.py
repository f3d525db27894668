"""How far along the paper each point of a picture lies: the phase of the lines of its grid.

The lines are a carrier whose phase says where on the paper one is, as in fringe analysis
(Takeda 1982, 10.1364/JOSA.72.000156). A smooth surface is fitted to it: first to its slopes, which
know no ambiguity of whole lines, then to the phase itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from dyssync.arrays import Floats, Singles
from dyssync.pages.digitising.phase import (
    STEP,
    agreement,
    demodulated,
    fit_phase,
    fit_slopes,
    penalty,
    plane,
)

DEGREES = (8, 5)  # of the surface along x and y: perspective, and paper that bends in two waves
# Of the higher terms, per square of their degree, round by round (chosen): first the page as a
# plane seen at an angle, then its waves.
STIFFNESS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 3e-4)
COARSE_REACH_MM, FINE_REACH_MM = 5.0, 2.0  # SD of the window in which lines are counted
FIRST_REACH = 0.8  # of a period of the lines: how far the window goes before the surface is known

FLAT = (1e3, 1e3, 1e3)  # a plane that faces the camera; one seen at an angle bends its lines
FLAT_COHERENCE = 0.93  # of lines with such a plane, from which no other surface is tried
FINE_COHERENCE = 0.7  # from which the 1-mm lines are believed
FINE_CERTAIN = 0.97  # from which no second way to them is tried


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
        even = _fit(detail, wave, harmonic, reach, stiffness=FLAT)
        if even.coherence >= FLAT_COHERENCE:  # scans and prints: nothing bends
            return even
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
    first = demodulated(detail, carrier, FIRST_REACH * period_mm * px_per_mm)
    height, width = first.shape
    x = _unit((np.arange(width, dtype=np.float64) + 0.5) * STEP - 0.5, detail.shape[1])
    y = _unit((np.arange(height, dtype=np.float64) + 0.5) * STEP - 0.5, detail.shape[0])
    terms = np.array(
        [(i, j) for i in range(DEGREES[0] + 1) for j in range(DEGREES[1] + 1) if i + 2 * j <= 10]
    )
    xx, yy = np.meshgrid(x, y)
    basis = _terms_at(terms, xx.ravel(), yy.ravel())
    if stiffness is FLAT:
        weights = plane(first, terms)
    elif start is None:
        weights = fit_slopes(first, basis.reshape(height, width, -1), terms, stiffness)
    else:
        weights = start * harmonic
    phase = first
    for stiff in stiffness if start is None else stiffness[-3:]:
        # The better the surface is known, the longer the window may be, and the quieter it is.
        known = (basis @ weights).reshape(height, width)
        phase = demodulated(detail, carrier, reach_mm * px_per_mm, known)
        weights = fit_phase(phase.ravel(), basis, weights, penalty(terms, stiff))
    coherence, slack = agreement(phase.ravel(), basis @ weights)
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
