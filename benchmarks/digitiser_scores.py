"""How near a reading is to what was drawn: two contests' SNR, and errors that a clinician sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitiser_pages import TruePage, TruePart
from dyssync.arrays import Floats
from dyssync.pages.digitising.digitised import Digitised

KAGGLE_LAG_S, CINC_LAG_S = 0.2, 0.5
CINC_OFFSET_MV = 1.0
FS = 500.0
BEST_DB = 60.0  # the contest caps the linear ratio at 1e6


@dataclass(frozen=True)
class PageScore:
    """One page.

    Attributes:
        name: of the page.
        layout_right: whether every part stands where it was drawn, under the name that it has. (Two
            layouts may have the same: those that differ in time alone, which paper does not show.)
        scale_right: whether speed and gain were found.
        swaps: parts under the name of another lead, or missing.
        snr_kaggle: dB, after the contest of 2025: lag up to 0.2 s, offset free, power not centred
            and summed over the leads, what is missing counts as zero.
        snr_cinc: dB, after that of 2024: mean over leads, lag up to 0.5 s and offset up to 1 mV,
            times the share that was read. (Its alignment of drawn traces is done on the samples.)
        rms_uv: root mean square error, microvolt.
        correlation: mean over the parts.
        r_uv, s_uv: median error of the highest and lowest value of the parts, microvolt.
        seconds: that it took.
    """

    name: str
    layout_right: bool
    scale_right: bool
    swaps: int
    snr_kaggle: float
    snr_cinc: float
    rms_uv: float
    correlation: float
    r_uv: float
    s_uv: float
    score: float
    seconds: float


def score_page(page: TruePage, read: Digitised, seconds: float) -> PageScore:
    """Return how near a reading is to the truth of its page."""
    found = {(part.row, part.column, part.rhythm): part for part in read.parts}
    drawn, seen = (
        {(part.row, part.column, part.rhythm, part.lead) for part in parts}
        for parts in (page.parts, read.parts)
    )
    signals: list[Floats | None] = []
    swaps = 0
    for true in page.parts:
        part = found.get((true.row, true.column, true.rhythm))
        right = part is not None and part.lead == true.lead
        swaps += not right
        signals.append(part.millivolts.astype(np.float64) if part and right else None)
    scale_right = (
        abs(read.scale.speed_mm_s / page.speed_mm_s - 1) < 0.02
        and abs(read.scale.gain_mm_mv / page.gain_mm_mv - 1) < 0.02
    )
    numbers = compare(page.parts, signals)
    return PageScore(
        page.name, drawn == seen, scale_right, swaps, *numbers, read.quality.score,
        seconds,
    )  # fmt: skip


def compare(
    parts: Sequence[TruePart], signals: Sequence[Floats | None]
) -> tuple[float, float, float, float, float, float]:
    """Return Kaggle and CinC SNR (dB), RMS (uV), correlation, R and S errors (uV)."""
    power, noise, samples = 0.0, 0.0, 0
    cinc, correlations, highs, lows = [], [], [], []
    repeated = {part.lead for part in parts if part.rhythm}
    for true, signal in zip(parts, signals, strict=True):
        label = true.millivolts
        read = np.full(len(label), np.nan) if signal is None else _fitted(signal, len(label))
        known = float(np.isfinite(read).mean())
        filled = np.where(np.isfinite(read), read, np.nanmedian(read) if known else 0.0)
        error, aligned = _aligned(label, filled, KAGGLE_LAG_S, None)
        if true.rhythm or true.lead not in repeated:  # of a lead shown twice, the long one counts
            power += float(np.square(label).sum())
            noise += error * len(label)
            samples += len(label)
        limited, _ = _aligned(label, filled, CINC_LAG_S, CINC_OFFSET_MV)
        ratio = float(np.square(label).mean()) / max(limited, 1e-12)
        cinc.append(min(10 * np.log10(max(ratio, 1e-6)), BEST_DB) * known)
        if known > 0.5 and aligned.std() > 0:
            correlations.append(float(np.corrcoef(label, aligned)[0, 1]))
            highs.append(abs(aligned.max() - label.max()) * 1000)
            lows.append(abs(aligned.min() - label.min()) * 1000)
    kaggle = min(10 * np.log10(max(power / max(noise, 1e-12), 1e-6)), BEST_DB)
    return (
        float(kaggle), float(np.mean(cinc)), float(np.sqrt(noise / max(samples, 1)) * 1000),
        float(np.mean(correlations)) if correlations else 0.0,
        float(np.median(highs)) if highs else float("nan"),
        float(np.median(lows)) if lows else float("nan"),
    )  # fmt: skip


def _fitted(signal: Floats, n: int) -> Floats:
    """Return `signal` at the length of its truth; what is missing at its end is not known."""
    fitted = np.full(n, np.nan)
    fitted[: min(n, len(signal))] = signal[:n]
    return fitted


def _aligned(
    label: Floats, read: Floats, lag_s: float, offset_mv: float | None
) -> tuple[float, Floats]:
    """Return the mean square error at the best lag and offset, and the signal so shifted."""
    most = min(round(lag_s * FS), len(label) // 2)
    best, chosen = np.inf, read
    for lag in range(-most, most + 1):
        # what is shifted in from outside repeats the end
        shifted = read[np.clip(np.arange(len(read)) - lag, 0, len(read) - 1)]
        offset = float((label - shifted).mean())
        if offset_mv is not None:
            offset = float(np.clip(offset, -offset_mv, offset_mv))
        error = float(np.square(label - shifted - offset).mean())
        if error < best:
            best, chosen = error, shifted + offset
    return best, chosen
