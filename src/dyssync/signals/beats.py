"""Find the beats on all leads together, and average the typical one.

One bad lead must not spoil the rest, so every lead is brought to its own typical QRS slope, votes
with a weight that falls when it is noisy, and can vote no more than once (its excess is clipped).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats, Ints
from dyssync.ecg import Signal
from dyssync.errors import InputError
from dyssync.signals.filtering import bandpass
from dyssync.signals.kinds import (
    align_beats,
    beat_kinds,
    middle_beat,
    windows,
)
from dyssync.signals.peaks import find_peaks
from dyssync.signals.sliding import max_about, moving_mean
from dyssync.signals.t_as_beat import without_t_waves

DETECTION_BAND = (6.0, 25.0)  # Hz; T waves and wander lie below, muscle above
REFRACTORY = 0.24  # s; 250 beats a minute
QRS_LENGTH = 0.12  # s; joins the slopes of one wide QRS
# Envelope at a QRS against its lower quartile: white, pink, brown and muscle noise stay below 1.5,
# the flattest of 160 LUDB records has 5, a paced QRS of 200 ms among strong muscle noise 2.3.
MIN_CONTRAST = 2.0
# A beat stands out of the typical one and, where that is not much higher, of the noise.
MIN_HEIGHT, MIN_ABOVE_NOISE = 0.4, 1.5
# Beats farther apart than 1.5 s (block, asystole with escape beats) are looked for when none is
# found so; they must stand out more, for then a single artefact could pass for a beat.
SPARSE_SHARE, SPARSE_CONTRAST = 90.0, 8.0
# Wide QRS follow each other so fast at 150 a minute and more that there is no quiet between them:
# then the contrast of noise is enough, if what stands out is the same each time. Correlation of a
# candidate with the mean of the others, median: 0.9 and more in such hearts, below 0.4 in noise.
FAST_CONTRAST, FAST_ALIKE, FAST_BEATS = 1.25, 0.75, 6
# No ventricle answers twice within 0.2 s. What lies closer is a T, or a piece of the QRS, unless it
# is as high: then it is the next beat of a fast rhythm, found by the other end of its QRS.
CLOSEST, MUCH_LOWER = 0.2, 0.75
NO_BEAT = (
    "signal: no heartbeat was found; at least 1 is needed. "
    "Check leads, units and noise with 'dyssync inspect'"
)


@dataclass(frozen=True)
class MedianBeat:
    """The typical beat of a recording.

    Attributes:
        signal: (leads, m) float32, mV; the level just before the QRS is 0.
        fs: Hz.
        r_index: sample of the fiducial point (largest deflection over all leads).
        n_beats: how many beats the median was taken over.
        rr_s: median distance of consecutive beats, s; NaN with fewer than two.
    """

    signal: Signal
    fs: float
    r_index: int
    n_beats: int
    rr_s: float = float("nan")


def detect_beats(signal: npt.ArrayLike, fs: float) -> Ints:
    """Return the sample of each beat (its largest deflection over all leads).

    Args:
        signal: (leads, n) mV; 12 leads or any other number.
        fs: Hz.

    Returns:
        (k,) int64, ascending; empty in asystole, in pure noise and in flat signals.
    """
    values = np.atleast_2d(np.asarray(signal, dtype=np.float32))
    slope = np.abs(np.gradient(bandpass(values, fs, *DETECTION_BAND), axis=1)).astype(np.float64)
    for share, contrast in ((50.0, MIN_CONTRAST), (SPARSE_SHARE, SPARSE_CONTRAST)):
        envelope = _qrs_envelope(slope, fs, share)
        peaks = _beat_peaks(envelope, fs, share, contrast)
        if len(peaks):
            return without_t_waves(values, fs, _largest_deflections(values, fs, peaks, envelope))
    return without_t_waves(values, fs, _fast_beats(values, slope, fs))


def _fast_beats(values: Signal, slope: Floats, fs: float) -> Ints:
    """Return the beats of a fast rhythm of wide QRS: no quiet between them, all of one shape."""
    envelope = _qrs_envelope(slope, fs, 50.0)
    peaks = _beat_peaks(envelope, fs, 50.0, FAST_CONTRAST, above_noise=1.0)
    if len(peaks) < FAST_BEATS:
        return np.empty(0, dtype=np.int64)
    banded = bandpass(values, fs, *DETECTION_BAND)
    half = max(2, round(0.12 * fs))
    beats = _largest_deflections(values, fs, peaks, envelope)
    for _ in range(2):
        beats = align_beats(banded, beats, fs)
    cut = windows(banded, beats, half, half).reshape(len(beats), -1).astype(np.float64)
    others = (cut.sum(axis=0) - cut) / (len(cut) - 1)
    size = np.linalg.norm(cut, axis=1) * np.linalg.norm(others, axis=1)
    alike = (cut * others).sum(axis=1) / np.maximum(size, 1e-12)
    if np.median(alike) < FAST_ALIKE:
        return np.empty(0, dtype=np.int64)
    return np.asarray(beats[alike > FAST_ALIKE], dtype=np.int64)


def _qrs_envelope(slope: Floats, fs: float, share: float) -> Floats:
    """Return the slope energy of all leads, (n,), about 1 in a QRS; 0 when no lead has any.

    Args:
        slope: (leads, n), absolute.
        fs: Hz.
        share: percentile over stretches of 1.5 s at which the height of a QRS is read.
    """
    n = slope.shape[1]
    window = max(1, min(n, round(1.5 * fs)))
    blocks = slope[:, : n // window * window].reshape(len(slope), -1, window)
    typical = np.percentile(blocks.max(axis=2), share, axis=1)
    floor = np.median(slope[:, ::3], axis=1)
    usable = typical > 1e-6
    if not usable.any():
        return np.zeros(n)
    scaled = slope[usable] / typical[usable, None]
    contrast = typical[usable] / np.maximum(floor[usable], 1e-9)
    weight = np.minimum(contrast / np.median(contrast), 1.0) ** 2
    votes = np.minimum(scaled, 1.2)
    mean = np.sqrt(np.average(np.square(votes), axis=0, weights=weight))
    size = max(1, round(QRS_LENGTH * fs))
    return np.asarray(moving_mean(mean, size), dtype=np.float64)


def _beat_peaks(
    envelope: Floats,
    fs: float,
    share: float,
    contrast: float,
    above_noise: float = MIN_ABOVE_NOISE,
) -> Ints:
    candidates = find_peaks(envelope, distance=max(1, round(REFRACTORY * fs)))
    if not len(candidates):
        return np.empty(0, dtype=np.int64)
    heights = envelope[candidates]
    span = max(1, round(1.5 * fs))
    local = max_about(envelope, span)
    level = float(np.percentile(local, share))
    noise = float(np.percentile(envelope, 25))
    if level < contrast * noise:
        return np.empty(0, dtype=np.int64)
    kept = candidates[heights > max(MIN_HEIGHT * level, above_noise * noise)]
    return np.asarray(kept, dtype=np.int64)


def _largest_deflections(values: Signal, fs: float, peaks: Ints, envelope: Floats) -> Ints:
    """Move each peak of the envelope to the largest deflection within 80 ms.

    Of two that come to lie closer than two beats can, a much lower peak is dropped.
    """
    banded = bandpass(values, fs, 2.0, 40.0)
    power = np.square(banded)
    # RMS over mean size: 1.25 for noise, well above for a lead that is quiet between its beats
    peaked = np.sqrt(power.mean(axis=1)) / np.maximum(np.abs(banded).mean(axis=1), 1e-9)
    trust = np.clip((peaked - 1.25) / 0.25, 0.0, 1.0) ** 2 + 1e-3
    deflection = (power * trust[:, None]).sum(axis=0)
    reach = max(1, round(0.08 * fs))
    moved = np.zeros(len(peaks), dtype=np.int64)
    for k, peak in enumerate(peaks.tolist()):
        start = max(0, peak - reach)
        moved[k] = start + int(np.argmax(deflection[start : peak + reach + 1]))
    near, height = np.diff(moved) < CLOSEST * fs, envelope[peaks]
    lower = np.zeros(len(peaks), dtype=bool)
    lower[1:] |= near & (height[1:] < MUCH_LOWER * height[:-1])
    lower[:-1] |= near & (height[:-1] < MUCH_LOWER * height[1:])
    return np.unique(moved[~lower])


def median_beat(
    signal: npt.ArrayLike, fs: float, *, before_s: float = 0.35, after_s: float = 0.65
) -> MedianBeat:
    """Return the median beat: beats laid on each other, those of another kind left out.

    For what networks see in a tile, and for waveform features: at the rate of `signal`, of which
    the caller has filtered what should go. Mains hum and pacing spikes stay in. Whatever is marked
    or measured starts from :func:`dyssync.signals.delineation.typical_beat` instead.

    Args:
        signal: (leads, n) mV.
        fs: Hz.
        before_s: s before the fiducial point.
        after_s: s after it.

    Raises:
        InputError: no beat was found.
    """
    values = np.atleast_2d(np.asarray(signal, dtype=np.float32))
    beats = detect_beats(values, fs)
    if not len(beats):
        raise InputError(NO_BEAT)
    steady = bandpass(values, fs, 0.5, None, order=1)
    rr_s = float(np.median(np.diff(beats)) / fs) if len(beats) > 1 else float("nan")
    before, after = round(before_s * fs), round(after_s * fs)
    beats = align_beats(steady, beats, fs)
    kept = beats[beat_kinds(steady, beats, fs) == 0]
    beat = middle_beat(windows(steady, kept, before, after))
    level = np.median(beat[:, max(0, before - round(0.1 * fs)) : before - round(0.06 * fs)], axis=1)
    return MedianBeat((beat - level[:, None]).astype(np.float32), fs, before, len(kept), rr_s)
