"""What the patient's skin and the machine add: noise at each electrode, filters, sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.signals.filtering import resample

# Electrodes RA, LA, LL, V1-V6 to V1-V6, I, II: chest leads against Wilson's terminal.
_FROM_ELECTRODES = np.zeros((8, 9))
_FROM_ELECTRODES[:6, 3:] = np.eye(6)
_FROM_ELECTRODES[:6, :3] = -1 / 3
_FROM_ELECTRODES[6, [0, 1]] = (-1, 1)
_FROM_ELECTRODES[7, [0, 2]] = (-1, 1)

# The chest moves with every breath: its electrodes wander more than those of the limbs.
WANDERING = np.array([1.0] * 3 + [1.6] * 6)[:, None]


@dataclass(frozen=True)
class Noise:
    """Noise of one recording, RMS at an electrode in mV, and the machine.

    Filters and corners of the spectra in Hz; `quantum_mv` is a step of what is stored (with an even
    number of uV, limb leads stay exact multiples of 1 uV after halving), `stored_hz` its rate.
    """

    wander_mv: float = 0.03
    muscle_mv: float = 0.008
    mains_mv: float = 0.003
    mains_hz: float = 50.0
    steps: float = 0.0  # electrode shifts in a recording
    high_pass: float = 0.05
    low_pass: float = 150.0
    wander_hz: float = 0.25  # above it wander falls with the square of the frequency
    muscle_hz: float = 35.0  # below it muscle noise falls
    floor_mv: float = 0.0  # white noise of the amplifier, behind its filters
    quantum_mv: float = 0.002
    stored_hz: float = 500.0


def draw_noise(noise: Noise, times: Floats, rng: np.random.Generator) -> Floats:
    """Draw the noise of V1-V6, I, II, (8, n), mV; `times` in s, evenly spaced."""
    n = len(times)
    frequency = np.fft.rfftfreq(n, times[1] - times[0])
    wander = np.where(frequency > 0.02, 1 / (1 + (frequency / noise.wander_hz) ** 2), 0)
    band = frequency / noise.muscle_hz
    muscle = np.sqrt(band**2 / (0.15 + band**2) / (1 + (frequency / 220.0) ** 4))
    shape = noise.wander_mv * WANDERING * _unit(wander) + noise.muscle_mv * _unit(muscle)
    spectrum = rng.normal(size=(9, len(frequency))) + 1j * rng.normal(size=(9, len(frequency)))
    # Electrodes differ in contact: some are noisier than others.
    contact = np.exp(rng.normal(0, 0.35, size=(9, 1)))
    electrodes = np.fft.irfft(spectrum * shape * n, n, axis=1) * contact
    phase = 2 * np.pi * rng.random() + 0.4 * rng.normal(size=(9, 1))
    mains = np.sin(2 * np.pi * noise.mains_hz * times + phase)
    electrodes += noise.mains_mv * np.exp(rng.normal(0, 0.5, size=(9, 1))) * mains
    for _ in range(rng.poisson(noise.steps)):
        at = rng.uniform(times[0], times[-1])
        after = np.clip(times - at, 0, None)
        jump = rng.normal(0, 0.25) * np.exp(-after / rng.uniform(0.2, 1.0)) * (times >= at)
        electrodes[rng.integers(9)] += jump
    noisy: Floats = _FROM_ELECTRODES @ electrodes
    return noisy


def draw_floor(noise: Noise, n: int, rng: np.random.Generator) -> Floats | float:
    """Draw the noise of the amplifiers, (8, n), mV; 0 where they have none."""
    return rng.normal(0, noise.floor_mv, (8, n)) if noise.floor_mv else 0.0


def apply_machine(leads: Floats, fs: float, noise: Noise, floor: Floats | float = 0.0) -> Floats:
    """Return (8, n) as an electrocardiograph of these filters stores it: filtered, in whole steps.

    Both filters are zero phase with the amplitude response of a second-order Butterworth filter.
    `floor` is added behind them. What was stored at another rate than `fs` is brought back to it,
    as a reader would.
    """
    frequency = np.fft.rfftfreq(leads.shape[1], 1 / fs)
    ratio = np.maximum(frequency, 1e-9) / noise.high_pass
    high = ratio**2 / np.sqrt(1 + ratio**4)
    low = 1 / np.sqrt(1 + (frequency / noise.low_pass) ** 4)
    filtered = np.fft.irfft(np.fft.rfft(leads, axis=1) * high * low, leads.shape[1], axis=1)
    filtered += floor
    if noise.stored_hz != fs:
        filtered = resample(filtered, fs, noise.stored_hz).astype(np.float64)
    stored: Floats = np.round(filtered / noise.quantum_mv) * noise.quantum_mv
    if noise.stored_hz != fs:
        stored = resample(stored, noise.stored_hz, fs)[:, : leads.shape[1]].astype(np.float64)
    return stored


def _unit(shape: Floats) -> Floats:
    """Scale an amplitude spectrum so that complex normal numbers of it give an RMS of 1."""
    unit: Floats = shape / np.sqrt(4 * (shape**2).sum())
    return unit
