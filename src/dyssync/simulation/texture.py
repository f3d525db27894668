"""What differs from place to place in one heart: sums of plane waves, drawn once for a patient.

Fibre angles, sheets and diffuse fibrosis differ over one to several centimetres. They give every
heart slurs, notches and T waves of its own.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats

WAVELENGTHS_MM = (8.0, 60.0)
N_WAVES = 12


def draw_texture(rng: np.random.Generator, sd: float) -> Floats:
    """Draw a texture of standard deviation `sd`: N_WAVES rows as :func:`unevenness` takes them."""
    low, high = np.log(WAVELENGTHS_MM)
    length = np.exp(rng.uniform(low, high, N_WAVES))
    direction = rng.normal(size=(N_WAVES, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    phase = rng.uniform(0, 2 * np.pi, N_WAVES)
    size = np.full(N_WAVES, sd * np.sqrt(2 / N_WAVES))
    return np.column_stack([direction * (2 * np.pi / length)[:, None], phase, size])


def unevenness(position: Floats, texture: Floats) -> Floats:
    """Return the value of a texture at each `position`; (n,), mean about 0.

    Args:
        position: (n, 3), mm.
        texture: (m, 5): wave vector (rad/mm), phase (rad) and size of each plane wave.
    """
    waves = np.cos(position @ texture[:, :3].T + texture[:, 3])
    values: Floats = waves @ texture[:, 4]
    return values
