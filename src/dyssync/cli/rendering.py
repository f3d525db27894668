"""`dyssync render`, and the page that `dyssync inspect` draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.paths import (
    Failure,
    Files,
    Force,
    Fs,
    Unit,
    check_free,
    failure,
    gather,
    make_folder,
    names_of,
    report_failures,
    target_paths,
    whole,
)
from dyssync.cli.progress import reading_bar

if TYPE_CHECKING:
    from dyssync.ecg import ECG, Signal
    from dyssync.layouts import Layout
    from dyssync.rendering import PageOptions

KINDS = ("png", "svg", "pdf")
LAYOUT, STYLE, DPI = "3x4+II", "red", 200.0


def render(
    files: Files,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pages.")],
    layout: Annotated[
        str, typer.Option(help="Arrangement of the leads; names: dyssync list layouts.")
    ] = LAYOUT,
    style: Annotated[
        str, typer.Option(help="Look of the paper: red, pink, plain, grey...")
    ] = STYLE,
    kind: Annotated[str, typer.Option("--format", help="png, svg or pdf.")] = "png",
    dpi: Annotated[float, typer.Option(help="Resolution of png, 20 to 1200.")] = DPI,
    speed: Annotated[
        float | None, typer.Option(help="Paper speed, mm/s. Default: the layout's, mostly 25.")
    ] = None,
    gain: Annotated[float | None, typer.Option(help="mm/mV. Default: 10.")] = None,
    start: Annotated[float, typer.Option(help="Where the page starts in the recording, s.")] = 0.0,
    fs: Fs = None,
    unit: Unit = None,
    force: Force = False,
) -> int:
    """Draw ECGs as pages on millimetre paper, true to scale when printed at 100 %.

    Example: dyssync render ecgs/ --layout 3x4+II --format pdf --out pages

    Each lead is moved so that its median is on its line; nothing is filtered. Recordings that are
    longer than the page are cut, see --start.

    Exit code 0: all drawn; 3: some files failed (listed, the others are drawn); 2: none.
    """
    from dyssync.errors import InputError
    from dyssync.formats import ReadOptions, read_ecg
    from dyssync.rendering import PageOptions

    options = ReadOptions(fs=fs, unit=unit)
    page = PageKind(layout, style, kind, dpi)
    plan = PageOptions(start_s=start, speed_mm_s=speed, limb_gain_mm_mv=gain, chest_gain_mm_mv=gain)
    paths = gather(files)
    names = names_of(paths)
    targets = target_paths(names, out, f".{kind}")
    check_free(targets, force=force, inputs=paths)
    make_folder(out)
    failed: list[Failure] = []
    with reading_bar("drawing") as bar:
        for path, name, target in bar.track(list(zip(paths, names, targets, strict=True))):
            try:
                ecg = read_ecg(path, options)
                data = page.draw(ecg, replace(plan, header=page_header(ecg)))
            except InputError as error:
                failed.append(failure(name, path, str(error)))
                continue
            with whole(target) as part:
                part.write_bytes(data)
    done = len(paths) - len(failed)
    if done:
        print(targets[0] if len(paths) == 1 else out)
    return report_failures(done, failed, "drawn")


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

    def draw(self, ecg: ECG, options: PageOptions) -> bytes:
        """Return the page as the bytes of a file.

        Raises:
            FormatError: the recording ends before the page starts.
            InputError: the layout shows the typical beat and there is none.
        """
        from dyssync.layouts import LAYOUTS
        from dyssync.rendering import encode_png, render_page, render_pdf, render_svg

        layout = LAYOUTS[self.layout]
        signal, fs = _drawn(ecg, layout, options)
        if self.kind == "svg":
            return render_svg(signal, fs, layout, style=self.style, options=options).encode()
        if self.kind == "pdf":
            return render_pdf(signal, fs, layout, style=self.style, options=options)
        page = render_page(signal, fs, layout, dpi=self.dpi, style=self.style, options=options)
        return encode_png(page)


def _drawn(ecg: ECG, layout: Layout, options: PageOptions) -> tuple[Signal, float]:
    """Return what a layout shows, (12, n) mV, and its rate: the recording, or the typical beat."""
    import numpy as np

    from dyssync.errors import FormatError
    from dyssync.layouts import TILE_CENTRE_SHARE
    from dyssync.measurements.heartbeat import heartbeat

    if layout.source == "rhythm":
        if options.start_s >= ecg.seconds:
            raise FormatError(
                f"{ecg.source.name}: {ecg.seconds:.1f} s of signal, the page starts at "
                f"{options.start_s:g} s; lower --start"
            )
        return ecg.signal - np.median(ecg.signal, axis=1, keepdims=True), ecg.fs
    beat = heartbeat(ecg)
    centre = (beat.marks.qrs_on + beat.marks.qrs_off) / 2
    start = max(0, round(centre - TILE_CENTRE_SHARE * layout.seconds * beat.fs))
    stop = start + round(layout.seconds * beat.fs)
    return beat.signal[:, start:stop].astype(np.float32), beat.fs


def page_header(ecg: ECG) -> tuple[str, ...]:
    """Return the lines on top of a page: file, recording, person; no identifiers."""
    return (ecg.source.name, "   ".join([recording_line(ecg), *person_line(ecg)]))


def recording_line(ecg: ECG) -> str:
    """Return duration and rate in words."""
    return f"{ecg.seconds:.1f} s at {ecg.fs:g} Hz"


def person_line(ecg: ECG) -> list[str]:
    """Return age, sex and time of recording, those that are known."""
    known = [] if ecg.age is None else [f"{ecg.age:g} years"]
    known += [] if ecg.sex is None else ["female" if ecg.sex == "F" else "male"]
    return known + ([] if ecg.recorded_at is None else [f"{ecg.recorded_at:%Y-%m-%d %H:%M}"])
