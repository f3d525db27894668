"""Zero-phase filters and the one resampler of the house.

Filters work on the cosine transform of the whole record. That is the exact equivalent of a forward
and backward Butterworth filter on a signal mirrored at both ends: no phase shift, no start-up
transient, and several bands cost one transform each.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats
from dyssync.ecg import Signal
from dyssync.errors import check_range
from dyssync.signals.cosine import cosine_transform, inverse_cosine_transform

# Half-width of the line searched: the grid frequency is held within 0.2 Hz (EN 50160).
MAINS_HALF_WIDTH = 0.5
# Mains is removed only where its line stands out: the power in the line against its neighbourhood.
# Ten is far above what a QRS spectrum, smooth over 4 Hz, can do by itself.
MAINS_PROMINENCE = 10.0
MAINS_BLOCK = 10.0  # s over which the hum is taken as one sine


def resample(signal: npt.ArrayLike, fs_from: float, fs_to: float) -> Signal:
    """Return `signal` at another sampling rate, by a polyphase filter; the identity when equal.

    Args:
        signal: (..., n) mV.
        fs_from: rate of `signal`, Hz.
        fs_to: wanted rate, Hz.

    Returns:
        (..., m) float32 mV with m = ceil(n * fs_to / fs_from); sample 0 keeps its time.

    Raises:
        ConfigError: a rate is not positive.

    >>> resample(np.ones((2, 10)), 250.0, 500.0).shape
    (2, 20)
    """
    values = np.asarray(signal, dtype=np.float32)
    check_range("fs_from", fs_from, 1e-3, 1e6, "Hz")
    check_range("fs_to", fs_to, 1e-3, 1e6, "Hz")
    ratio = Fraction(fs_to / fs_from).limit_denominator(2000)
    if ratio == 1:
        return values.copy()
    return np.asarray(_polyphase(values, ratio.numerator, ratio.denominator), dtype=np.float32)


def _polyphase(values: Signal, up: int, down: int) -> Floats:
    """Return (..., ceil(n up / down)) values at `up` / `down` times the rate.

    The filter and its ends are those of `scipy.signal.resample_poly` with ``padtype="line"``, whose
    import takes longer than a whole prediction. Beyond its ends the signal goes on along the line
    through the first and the last value: zeros would turn an offset or a drift into steps.
    """
    n = values.shape[-1]
    weights, reach = _lowpass(up, down)
    first, last = values[..., :1].astype(np.float64), values[..., -1:].astype(np.float64)
    rise = (last - first) / max(n - 1, 1)
    before, after = np.arange(-reach, 0), np.arange(1, reach + down + 1)
    held = np.concatenate([first + rise * before, values, last + rise * after], axis=-1)
    windows = np.lib.stride_tricks.sliding_window_view(held, 2 * reach + 1, axis=-1)
    found = np.empty((*values.shape[:-1], -(-n * up // down)))
    for phase in range(min(up, found.shape[-1])):  # outputs that lie alike between two inputs
        at = np.arange(phase, found.shape[-1], up) * down
        taken = windows[..., at[0] // up :: down, :][..., : len(at), :]
        found[..., phase::up] = taken @ weights[at[0] % up]
    return found


@lru_cache(maxsize=16)
def _lowpass(up: int, down: int) -> tuple[Floats, int]:
    """Return the weights of inputs -reach to reach about each output phase, and the reach.

    A sinc at the lower of both Nyquist frequencies, ten zero crossings to each side, in a Kaiser
    window of 5.
    """
    larger = max(up, down)
    half = 10 * larger
    taps = np.sinc(np.arange(-half, half + 1) / larger) * np.kaiser(2 * half + 1, 5.0)
    taps *= up / taps.sum()
    reach = half // up + 1
    lag = half + np.arange(up)[:, None] - up * np.arange(-reach, reach + 1)
    inside = (lag >= 0) & (lag < len(taps))
    return np.where(inside, taps[np.clip(lag, 0, len(taps) - 1)], 0.0), reach


def bandpass(
    signal: npt.ArrayLike, fs: float, low: float | None, high: float | None, *, order: int = 2
) -> Signal:
    """Return `signal` between two frequencies, zero phase.

    The gain is that of a Butterworth filter of the given order run forwards and backwards:
    one half (-6 dB) at `low` and at `high`.

    Args:
        signal: (..., n) mV.
        fs: Hz.
        low: Hz; None or 0 leaves the low end as it is.
        high: Hz; None, or at and above the Nyquist frequency, leaves the high end as it is.
        order: of the one-way filter, so 1 is a gentle and 4 a steep one.

    Returns:
        (..., n) float32 mV.
    """
    values = np.asarray(signal, dtype=np.float32)
    gain = _gain(values.shape[-1], fs, low, high if high is None or high < fs / 2 else None, order)
    return _with_gain(values, gain)


@lru_cache(maxsize=64)
def _gain(n: int, fs: float, low: float | None, high: float | None, order: int) -> Signal:
    return band_gain(_frequencies(n, fs), low, high, order).astype(np.float32)


def band_gain(frequency: Floats, low: float | None, high: float | None, order: int) -> Floats:
    """Return the squared Butterworth gain, (k,) float64 in 0-1, at each frequency (Hz)."""
    gain: Floats = np.ones(len(frequency))
    if low:
        ratio = (frequency / low) ** (2 * order)
        gain *= ratio / (1.0 + ratio)
    if high:
        gain /= 1.0 + (frequency / high) ** (2 * order)
    return gain


def mains_frequency(signal: npt.ArrayLike, fs: float) -> float | None:
    """Return 50.0 or 60.0 where a mains line stands out of the spectrum of `signal`, else None.

    Args:
        signal: (leads, n) mV.
        fs: Hz; below 110 Hz (50 Hz) or 130 Hz (60 Hz) a line cannot be told and is not looked for.
    """
    values = np.asarray(signal, dtype=np.float32)
    power = np.square(cosine_transform(values)).sum(axis=0, dtype=np.float64)
    frequency = _frequencies(values.shape[-1], fs)
    best, found = MAINS_PROMINENCE, None
    for line in (50.0, 60.0):
        if fs < 2 * line + 10:
            continue
        away = np.abs(frequency - line)
        beside = power[(away > 2 * MAINS_HALF_WIDTH) & (away < 6 * MAINS_HALF_WIDTH)].mean()
        prominence = float(power[away <= MAINS_HALF_WIDTH].mean() / max(beside, 1e-12))
        if prominence > best:
            best, found = prominence, line
    return found


def remove_mains(signal: npt.ArrayLike, fs: float, line: float) -> Signal:
    """Return `signal` without the mains hum and its harmonics.

    The hum is fitted, block by block, as a sine whose amplitude and phase drift linearly. Unlike a
    notch filter that leaves the QRS, and the ends of the record, as they are.

    Args:
        signal: (..., n) mV.
        fs: Hz.
        line: nominal frequency, 50.0 or 60.0 Hz; the true one is searched within 0.5 Hz.
    """
    values = np.array(signal, dtype=np.float32)
    n = values.shape[-1]
    edges = np.linspace(0, n, max(1, round(n / (MAINS_BLOCK * fs))) + 1).round().astype(int)
    for start, stop in itertools.pairwise(edges):
        block = values[..., start:stop]
        time = np.arange(stop - start) / fs
        rows = block.reshape(-1, stop - start).astype(np.float64)
        steps = line + np.linspace(-0.5, 0.5, 101) if stop - start > fs else np.array([line])
        power = np.abs(rows @ np.exp(2j * np.pi * np.outer(time, steps))) ** 2
        true = float(steps[np.argmax(power.sum(axis=0))])
        drift = np.linspace(-1.0, 1.0, stop - start)
        for frequency in np.arange(true, fs / 2 - 1, true):
            sine = np.exp(2j * np.pi * frequency * time)
            basis = np.stack([sine.real, sine.imag, drift * sine.real, drift * sine.imag], axis=1)
            rows -= (basis @ np.linalg.lstsq(basis, rows.T, rcond=None)[0]).T
        values[..., start:stop] = rows.reshape(block.shape)
    return values


def _frequencies(n: int, fs: float) -> Floats:
    return np.arange(n, dtype=np.float64) * (fs / (2.0 * n))


def _with_gain(values: Signal, gain: Signal) -> Signal:
    spectrum = cosine_transform(values)
    spectrum *= gain
    return inverse_cosine_transform(spectrum)
