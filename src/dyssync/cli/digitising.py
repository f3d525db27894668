"""`dyssync digitise`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.batch import Failure, Job, Workers, outcomes, report_failures, to_its_end
from dyssync.cli.executors import LOCAL, Address, Executor, handing_out
from dyssync.cli.paths import (
    Files,
    Force,
    check_free,
    folder_for_results,
    gather,
    names_of,
    target_paths,
)
from dyssync.cli.progress import reading_bar
from dyssync.cli.terminal import say
from dyssync.whole import write_bytes, write_text

if TYPE_CHECKING:
    from dyssync.pages.digitising.digitised import Digitised, Stated

SUFFIXES = (".csv", ".json", ".png")  # samples, facts, overlay


def digitise(
    files: Files,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for what is read.")],
    layout: Annotated[
        str | None, typer.Option(help="Layout of the pages, if known: dyssync list layouts.")
    ] = None,
    speed: Annotated[float | None, typer.Option(help="Paper speed, mm/s, if known.")] = None,
    gain: Annotated[float | None, typer.Option(help="mm/mV, if known.")] = None,
    page: Annotated[int, typer.Option(help="Page of PDF and TIFF files.", min=1)] = 1,
    workers: Workers = None,
    executor: Executor = LOCAL,
    address: Address = None,
    force: Force = False,
) -> int:
    """Read the ECG off scans, prints and photos of pages, in millivolt, or refuse and say why.

    Example: dyssync digitise scans/ --out signals

    For each page: a table of samples (CSV, a line a sample and lead), what was found out (JSON) and
    the page with the traces that were read drawn over it (PNG): look at it. Columns of a page
    may have been recorded one after the other; nothing is filled up.

    Exit code 0: all read; 3: some pages were refused (listed, the others are read); 2: none.
    """
    from dyssync.pages.digitising.digitised import Stated

    stated = Stated(layout, speed, gain)
    paths = gather(files)
    names = names_of(paths)
    targets = target_paths(names, out, SUFFIXES[0])
    made = [target.with_suffix(suffix) for target in targets for suffix in SUFFIXES]
    check_free(made, force=force, inputs=paths)
    jobs = [Job(*job) for job in zip(paths, names, targets, strict=True)]
    work = partial(_read, stated=stated, page=page)
    with (
        folder_for_results(out),
        handing_out(executor, address, workers),
        to_its_end(outcomes(work, jobs, workers)) as told,
        reading_bar("digitising") as bar,
    ):
        results = list(bar.track(told, total=len(jobs)))
    failed = [result for result in results if isinstance(result, Failure)]
    for job, result in zip(jobs, results, strict=True):
        if isinstance(result, str):
            say(f"{job.name}: {result}")
    return report_failures(len(paths) - len(failed), failed, "read")


def _read(job: Job, stated: Stated, page: int) -> str:
    """Read one page; return one line about it."""
    from dyssync.errors import FormatError
    from dyssync.formats import ReadOptions, read_input
    from dyssync.image import ECGImage
    from dyssync.pages.digitising.digitise import digitise as read_page
    from dyssync.pages.digitising.overlay import draw_overlay
    from dyssync.pages.digitising.writing import facts_json, samples_csv
    from dyssync.rendering import Rendered, encode_png

    image = read_input(job.path, ReadOptions(page=page))
    if not isinstance(image, ECGImage):
        raise FormatError("holds a signal already; a picture of a page is needed")
    read = read_page(image, stated)
    assert job.target is not None
    write_text(job.target, samples_csv(read))
    write_text(job.target.with_suffix(".json"), facts_json(read))
    overlay = Rendered(draw_overlay(image.pixels, read))
    write_bytes(job.target.with_suffix(".png"), encode_png(overlay))
    return _told(read)


def _told(read: Digitised) -> str:
    scale = read.scale
    text = (
        f"{read.layout}, {scale.speed_mm_s:g} mm/s ({scale.speed_from}), "
        f"{scale.gain_mm_mv:g} mm/mV ({scale.gain_from}), quality {read.quality.score:.2f}"
    )
    return "; ".join([text, *read.warnings])
