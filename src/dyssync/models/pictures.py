"""From recordings to the pictures a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dyssync.ecg import ECG, Signal
from dyssync.layouts import LAYOUTS, SignalSource
from dyssync.models.waveforms import BAND, FS, qrs_centre
from dyssync.rendering import Rendered, View, ViewConfig, apply_view
from dyssync.rendering.view import LINE_MM
from dyssync.signals.beats import median_beat
from dyssync.signals.filtering import bandpass, resample

# In a tile the QRS stands at three eighths: P wave and PR before it, ST and T behind.
TILE_CENTRE_SHARE = 0.375
INK_MEAN, INK_SD = 0.07, 0.2  # of a neutral 3x4 page of 160 x 128 px; brings the input near N(0, 1)

Size = tuple[int, int]


def drawn_signal(ecg: ECG, layout: str) -> Signal:
    """Return what a layout draws of a recording, (12, n) float32 mV at :data:`FS`.

    Raises:
        InputError: the layout shows the median beat and no heart beat is found.
    """
    held = LAYOUTS[layout]
    return _drawn(ecg, held.source, held.seconds)


@lru_cache(maxsize=5_000)
def _drawn(ecg: ECG, source: SignalSource, seconds: float) -> Signal:
    signal = bandpass(resample(ecg.signal, ecg.fs, FS), FS, *BAND)
    if source == "rhythm":
        return signal
    beat = median_beat(signal, FS, before_s=seconds, after_s=seconds)
    start = qrs_centre(beat) - round(TILE_CENTRE_SHARE * seconds * FS)
    return beat.signal[:, start : start + round(seconds * FS)]


def neutral_views(layout: str, n: int, gain: float) -> list[View]:
    """Return views that differ only in where the recording starts; one for the median beat."""
    view = View(layout=layout, limb_gain=gain, chest_gain=gain)
    if LAYOUTS[layout].source == "median-beat":
        return [view]
    return [replace(view, start_s=LAYOUTS[layout].seconds * k / n) for k in range(n)]


def plain_views(layouts: tuple[str, ...], gain: float) -> ViewConfig:
    """Return what training pictures on clean paper are drawn from: time, place, scale and pen."""
    rhythm = LAYOUTS[layouts[0]].source == "rhythm"
    return ViewConfig(
        layouts=layouts,
        # a recording drawn from any moment on shows the same heart; a median beat has one start
        start_s=(0.0, 10.0 if rhythm else 0.0),
        simultaneous_share=0.0,
        speed=(0.97, 1.03),
        gain=(0.9 * gain, 1.1 * gain),
        zoom=(0.97, 1.0),
        shift_mm=3.0,
        line_mm=(LINE_MM, 1.3 * LINE_MM),
        hide_share=0.0,
        ink=(0.0, 0.0),
        paper=(255.0, 255.0),
        grid_share=0.0,
        text_share=0.0,
        noise=(0.0, 0.0),
    )


def draw(ecg: ECG, view: View, size: Size) -> Rendered:
    """Return one picture of a recording."""
    return apply_view(drawn_signal(ecg, view.layout), FS, view, size)


def stack(pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """Return grey pictures as network input, (n, 1, H, W) float32; ink is positive.

    The lightest grey of each picture is its paper, so that grey paper and white paper are the same.
    """
    x = np.stack(pictures).astype(np.float32)
    paper = x.max(axis=(1, 2), keepdims=True)
    ink = (paper - x) / np.maximum(paper, 1.0)
    scaled: npt.NDArray[np.float32] = ((ink - INK_MEAN) / INK_SD)[:, None]
    return scaled
