"""A table of fits that grows row by row: a killed run goes on, and ends with the same bytes."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from contextvars import Context, copy_context
from dataclasses import astuple, dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path

from dyssync.endings import end_with_parent
from dyssync.errors import InputError
from dyssync.keeping import keeping
from dyssync.whole import make_folder, write_text
from dyssync.workers import ENDED, OnProgress, WorkerEnded, chosen_engine, pool, unwatched


@dataclass(frozen=True, order=True)
class Fit:
    """Which model is fitted to whom.

    Attributes:
        cohort: name of the patients.
        labels: "own", or "shuffled" among all patients, test part and all.
        model: name.
        encoder: name of the pretrained encoder that it starts from; "" for none.
        digest: of the encoder's weights, the first digits; "" for none.
        patients: that it learns from.
        draw: number of the draw or split.
    """

    cohort: str
    labels: str
    model: str
    encoder: str
    digest: str
    patients: int
    draw: int


@dataclass(frozen=True)
class Score:
    """What a fit is worth on patients that it has not seen.

    Attributes:
        tested: how many they are.
        auroc: 0-1.
        accuracy: 0-1, of yes from probability .5 on.
        ppv: 0-1, likewise; NaN where nobody gets a yes.
    """

    tested: int
    auroc: float
    accuracy: float
    ppv: float


Work = Callable[[Fit], Score]
COLUMNS = tuple(f.name for f in (*fields(Fit), *fields(Score)))


def go_through(
    fits: Sequence[Fit],
    make: Callable[[], Work],
    path: Path,
    *,
    workers: int = 1,
    on_progress: OnProgress = unwatched,
) -> None:
    """Do the fits that the table does not hold yet; each adds its row as soon as it is done.

    At the end the rows are in order, whatever was done first. One run at a time may use a table.

    Args:
        fits: that are asked for. Rows of the same fit with an encoder of the same name and other
            weights are dropped.
        make: returns what does one. Called once, here; or, picklable, in each process of another
            engine, which keeps what is computed of a recording.
        path: the table, CSV; made where it is missing. Rows of other fits stay.
        workers: processes, forked, so that they share what was made; 1 works in this one.
        on_progress: called with how many fits are done now, of how many.

    Raises:
        InputError: the table is of another kind or cannot be written.
    """
    held = _without_stale(read_scores(path), fits)
    make_folder(path.parent)
    write_scores(path, held)  # without the line that a killed run tore
    left = [fit for fit in fits if fit not in held]
    with path.open("a", encoding="utf-8", newline="") as table:
        for done, (fit, score) in enumerate(_results(left, make, workers), 1):
            held[fit] = score
            table.write(_line(fit, score))
            table.flush()
            os.fsync(table.fileno())
            on_progress(done, len(left))
    write_scores(path, held)


def left_to_do(fits: Iterable[Fit], path: Path) -> list[Fit]:
    """Return the fits that the table does not hold yet."""
    held = read_scores(path)
    return [fit for fit in fits if fit not in held]


def read_scores(path: Path) -> dict[Fit, Score]:
    """Return the whole rows of a table; none of one that is not there.

    Raises:
        InputError: it has other columns.
    """
    if not path.is_file():
        return {}
    first, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
    if first.strip() != ",".join(COLUMNS):
        raise InputError(f"{path.name}: no table of fits; name another file")
    whole = [line for line in lines if line.endswith("\n")]
    return dict(map(_parsed, csv.reader(whole)))


def write_scores(path: Path, scores: Mapping[Fit, Score]) -> None:
    """Write a table in the order of the fits, whole or not at all."""
    rows = (_line(fit, scores[fit]) for fit in sorted(scores))
    write_text(path, "".join([",".join(COLUMNS) + "\n", *rows]))


def _parsed(cells: Sequence[str]) -> tuple[Fit, Score]:
    cohort, labels, model, encoder, digest, patients, draw, tested, *values = cells
    fit = Fit(cohort, labels, model, encoder, digest, int(patients), int(draw))
    return fit, Score(int(tested), *map(float, values))


def _line(fit: Fit, score: Score) -> str:
    text = io.StringIO()
    # the shortest digits that give the same number back
    csv.writer(text, lineterminator="\n").writerow([*astuple(fit), *astuple(score)])
    return text.getvalue()


def _without_stale(held: Mapping[Fit, Score], fits: Iterable[Fit]) -> dict[Fit, Score]:
    """Leave out what was measured with earlier weights of an encoder that is asked for."""
    digests = {replace(fit, digest=""): fit.digest for fit in fits}
    return {
        fit: score
        for fit, score in held.items()
        if digests.get(replace(fit, digest=""), fit.digest) == fit.digest
    }


_work: Work  # of the forked processes


def _results(
    fits: Sequence[Fit], make: Callable[[], Work], workers: int
) -> Iterator[tuple[Fit, Score]]:
    global _work
    if chosen_engine().elsewhere:
        yield from _from_elsewhere(fits, make, workers)
        return
    work = make()
    if workers == 1:
        yield from ((fit, work(fit)) for fit in fits)
        return
    _work = work
    forked = ProcessPoolExecutor(workers, get_context("fork"), _begin)
    try:
        for future in as_completed([forked.submit(_do, fit) for fit in fits]):
            yield future.result()
    except BrokenProcessPool as error:
        raise WorkerEnded(ENDED) from error
    finally:
        forked.shutdown(cancel_futures=True)


def _from_elsewhere(
    fits: Sequence[Fit], make: Callable[[], Work], workers: int
) -> Iterator[tuple[Fit, Score]]:
    with pool(workers, _begin_elsewhere, make) as there:
        open_calls = [there.submit(_do_elsewhere, fit) for fit in fits]
        while open_calls:
            for call in there.wait(open_calls):
                open_calls.remove(call)
                yield there.result(call)


_kept_in: Context  # of a process elsewhere: who keeps what is computed of recordings
_owner = ExitStack()


def _begin_elsewhere(make: Callable[[], Work]) -> None:
    global _kept_in
    use_one_torch_thread()
    _kept_in = copy_context()
    _kept_in.run(_make_and_keep, make)


def _make_and_keep(make: Callable[[], Work]) -> None:
    global _work
    _owner.enter_context(keeping())  # as long as the process lives
    _work = make()


def _do_elsewhere(fit: Fit) -> tuple[Fit, Score]:
    return _kept_in.run(_do, fit)


def _begin() -> None:
    end_with_parent()
    use_one_torch_thread()


def _do(fit: Fit) -> tuple[Fit, Score]:
    return fit, _work(fit)


def use_one_torch_thread() -> None:
    """Let this process train as a worker of a study does."""
    import torch

    torch.set_num_threads(1)
