"""Do the tasks of a study on several workers, in the order of their needs.

Each worker computes with one thread: two single-threaded fits side by side are faster than one with
two threads (69 against 59 pictures a second on 2 cores), and the numbers do not depend on how many
processes there are. What a worker has measured and drawn is its own, and goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from dyssync.keeping import keeping
from dyssync.models import MODELS
from dyssync.models.protocols import TakesPictures
from dyssync.study.plan import Material, Task
from dyssync.study.tasks import do_task, is_done
from dyssync.workers import (
    OnProgress,
    Pool,
    Tell,
    Ticket,
    WorkerEnded,
    all_workers,
    chosen_engine,
    hearing,
    pool,
)

_owned = ExitStack()  # of a worker: what it keeps
_material: Material | None = None
_tell: Tell | None = None


def default_workers() -> int:
    """Return how many workers to use: all; one where they are processes here that share a GPU."""
    if chosen_engine().elsewhere:
        return all_workers()
    import torch

    return 1 if torch.cuda.is_available() else all_workers()


def run_tasks(
    tasks: Sequence[Task], material: Material, workers: int, working: Callable[[str], OnProgress]
) -> None:
    """Do all tasks that are not done yet.

    Args:
        tasks: in any order.
        material: what they work on.
        workers: at most.
        working: gives, for the key of a task, what is told how far it is.

    Raises:
        InputError: a task found the input unusable, or the system ended a worker too often; tasks
            that were finished stay.
    """
    open_tasks = []
    for task in tasks:
        if is_done(task, material):
            working(task.key)(1, 1)
        else:
            open_tasks.append(task)
    if not open_tasks:
        return
    try:
        with (
            hearing(partial(_hear, working)) as tell,
            pool(workers, _begin_worker, material, tell) as held,
        ):
            _feed(held, open_tasks, {t.key for t in tasks} - {t.key for t in open_tasks})
    except WorkerEnded as error:
        raise WorkerEnded(f"{error}. The same command goes on where it was") from error


def _feed(held: Pool, waiting: list[Task], done: set[str]) -> None:
    """Submit tasks as soon as what they need is done."""
    waiting = list(waiting)
    running: list[Ticket[str]] = []
    while waiting or running:
        ready = [task for task in waiting if done.issuperset(task.needs)]
        for task in ready:
            waiting.remove(task)
            running.append(held.submit(_work, task, gpu=_learns_network(task)))
        for ticket in held.wait(running):
            running.remove(ticket)
            done.add(held.result(ticket))


def _learns_network(task: Task) -> bool:
    return isinstance(MODELS[task.model](), TakesPictures)


def _hear(working: Callable[[str], OnProgress], said: tuple[str, int, int]) -> None:
    key, done, of = said
    working(key)(done, of)


def _begin_worker(material: Material, tell: Tell) -> None:
    global _material, _tell
    _material, _tell = material, tell
    _owned.enter_context(keeping())
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def _work(task: Task) -> str:
    assert _material is not None
    assert _tell is not None
    do_task(task, _material, partial(_say, _tell, task.key))
    _say(_tell, task.key, 1, 1)
    return task.key


def _say(tell: Tell, key: str, done: int, of: int) -> None:
    tell((key, done, of))
