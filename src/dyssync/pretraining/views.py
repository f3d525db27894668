"""What makes two pictures of one heart: other moments, papers, gains, noise, electrode positions.

Views must share the heart and nothing else. SimCLR on near-identical views (same window, shifted by
less than half a second) tells patients apart with 99.9 % and learns nothing of use: a task that a
fingerprint solves teaches fingerprints. No view is ever flipped; mirrored time is no ECG.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from dyssync.arrays import Bytes, Floats
from dyssync.ecg import LIMB_FROM_I_II, Signal
from dyssync.layouts import LAYOUTS
from dyssync.learning.network_input import drawn_picture
from dyssync.learning.picture_config import PictureConfig
from dyssync.rendering import ViewConfig, draw_view
from dyssync.signals.vectorcardiogram import DOWER, KORS

# Heart position and electrode placement turn the heart vector by 10 to 20 degrees between two
# recordings of one person.
ROTATION_SD_DEG = 8.0
NOISE_MV = (0.0, 0.03)  # SD; muscle noise of a restless patient


@lru_cache(maxsize=8)
def hard_views(pictures: PictureConfig) -> ViewConfig:
    """Return what views are drawn from that must share only the heart.

    Other papers, inks and gains, chest leads scaled apart from limb leads, leads missing.
    """
    layouts, gain = pictures.views.layouts, pictures.gain
    rhythm = LAYOUTS[layouts[0]].source == "rhythm"
    return ViewConfig(
        layouts=layouts,
        start_s=(0.0, 10.0 if rhythm else 0.0),
        simultaneous_share=0.3 if rhythm else 0.0,
        speed=(0.9, 1.1),
        gain=(0.7 * gain, 1.4 * gain),
        chest_gain=(0.9, 1.1),
        zoom=(0.85, 1.0),
        shift_mm=8.0,
        hide_share=0.3,
        max_hidden=3,
    )


@lru_cache(maxsize=1)
def _to_vector_and_back() -> tuple[Floats, Floats]:
    """Return Kors as (3, 12) from leads in our order, and Dower as (12, 3) into our order."""
    kors, dower = np.zeros((3, 12)), np.zeros((12, 3))
    # the published tables have V1-V6, I, II
    kors[:, 6:12], kors[:, 0:2] = KORS[:, :6], KORS[:, 6:]
    dower[6:12], dower[0:2] = DOWER[:6], DOWER[6:]
    dower[2:6] = LIMB_FROM_I_II @ dower[0:2]
    return kors, dower


def draw_rotation(rng: np.random.Generator, sd_deg: float = ROTATION_SD_DEG) -> Floats:
    """Draw a small rotation of the heart vector, as a (12, 12) matrix on the leads.

    What the vector does not explain of a lead stays as it is.
    """
    x, y, z = np.deg2rad(rng.normal(0.0, sd_deg, 3))
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    # Cayley's formula: exactly orthogonal
    rotation = np.linalg.solve(np.eye(3) - cross / 2, np.eye(3) + cross / 2)
    kors, dower = _to_vector_and_back()
    turned: Floats = np.eye(12) + dower @ (rotation - np.eye(3)) @ kors
    return turned


def apply_rotation(signal: Signal, rotation: Floats) -> Signal:
    """Return the leads (12, n) of the heart turned by :func:`draw_rotation`'s matrix."""
    turned: Signal = rotation.astype(np.float32) @ signal
    return turned


def add_noise(signal: Signal, rng: np.random.Generator) -> Signal:
    """Return the signal with white noise of a drawn strength."""
    sd = rng.uniform(*NOISE_MV)
    noise = rng.standard_normal(signal.shape, dtype=np.float32) * np.float32(sd)
    return signal + noise


def draw_singly(
    signals: Sequence[Signal], pictures: PictureConfig, rng: np.random.Generator
) -> list[Bytes]:
    """Return a picture of each signal with noise, in the views that the model to come learns from.

    Args:
        signals: (12, n) each, as :func:`~dyssync.learning.network_input.drawn_signal` returns them.
        pictures: of the model to come.
        rng: draws everything.
    """
    drawn = []
    for signal in signals:
        noisy, view = add_noise(signal, rng), draw_view(rng, pictures.views)
        drawn.append(drawn_picture(noisy, view, pictures, rng))
    return drawn


def draw_pairs(
    signals: Sequence[Signal], pictures: PictureConfig, rng: np.random.Generator
) -> list[Bytes]:
    """Return two pictures of each heart: all first ones, then all second ones.

    The two share nothing but the heart: hard views, and of a rhythm strip disjoint halves.

    Args:
        signals: (12, n) each, as :func:`~dyssync.learning.network_input.drawn_signal` returns them.
        pictures: of the model to come.
        rng: draws everything.
    """
    disjoint = LAYOUTS[pictures.layout].source == "rhythm"
    views = hard_views(pictures)
    drawn: tuple[list[Bytes], list[Bytes]] = ([], [])
    for signal in signals:
        halves = np.array_split(signal, 2, axis=1) if disjoint else [signal, signal]
        if rng.random() < 0.5:
            halves = halves[::-1]
        for side, half in zip(drawn, halves, strict=True):
            turned = add_noise(apply_rotation(half, draw_rotation(rng)), rng)
            side.append(drawn_picture(turned, draw_view(rng, views), pictures, rng))
    return drawn[0] + drawn[1]
