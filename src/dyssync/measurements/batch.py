"""Measure any number of files on all cores: results as they come, bad files listed, memory flat."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from dyssync.errors import InputError
from dyssync.formats import read_ecg
from dyssync.measurements.heartbeat import NOTCH_MV
from dyssync.measurements.measurement import Measurements, measure
from dyssync.workers import available_cores

WAITING = 4  # files a worker that are handed out ahead; bounds memory, keeps every core busy


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


def measure_file(path: Path, notch_mv: float = NOTCH_MV) -> Measured:
    """Read and measure one file; a file that is no ECG becomes a reason, not an exception."""
    try:
        return Measured(path, measure(read_ecg(path), notch_mv=notch_mv))
    except (InputError, OSError) as error:
        return Measured(path, None, str(error))


def measure_files(
    paths: Iterable[Path], *, workers: int | None = None, notch_mv: float = NOTCH_MV
) -> Iterator[Measured]:
    """Yield the outcome of each file, in the order of `paths`.

    Args:
        paths: any number; a generator is drawn from only as results are taken.
        workers: processes; None takes one a core, 1 works in this process.
        notch_mv: least depth of a notch, mV.
    """
    n_workers = available_cores() if workers is None else workers
    if n_workers <= 1:
        yield from (measure_file(path, notch_mv) for path in paths)
        return
    source = iter(paths)
    # spawn: a forked copy of threads that a library holds can hang
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
        pending: deque[Future[Measured]] = deque(
            pool.submit(measure_file, path, notch_mv)
            for path in islice(source, WAITING * n_workers)
        )
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(measure_file, path, notch_mv) for path in islice(source, 1))
