"""`dyssync render`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

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
from dyssync.inspection.page import DPI, LAYOUT, STYLE, PageKind, page_header


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
