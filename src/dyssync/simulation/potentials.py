"""Membrane potential of every node, and what electrodes far and near see of it.

The action potential has one shape: an upstroke at the activation time and a fall at the
repolarisation time, so the potential of the heart is a sum of shifted steps. What an electrode sees
is linear in it; with times binned at 1 ms a whole beat is two convolutions instead of a matrix of
nodes by samples (`test_beat_equals_the_sum_over_nodes`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dyssync.arrays import Floats
from dyssync.simulation.heart import Heart
from dyssync.simulation.texture import unevenness

BEAT_MS = 720  # from 20 ms before activation to the end of the longest T wave
LEAD_IN_MS = 20

UPSTROKE_SD_MS = 1.2  # an upstroke of 1 ms, widened by the thickness of the wave in a grid step


@dataclass(frozen=True)
class Repolarisation:
    """How long action potentials last.

    The transmural and apicobasal differences make the T wave of a normal heart upright; the
    shortening with late activation evens out a normal sequence (slope near -1 in human hearts,
    Franz et al., Circulation 1987;75:379-86) but only half of the delays of a blocked branch, so
    late walls repolarise late and T opposes QRS.

    The last four make one patient's ST and T differ from another's: `fall_scale_ms` is the scale
    of a logistic fall (22: 10-90 % of phase 3 in 97 ms), `early_share` the part of the plateau that
    falls before phase 3 (what slopes the ST segment), `early_fall_ms` how long before, and the SD
    of that fall, `texture` what durations differ by from place to place (ms; plane waves as in
    :func:`dyssync.simulation.texture.unevenness`).
    """

    duration_ms: float = 285.0
    transmural_ms: float = 40.0  # endocardium longer than epicardium
    apicobasal_ms: float = 20.0  # base longer than apex
    adaptation: float = 0.35  # ms shorter per ms of later activation
    fall_scale_ms: float = 22.0
    early_share: float = 0.33
    early_fall_ms: tuple[float, float] = (85.0, 55.0)  # chosen
    texture: Floats = field(default_factory=lambda: np.zeros((0, 5)))


def repolarisation_times(heart: Heart, activation: Floats, kind: Repolarisation) -> Floats:
    """Return when each node is back at half its plateau, (n,), ms on the clock of `activation`."""
    duration = (
        kind.duration_ms
        - kind.transmural_ms * (heart.depth - 0.5)
        - kind.apicobasal_ms * (heart.level - 0.5)
        - kind.adaptation * (activation - activation.mean())
        + unevenness(heart.position, kind.texture)
    )
    times: Floats = activation + duration
    return times


def sources(weights: Floats, activation: Floats, fall: Floats, kind: Repolarisation) -> Floats:
    """Return the sources of one beat, (12, BEAT_MS) at 1 ms: 3 of the dipole, 9 of the quadrupole.

    In mm2 (mm3) of plateau height.

    Args:
        weights: (n, 12), of :func:`dyssync.simulation.heart.source_weights`.
        activation: (n,), ms.
        fall: (n,), ms, of :func:`repolarisation_times`.
        kind: for how an action potential falls.
    """
    up = depolarisation_rate(weights, activation)
    down = _convolve(_histogram(fall, weights), _phase_3(kind))
    beat: Floats = np.cumsum(up - down, axis=1)
    return beat


def depolarisation_rate(weights: Floats, activation: Floats) -> Floats:
    """Return the change of the sources that upstrokes alone make, (12, BEAT_MS), per ms."""
    return _convolve(_histogram(activation, weights), _upstroke())


def _histogram(times: Floats, weights: Floats) -> Floats:
    """Bin `weights` (n, 12) at 1 ms, each shared between the two nearest bins; (12, BEAT_MS)."""
    place = np.clip(times + LEAD_IN_MS, 0, BEAT_MS - 2)
    low = place.astype(np.int64)
    high_share = place - low
    bins = np.empty((weights.shape[1], BEAT_MS))
    index = np.concatenate([low, low + 1])
    for k in range(weights.shape[1]):
        column = weights[:, k]
        shared = np.concatenate([column * (1 - high_share), column * high_share])
        bins[k] = np.bincount(index, shared, minlength=BEAT_MS)
    return bins


def _convolve(bins: Floats, kernel: Floats) -> Floats:
    n = bins.shape[1] + len(kernel) - 1
    size = 1 << (n - 1).bit_length()
    full = np.fft.irfft(np.fft.rfft(bins, size, axis=1) * np.fft.rfft(kernel, size), size, axis=1)
    start = len(kernel) // 2
    same: Floats = full[:, start : start + bins.shape[1]]
    return same


def _upstroke() -> Floats:
    t = np.arange(-8.0, 9.0)
    kernel = np.exp(-0.5 * (t / UPSTROKE_SD_MS) ** 2)
    unit: Floats = kernel / kernel.sum()
    return unit


def _phase_3(kind: Repolarisation) -> Floats:
    t = np.arange(-240.0, 241.0)
    before, sd = kind.early_fall_ms
    share = kind.early_share
    steep = 1 / np.cosh(t / (2 * kind.fall_scale_ms)) ** 2
    early = np.exp(-0.5 * ((t + before) / sd) ** 2)
    kernel: Floats = (1 - share) * steep / steep.sum() + share * early / early.sum()
    return kernel
