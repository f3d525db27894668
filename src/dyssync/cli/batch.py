"""What the verbs on many files do alike: each file for itself, on all cores, failures listed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer

from dyssync.cli.exits import Exit
from dyssync.cli.terminal import say
from dyssync.errors import FAULTS, InputError, told_fault
from dyssync.whole import UnwritableError

R = TypeVar("R")

TOGETHER = 8  # files that a worker gets at a time; writing WFDB takes two milliseconds

Workers: TypeAlias = Annotated[
    int | None,
    typer.Option("--workers", help="Processes. Default: all cores, where that pays.", min=1),
]


@dataclass(frozen=True)
class Job:
    """A file of a batch.

    Attributes:
        path: of the file.
        name: as :func:`dyssync.cli.paths.names_of` calls it.
        target: where its result goes; of verbs that write a file for each.
    """

    path: Path
    name: str
    target: Path | None = None


@dataclass(frozen=True)
class Failure:
    """A file of a batch that gave nothing, and why.

    Attributes:
        name: of its job.
        problem: the reason, one line, beginning with the name.
    """

    name: str
    problem: str


def outcomes(
    work: Callable[[Job], R], jobs: Sequence[Job], workers: int | None
) -> Iterator[R | Failure]:
    """Yield what each job gave, in their order; one that fails does not stop the others.

    Args:
        work: what it raises of :data:`~dyssync.errors.FAULTS` is the failure of that file;
            picklable.
        jobs: the files.
        workers: processes; None takes all cores where that pays.
    """
    from dyssync.workers import each_for_itself, workers_for

    many = workers_for(jobs, workers)
    return each_for_itself(partial(_alone, work), jobs, _lost, workers=many, together=TOGETHER)


@contextmanager
def to_its_end(results: Iterator[R]) -> Iterator[Iterator[R]]:
    """Yield the results of a batch; end its processes when the block ends, whatever ended it."""
    try:
        yield results
    finally:
        if isinstance(results, Generator):
            results.close()


def _alone(work: Callable[[Job], R], job: Job) -> R | Failure:
    try:
        return work(job)
    except UnwritableError:  # it would be the same with all others
        raise
    except (InputError, OSError) as error:
        # with its folder, where others of the batch have the same name
        return Failure(job.name, f"{job.name}: {str(error).removeprefix(f'{job.path.name}: ')}")
    except FAULTS as error:
        return Failure(job.name, f"{job.name}: {told_fault(error)}")


def _lost(job: Job) -> Failure:
    return Failure(job.name, f"{job.name}: the process that read it was ended by the system")


def report_failures(done: int, failed: Sequence[Failure], what: str) -> Exit:
    """List on stderr what failed, then the counts of several; return the exit code of the batch."""
    for entry in failed:
        say(f"error: {' '.join(entry.problem.splitlines())}", file=sys.stderr)
    if not failed:
        return Exit.DONE
    if done + len(failed) > 1:
        say(f"{done} {what}, {len(failed)} failed", file=sys.stderr)
    return Exit.SOME_FAILED if done else Exit.INPUT
