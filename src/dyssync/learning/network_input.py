"""From recordings to the pictures a network sees.

A signal is drawn; a user's own picture is evened out and fitted. Training pictures differ at every
step, pictures to predict from do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from dyssync.arrays import Bytes, Singles
from dyssync.ecg import ECG, LEADS, Signal
from dyssync.errors import ConfigError, InputError, check_choice, check_range
from dyssync.image import ECGImage, Input
from dyssync.keeping import kept
from dyssync.layouts import LAYOUTS, TILE_CENTRE_SHARE, SignalSource
from dyssync.measurements.waveforms import BAND, FS, qrs_centre
from dyssync.pages.evening import clean_picture, prepare_picture
from dyssync.rendering import Rendered, View, ViewConfig, apply_view, draw_view
from dyssync.rendering.rendered import Picture
from dyssync.rendering.view import LINE_MM
from dyssync.rendering.wear import MAX_SEVERITY, apply_wear, draw_wear
from dyssync.signals.beats import median_beat
from dyssync.signals.filtering import bandpass, resample

INK_MEAN, INK_SD = 0.07, 0.2  # of a neutral 3x4 page of 160 x 128 px; brings the input near N(0, 1)

SAME, MIXED, PLAIN = "same", "mixed", "plain"
PAPERS = (PLAIN, MIXED)
HANDLING = 1.0  # severity; no two scans of one page lie alike, even where no wear is asked for

Size = tuple[int, int]


@dataclass(frozen=True)
class PictureConfig:
    """What pictures a network learns from, and which it is asked with.

    Attributes:
        size: height and width, px; the page keeps its aspect ratio inside.
        layout: in which signals are drawn at prediction.
        gain: times the layout's.
        training_layouts: "same" as `layout`; "mixed", half of the pictures in `layout` and half in
            all others that show the same kind of signal; or names with commas between.
        papers: "plain", black on white; "mixed", also with grids, names, grey paper, pale ink and
            noise.
        wear: largest severity of the wear of training pictures, 0-5; each has its own.
        augment: training pictures differ at each step; else they are those of prediction.

    Raises:
        ConfigError: on construction, when a name is unknown or a number out of range.
    """

    size: Size
    layout: str = "3x4+II"
    gain: float = 1.0
    training_layouts: str = SAME
    papers: str = PLAIN
    wear: float = 0.0
    augment: bool = True

    def __post_init__(self) -> None:
        check_choice("papers", self.papers, PAPERS)
        check_range("wear", self.wear, 0.0, MAX_SEVERITY)
        sources = {LAYOUTS[name].source for name in (self.layout, *self.layouts)}
        if len(sources) > 1:
            raise ConfigError(
                f"training_layouts {self.training_layouts} and layout {self.layout} show different "
                "signals (rhythm, median beat); choose layouts of one kind"
            )

    @property
    def layouts(self) -> tuple[str, ...]:
        """Return the layouts that training pictures are drawn in, one as often as it stands."""
        if self.training_layouts == SAME:
            return (self.layout,)
        if self.training_layouts == MIXED:
            return all_layouts(self.layout)
        return tuple(name.strip() for name in self.training_layouts.split(","))

    @cached_property
    def views(self) -> ViewConfig:
        """What training views are drawn from."""
        return training_views(self.layouts, self.gain, self.papers)


def all_layouts(layout: str) -> tuple[str, ...]:
    """Return all layouts of the same kind of signal, half of the places held by `layout` itself."""
    source = LAYOUTS[layout].source
    others = tuple(n for n in LAYOUTS if LAYOUTS[n].source == source and n != layout)
    return (layout,) * max(1, len(others)) + others


def drawn_signal(ecg: ECG, layout: str) -> Signal:
    """Return what a layout draws of a recording, (12, n) float32 mV at :data:`FS`.

    NaN, an empty page, where the layout shows the median beat and no heart beat is found: the
    measurements of such a recording are missing as well, and it must not end a study.
    """
    held = LAYOUTS[layout]
    return _drawn(ecg, held.source, held.seconds if held.source == "median-beat" else 0.0)


@kept(most=5_000)
def _drawn(ecg: ECG, source: SignalSource, seconds: float) -> Signal:
    signal = bandpass(resample(ecg.signal, ecg.fs, FS), FS, *BAND)
    if source == "rhythm":
        return signal
    try:
        beat = median_beat(signal, FS, before_s=seconds, after_s=seconds)
    except InputError:
        return np.full((len(LEADS), round(seconds * FS)), np.nan, np.float32)
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


def training_views(layouts: tuple[str, ...], gain: float, papers: str) -> ViewConfig:
    """Return what training pictures are drawn from; "mixed" papers have the look of real ones."""
    views = plain_views(layouts, gain)
    if papers == PLAIN:
        return views
    look = ViewConfig()
    return replace(
        views, ink=look.ink, paper=look.paper, grid_share=look.grid_share, grid=look.grid,
        text_share=look.text_share, noise=look.noise, line_mm=look.line_mm,
    )  # fmt: skip


def training_picture(x: Input, config: PictureConfig, rng: np.random.Generator) -> Picture:
    """Return a fresh picture of a recording, or a freshly handled one of a user's picture."""
    if not config.augment:
        return asked_pictures(x, config, 1)[0]
    if isinstance(x, ECGImage):
        return clean_picture(_worn(fitted(x, config.size), config.wear or HANDLING, rng))
    view = draw_view(rng, config.views)
    return drawn_picture(drawn_signal(x, view.layout), view, config, rng)


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
    """Return the pictures to predict from: up to `n` moments of a signal, or the user's picture."""
    if isinstance(x, ECGImage):
        return [fitted(x, config.size)]
    views = neutral_views(config.layout, n, config.gain)
    return [draw(x, view, config.size).image for view in views]


@kept(most=5_000)
def fitted(image: ECGImage, size: Size) -> Picture:
    """Return a user's picture as a network sees it, (height, width) uint8."""
    return prepare_picture(image.pixels, size)


def draw(ecg: ECG, view: View, size: Size) -> Rendered:
    """Return one picture of a recording."""
    return apply_view(drawn_signal(ecg, view.layout), FS, view, size)


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
