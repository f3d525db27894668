"""`dyssync predict --to`: a file for each ECG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dyssync.cli.batch import Failure, Job, outcomes, report_failures, to_its_end
from dyssync.cli.paths import check_free, folder_for_results, target_paths
from dyssync.cli.progress import reading_bar
from dyssync.cli.terminal import say
from dyssync.whole import write_bytes

if TYPE_CHECKING:
    from dyssync.exports import Case
    from dyssync.image import Input
    from dyssync.prediction.bundle import Bundle
    from dyssync.prediction.predictor import Prediction

    Ask: TypeAlias = Callable[[Job], tuple[Input, Prediction]]


def write_exports(
    ask: Ask, bundle: Bundle, jobs: Sequence[Job], to: str, out: Path, *, force: bool
) -> int:
    """Write the answer to each file into a folder; return the exit code.

    Args:
        ask: reads and predicts one.
        bundle: that answers.
        jobs: the files.
        to: name of an export.
        out: folder; made where it is missing.
        force: replace files that are there.

    Raises:
        InputError: the export is unknown, or a file is there already.
    """
    from dyssync.exports import EXPORTS, SUFFIXES

    export = EXPORTS[to]
    targets = target_paths([job.name for job in jobs], out, SUFFIXES[to])
    check_free(targets, force=force, inputs=[job.path for job in jobs])
    aimed = [replace(job, target=target) for job, target in zip(jobs, targets, strict=True)]
    work = partial(_written, ask=ask, bundle=bundle, export=export)
    told = outcomes(work, aimed, workers=1)
    with folder_for_results(out), to_its_end(told) as results, reading_bar("writing") as bar:
        found = list(bar.track(results, total=len(aimed)))
    failed = [one for one in found if isinstance(one, Failure)]
    done = len(found) - len(failed)
    if done:
        say(targets[0] if len(targets) == 1 else out)
    return report_failures(done, failed, "written")


def _written(job: Job, ask: Ask, bundle: Bundle, export: Callable[[Case], bytes]) -> None:
    from dyssync.exports import make_case

    assert job.target is not None
    read, found = ask(job)
    write_bytes(job.target, export(make_case(read, found, bundle, datetime.now(UTC))))
