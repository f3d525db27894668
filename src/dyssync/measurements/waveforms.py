"""Time-series features of a recording: statistics of each lead and samples of the median beat."""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.ecg import ECG, LEADS
from dyssync.errors import InputError
from dyssync.keeping import kept
from dyssync.signals.beats import MedianBeat, median_beat
from dyssync.signals.filtering import bandpass, resample

FS = 250.0  # Hz; diagnostic content of a QRS ends near 100 Hz
BAND = (0.5, 40.0)  # Hz; without wander, mains and most muscle noise
BEAT_BEFORE_S, BEAT_AFTER_S = 0.24, 0.52  # around the QRS: P wave to T end at usual rates
BEAT_FS = 75.0  # Hz; 57 samples a lead, a QRS notch of 40 ms still spans three
STATISTICS = ("sd", "minimum", "maximum", "skewness", "kurtosis", "mean_slope")


def beat_times_s() -> Floats:
    """Return the times of the beat samples relative to the middle of the QRS, (m,) s."""
    return np.arange(round((BEAT_BEFORE_S + BEAT_AFTER_S) * BEAT_FS)) / BEAT_FS - BEAT_BEFORE_S


def feature_names() -> list[str]:
    """Return the names of all features, in the order of :func:`features`."""
    rhythm = [f"{lead}_{statistic}" for lead in LEADS for statistic in STATISTICS]
    beat = [f"{lead}_beat_{1000 * t:+.0f}ms" for lead in LEADS for t in beat_times_s()]
    return [*rhythm, *beat, "rr_s"]


@kept(most=20_000)
def features(ecg: ECG) -> Floats:
    """Return the features of one recording; NaN for the beat where no heart beat is found."""
    signal = bandpass(resample(ecg.signal, ecg.fs, FS), FS, *BAND)
    beat, rr_s = beat_samples(signal)
    return np.concatenate([_statistics(signal).ravel(), beat.ravel(), [rr_s]])


def _statistics(signal: Singles) -> Floats:
    """Return (12, len(STATISTICS)); amplitudes in mV, slope in mV/s."""
    return np.stack(
        [
            signal.std(axis=1),
            # 0.5 % quantiles rather than extremes: one artefact must not set them
            np.quantile(signal, 0.005, axis=1),
            np.quantile(signal, 0.995, axis=1),
            _moment(signal, 3),
            _moment(signal, 4) - 3.0,
            np.abs(np.diff(signal, axis=1)).mean(axis=1) * FS,
        ],
        axis=1,
    ).astype(np.float64)


def _moment(signal: Singles, order: int) -> Floats:
    """Return the standardised central moment of each lead, (12,); NaN where it is flat."""
    centred = signal - signal.mean(axis=1, keepdims=True)
    variance = np.square(centred).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((centred**order).mean(axis=1) / variance ** (order / 2))


def beat_samples(signal: Singles) -> tuple[Floats, float]:
    """Return the median beat at :func:`beat_times_s`, (12, m) mV, and the RR interval, s."""
    times = beat_times_s()
    try:
        # a margin on both sides, so that the centre can move and interpolation stays inside
        beat = median_beat(signal, FS, before_s=BEAT_BEFORE_S + 0.12, after_s=BEAT_AFTER_S + 0.12)
    except InputError:
        return np.full((len(LEADS), len(times)), np.nan), float("nan")
    clock = (np.arange(beat.signal.shape[1]) - qrs_centre(beat)) / beat.fs
    samples = np.stack([np.interp(times, clock, lead) for lead in beat.signal])
    return samples, beat.rr_s


def qrs_centre(beat: MedianBeat) -> int:
    """Return the sample in the middle of the QRS: where 100 ms hold the most slope of all leads.

    Beats of different patients are comparable only about a point that means the same in all. The
    largest deflection does not: it is an R in one and an S in the next.
    """
    slope = np.sqrt((np.gradient(beat.signal, axis=1) ** 2).mean(axis=0))
    window = np.ones(max(1, round(0.1 * beat.fs)))
    energy = np.convolve(slope, window, mode="same")
    near = np.abs(np.arange(len(energy)) - beat.r_index) <= 0.12 * beat.fs
    return int(np.argmax(np.where(near, energy, -1.0)))
