"""One page of an ECG for people: as PNG, SVG or PDF, with what is known of it on top.

The command line takes its defaults from here before it computes, so what draws loads when it draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyssync.inspection.wording import measured

if TYPE_CHECKING:
    from dyssync.ecg import ECG, Signal
    from dyssync.inspection.findings import Findings
    from dyssync.layouts import Layout
    from dyssync.measurements.heartbeat import Heartbeat
    from dyssync.rendering import PageOptions

KINDS = ("png", "svg", "pdf")
LAYOUT, STYLE, DPI = "3x4+II", "red", 200.0
IN_HEADER = 5  # of what is compared with the recorder


@dataclass(frozen=True)
class PageKind:
    """What a page looks like and which file it becomes; checked when it is made.

    Attributes:
        layout: name of a layout.
        style: name of a paper style.
        kind: "png", "svg" or "pdf".
        dpi: resolution of png.

    Raises:
        ConfigError: a name is unknown, or the picture would be too small or too large.
    """

    layout: str = LAYOUT
    style: str = STYLE
    kind: str = "png"
    dpi: float = DPI

    def __post_init__(self) -> None:
        from dyssync.errors import check_choice, check_range
        from dyssync.layouts import LAYOUTS
        from dyssync.rendering import STYLES
        from dyssync.rendering.geometry import check_size
        from dyssync.rendering.page import DPI_RANGE, MM_PER_INCH

        check_choice("format", self.kind, KINDS)
        check_choice("style", self.style, STYLES)
        width, height = LAYOUTS[self.layout].page_mm
        scale = check_range("dpi", self.dpi, *DPI_RANGE) / MM_PER_INCH
        check_size((round(height * scale), round(width * scale)))

    def draw(self, ecg: ECG, options: PageOptions, beat: Heartbeat | None = None) -> bytes:
        """Return the page as the bytes of a file.

        Args:
            ecg: the recording.
            options: of the page.
            beat: its typical beat, where that is known already.

        Raises:
            FormatError: the recording ends before the page starts.
            InputError: the layout shows the typical beat and there is none.
        """
        from dyssync.layouts import LAYOUTS
        from dyssync.rendering import encode_png, render_page, render_pdf, render_svg

        layout = LAYOUTS[self.layout]
        signal, fs = shown_signal(ecg, layout, options.start_s, beat)
        if self.kind == "svg":
            return render_svg(signal, fs, layout, style=self.style, options=options).encode()
        if self.kind == "pdf":
            return render_pdf(signal, fs, layout, style=self.style, options=options)
        page = render_page(signal, fs, layout, dpi=self.dpi, style=self.style, options=options)
        return encode_png(page)


def shown_signal(
    ecg: ECG, layout: Layout, start_s: float = 0.0, beat: Heartbeat | None = None
) -> tuple[Signal, float]:
    """Return what a layout shows to people, (12, n) mV, and its rate.

    That is the recording, or the beat that is measured, at 500 Hz. What networks see is
    :func:`dyssync.learning.network_input.drawn_signal`: another beat, centred otherwise.

    Raises:
        FormatError: the recording ends before `start_s`.
        InputError: the layout shows the typical beat and there is none.
    """
    import numpy as np

    from dyssync.errors import FormatError
    from dyssync.layouts import TILE_CENTRE_SHARE
    from dyssync.measurements.heartbeat import heartbeat

    if layout.source == "rhythm":
        if start_s >= ecg.seconds:
            raise FormatError(
                f"{ecg.source.name}: {ecg.seconds:.1f} s of signal, the page starts at "
                f"{start_s:g} s; lower --start"
            )
        return ecg.signal - np.median(ecg.signal, axis=1, keepdims=True), ecg.fs
    beat = heartbeat(ecg) if beat is None else beat
    centre = (beat.marks.qrs_on + beat.marks.qrs_off) / 2
    start = max(0, round(centre - TILE_CENTRE_SHARE * layout.seconds * beat.fs))
    stop = start + round(layout.seconds * beat.fs)
    return beat.signal[:, start:stop].astype(np.float32), beat.fs


def page_header(ecg: ECG) -> tuple[str, ...]:
    """Return the lines on top of a page: file, recording, person; no identifiers."""
    return (ecg.source.name, "   ".join([recording_line(ecg), *person_line(ecg)]))


def measured_header(found: Findings) -> tuple[str, ...]:
    """Return the lines on top of a page that was measured, the main measurements last."""
    from dyssync.inspection.findings import COMPARED

    numbers = [
        f"{title} {measured(found.measurements, name)} {unit}"
        for title, unit, name, _ in COMPARED[:IN_HEADER]
    ]
    return (*page_header(found.ecg), "   ".join(numbers))


def recording_line(ecg: ECG) -> str:
    """Return duration and rate in words."""
    return f"{ecg.seconds:.1f} s at {ecg.fs:g} Hz"


def person_line(ecg: ECG) -> list[str]:
    """Return age, sex and time of recording, those that are known."""
    known = [] if ecg.age is None else [f"{ecg.age:g} years"]
    known += [] if ecg.sex is None else ["female" if ecg.sex == "F" else "male"]
    return known + ([] if ecg.recorded_at is None else [f"{ecg.recorded_at:%Y-%m-%d %H:%M}"])
