"""Measure any number of files on all cores: results as they come, bad files listed, memory flat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dyssync.errors import InputError
from dyssync.formats import ReadOptions, read_ecg
from dyssync.formats.reading.recording import AS_STATED
from dyssync.measurements.heartbeat import NOTCH_MV
from dyssync.measurements.measurement import Measurements, measure
from dyssync.workers import available_cores, each


@dataclass(frozen=True)
class Measured:
    """One file's outcome: measurements, or the reason why there are none.

    Attributes:
        path: of the file.
        measurements: None where the file cannot be read.
        problem: the reason; empty where it could be.
    """

    path: Path
    measurements: Measurements | None
    problem: str = ""


def measure_file(
    path: Path, options: ReadOptions = AS_STATED, *, notch_mv: float = NOTCH_MV
) -> Measured:
    """Read and measure one file; a file that is no ECG becomes a reason, not an exception."""
    try:
        return Measured(path, measure(read_ecg(path, options), notch_mv=notch_mv))
    except (InputError, OSError) as error:
        return Measured(path, None, str(error))


def measure_files(
    paths: Iterable[Path],
    options: ReadOptions = AS_STATED,
    *,
    workers: int | None = None,
    notch_mv: float = NOTCH_MV,
) -> Iterator[Measured]:
    """Yield the outcome of each file, in the order of `paths`.

    Args:
        paths: any number; a generator is drawn from only as results are taken.
        options: what the files do not say.
        workers: processes; None takes one a core, 1 works in this process.
        notch_mv: least depth of a notch, mV.

    Raises:
        InputError: the system ended one of the processes.
    """
    work = partial(measure_file, options=options, notch_mv=notch_mv)
    yield from each(work, paths, workers=available_cores() if workers is None else workers)
