"""From recordings to the pictures a network sees.

A signal is drawn; a user's own picture is evened out and fitted, or what was read off it is drawn,
where a layout shows the median beat. Training pictures differ at every
step, pictures to predict from do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from dyssync.arrays import Bytes, Singles
from dyssync.ecg import ECG, LEADS, Signal
from dyssync.errors import InputError
from dyssync.image import ECGImage, Input, ecg_of
from dyssync.keeping import kept
from dyssync.layouts import LAYOUTS, TILE_CENTRE_SHARE, SignalSource
from dyssync.learning.picture_config import MIXED, PictureConfig, Size
from dyssync.measurements.waveforms import BAND, FS, qrs_centre
from dyssync.pages.evening import clean_picture, prepare_picture
from dyssync.rendering import Rendered, View, apply_view, draw_view
from dyssync.rendering.rendered import Picture
from dyssync.rendering.wear import apply_wear, draw_wear
from dyssync.signals.beats import median_beat
from dyssync.signals.filtering import bandpass, resample

INK_MEAN, INK_SD = 0.07, 0.2  # of a neutral 3x4 page of 160 x 128 px; brings the input near N(0, 1)
HANDLING = 1.0  # severity; no two scans of one page lie alike, even where no wear is asked for


def shown(x: Input, layout: str) -> Input | None:
    """Return what a network of a layout is shown of a recording.

    Returns:
        The signal; a user's picture of a page itself; where the layout shows the median beat, the
        signal that was read off that picture, None where none was.
    """
    return ecg_of(x) if LAYOUTS[layout].source == "median-beat" else x


def drawn_signal(ecg: ECG, layout: str) -> Signal:
    """Return what a layout draws of a recording, (12, n) float32 mV at :data:`FS`.

    For networks only: filtered and brought to one rate, so that they see the heart and not the
    recorder. A page for people shows the recording as it is, and the typical beat with the marks
    that measurements are taken at: `dyssync.inspection`, behind `dyssync render`.

    NaN, an empty page, where the layout shows the median beat and no heart beat is found: the
    measurements of such a recording are missing as well, and it must not end a study.
    """
    held = LAYOUTS[layout]
    return _drawn(ecg, held.source, held.seconds if held.source == "median-beat" else 0.0)


@kept(most=5_000)
def _drawn(ecg: ECG, source: SignalSource, seconds: float) -> Signal:
    signal = rhythm_signal(ecg)
    return signal if source == "rhythm" else beat_panel(signal, seconds)


def rhythm_signal(ecg: ECG) -> Signal:
    """Return the recording filtered to `BAND` and brought to :data:`FS`, (12, n) float32 mV."""
    return bandpass(resample(ecg.signal, ecg.fs, FS), FS, *BAND)


def beat_panel(signal: Signal, seconds: float) -> Signal:
    """Return the median beat as a panel of `seconds` shows it, (12, n) float32 mV at :data:`FS`.

    Args:
        signal: of :func:`rhythm_signal`.
        seconds: width of the panel; the middle of the QRS stands at `TILE_CENTRE_SHARE` of it.

    Returns:
        NaN where no heart beat is found.
    """
    try:
        beat = median_beat(signal, FS, before_s=seconds, after_s=seconds)
    except InputError:
        return np.full((len(LEADS), round(seconds * FS)), np.nan, np.float32)
    start = qrs_centre(beat) - centre_of_panel(seconds)
    return beat.signal[:, start : start + round(seconds * FS)]


def centre_of_panel(seconds: float) -> int:
    """Return the sample of a :func:`beat_panel` in which the middle of the QRS stands."""
    return round(TILE_CENTRE_SHARE * seconds * FS)


def neutral_views(layout: str, n: int, gain: float) -> list[View]:
    """Return views that differ only in where the recording starts; one for the median beat."""
    view = View(layout=layout, limb_gain=gain, chest_gain=gain)
    if LAYOUTS[layout].source == "median-beat":
        return [view]
    return [replace(view, start_s=LAYOUTS[layout].seconds * k / n) for k in range(n)]


def training_picture(x: Input, config: PictureConfig, rng: np.random.Generator) -> Picture:
    """Return a fresh picture of a recording, or a freshly handled one of a user's picture."""
    if not config.augment:
        return asked_pictures(x, config, 1)[0]
    given = shown(x, config.layout)
    assert given is not None, "no fit is given what its layout shows nothing of"
    if isinstance(given, ECGImage):
        return clean_picture(_worn(fitted(given, config.size), config.wear or HANDLING, rng))
    view = draw_view(rng, config.views)
    return drawn_picture(drawn_signal(given, view.layout), view, config, rng)


def drawn_picture(
    signal: Signal, view: View, config: PictureConfig, rng: np.random.Generator
) -> Picture:
    """Return the training picture of a view of a signal, (12, n) float32 mV at :data:`FS`."""
    image = apply_view(signal, FS, view, config.size).image
    if config.wear:
        image = _worn(image, config.wear, rng)
    # what is not black on white is evened out, as a user's own picture will be
    return clean_picture(image) if config.wear or config.papers == MIXED else image


def _worn(image: Picture, most: float, rng: np.random.Generator) -> Picture:
    severity = float(rng.uniform(0.0, most))
    return apply_wear(Rendered(image), draw_wear(rng, severity)).image


def asked_pictures(x: Input, config: PictureConfig, n: int) -> list[Picture]:
    """Return the pictures to predict from: up to `n` moments of a signal, or the user's picture.

    An empty one where nothing can be shown.
    """
    given = shown(x, config.layout)
    if given is None:
        return [_empty(config.layout, config.gain, config.size)]
    if isinstance(given, ECGImage):
        return [fitted(given, config.size)]
    return list(_neutral(given, config.layout, config.gain, config.size, n))


def _empty(layout: str, gain: float, size: Size) -> Picture:
    nothing = np.full((len(LEADS), round(LAYOUTS[layout].seconds * FS)), np.nan, np.float32)
    return apply_view(nothing, FS, neutral_views(layout, 1, gain)[0], size).image


@kept(most=512)  # validation parts of 2,500 patients; three of 224 x 224 px have 150 kB
def _neutral(ecg: ECG, layout: str, gain: float, size: Size, n: int) -> tuple[Picture, ...]:
    """Return the pictures that all networks of one layout, gain and size are asked with."""
    signal, views = drawn_signal(ecg, layout), neutral_views(layout, n, gain)
    return tuple(apply_view(signal, FS, view, size).image for view in views)


@kept(most=5_000)
def fitted(image: ECGImage, size: Size) -> Picture:
    """Return a user's picture as a network sees it, (height, width) uint8."""
    return prepare_picture(image.pixels, size)


def stack(pictures: Sequence[Bytes]) -> Singles:
    """Return grey pictures as network input, (n, 1, H, W) float32; ink is positive.

    The lightest grey of each picture is its paper, so that grey paper and white paper are the same.
    """
    height, width = pictures[0].shape
    x = np.empty((len(pictures), 1, height, width), np.float32)
    grey = np.arange(256, dtype=np.float32)
    for row, picture in zip(x, pictures, strict=True):
        paper = np.float32(picture.max())
        # a table of 256 numbers instead of arithmetic on every pixel
        row[0] = cv2.LUT(picture, ((paper - grey) / max(paper, np.float32(1)) - INK_MEAN) / INK_SD)
    return x
