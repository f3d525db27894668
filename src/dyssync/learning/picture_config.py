"""What the pictures of a network look like, as data: size, layouts, papers, wear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dyssync.errors import ConfigError, check_choice, check_range
from dyssync.layouts import LAYOUTS, SignalSource
from dyssync.rendering import ViewConfig
from dyssync.rendering.view import LINE_MM
from dyssync.rendering.wear import MAX_SEVERITY

SAME, MIXED, PLAIN = "same", "mixed", "plain"
PAPERS = (PLAIN, MIXED)

# Which layouts "mixed" stands for, by kind of signal. Written out, not all that the registry holds:
# a layout that is added tomorrow, or by a plug-in, must not change what a training of today draws.
MIXES: Mapping[SignalSource, tuple[str, ...]] = {
    "rhythm": (
        "3x4", "3x4+II", "3x4+3R", "3x4-simultaneous", "3x4-cabrera", "4x3", "6x2", "6x2+II",
        "6x2-cabrera", "12x1", "12x1-cabrera",
    ),
    "median-beat": ("tiles", "tiles-qrs"),
}  # fmt: skip

Size = tuple[int, int]


@dataclass(frozen=True)
class PictureConfig:
    """What pictures a network learns from, and which it is asked with.

    Attributes:
        size: height and width, px; the page keeps its aspect ratio inside.
        layout: in which signals are drawn at prediction.
        gain: times the layout's.
        training_layouts: names of the layouts that training pictures are drawn in, one as often as
            it stands (:func:`named_layouts`); empty for `layout` alone.
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
    training_layouts: tuple[str, ...] = ()
    papers: str = PLAIN
    wear: float = 0.0
    augment: bool = True

    def __post_init__(self) -> None:
        check_choice("papers", self.papers, PAPERS)
        check_range("wear", self.wear, 0.0, MAX_SEVERITY)
        check_range("gain", self.gain, 0.1, 10.0)
        sources = {LAYOUTS[name].source for name in (self.layout, *self.training_layouts)}
        if len(sources) > 1:
            shown = ", ".join(dict.fromkeys(self.training_layouts))
            raise ConfigError(
                f"training_layouts {shown} and layout {self.layout} show different "
                "signals (rhythm, median beat); choose layouts of one kind"
            )

    @cached_property
    def views(self) -> ViewConfig:
        """What training views are drawn from."""
        return _training_views(self.training_layouts or (self.layout,), self.gain, self.papers)


def named_layouts(words: str, layout: str) -> tuple[str, ...]:
    """Return the names that a user's word for the training layouts of a model stands for.

    Args:
        words: "same" as `layout`; "mixed", half of the places held by `layout` and half by the
            others of its kind of signal in :data:`MIXES`; or names with commas between.
        layout: of the model.

    Raises:
        ConfigError: `layout` is unknown.
    """
    if words == SAME:
        return (layout,)
    if words == MIXED:
        others = tuple(name for name in MIXES[LAYOUTS[layout].source] if name != layout)
        return (layout,) * max(1, len(others)) + others
    return tuple(name.strip() for name in words.split(","))


def _plain_views(layouts: tuple[str, ...], gain: float) -> ViewConfig:
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


def _training_views(layouts: tuple[str, ...], gain: float, papers: str) -> ViewConfig:
    """Return what training pictures are drawn from; "mixed" papers have the look of real ones."""
    views = _plain_views(layouts, gain)
    if papers == PLAIN:
        return views
    look = ViewConfig()
    return replace(
        views, ink=look.ink, paper=look.paper, grid_share=look.grid_share, grid=look.grid,
        text_share=look.text_share, noise=look.noise, line_mm=look.line_mm,
    )  # fmt: skip
