"""`dyssync render`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.batch import Failure, Job, Workers, outcomes, report_failures, to_its_end
from dyssync.cli.paths import (
    Files,
    Force,
    Fs,
    Unit,
    check_free,
    folder_for_results,
    gather,
    names_of,
    target_paths,
)
from dyssync.cli.progress import reading_bar
from dyssync.cli.terminal import say
from dyssync.inspection.page import DPI, LAYOUT, STYLE, PageKind, page_header
from dyssync.whole import synced_later, write_bytes

if TYPE_CHECKING:
    from dyssync.formats import ReadOptions
    from dyssync.rendering import PageOptions


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
    workers: Workers = None,
    force: Force = False,
) -> int:
    """Draw ECGs as pages on millimetre paper, true to scale when printed at 100 %.

    Example: dyssync render ecgs/ --layout 3x4+II --format pdf --out pages

    Each lead is moved so that its median is on its line; nothing is filtered. Recordings that are
    longer than the page are cut, see --start.

    Exit code 0: all drawn; 3: some files failed (listed, the others are drawn); 2: none.
    """
    from dyssync.formats import ReadOptions
    from dyssync.rendering import PageOptions

    page = PageKind(layout, style, kind, dpi)
    plan = PageOptions(start_s=start, speed_mm_s=speed, limb_gain_mm_mv=gain, chest_gain_mm_mv=gain)
    work = partial(_drawn, options=ReadOptions(fs=fs, unit=unit), page=page, plan=plan)
    paths = gather(files)
    names = names_of(paths)
    targets = target_paths(names, out, f".{kind}")
    check_free(targets, force=force, inputs=paths)
    jobs = [Job(*job) for job in zip(paths, names, targets, strict=True)]
    found = outcomes(work, jobs, workers)
    with folder_for_results(out), to_its_end(found) as results, reading_bar("drawing") as bar:
        told = bar.track(results, total=len(jobs))
        failed = [result for result in told if isinstance(result, Failure)]
    done = len(paths) - len(failed)
    if done:
        say(targets[0] if len(paths) == 1 else out)
    return report_failures(done, failed, "drawn")


def _drawn(job: Job, options: ReadOptions, page: PageKind, plan: PageOptions) -> None:
    """Draw one file."""
    from dyssync.formats import read_ecg

    assert job.target is not None
    ecg = read_ecg(job.path, options)
    with synced_later():  # waiting for the disk takes longer than all else
        write_bytes(job.target, page.draw(ecg, replace(plan, header=page_header(ecg))))
