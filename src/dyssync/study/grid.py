"""Do the tasks of a study on several processes, in the order of their needs.

Each worker computes with one thread: two single-threaded fits side by side are faster than one with
two threads (69 against 59 pictures a second on 2 cores), and the numbers do not depend on how many
processes there are. What a worker has measured and drawn is its own, and goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import ExitStack
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import TypeAlias

from dyssync.keeping import keeping
from dyssync.study.plan import Material, Task
from dyssync.study.tasks import do_task, is_done
from dyssync.workers import OnProgress, WorkerEnded, available_cores, pool

Told: TypeAlias = Connection  # of (key, done, of), and None at the end

_owned = ExitStack()  # of a worker: what it keeps
_material: Material | None = None
_tell: Told | None = None


def default_workers() -> int:
    """Return how many processes to use: the cores this process may use, one with a GPU."""
    import torch

    return 1 if torch.cuda.is_available() else available_cores()


def run_tasks(
    tasks: Sequence[Task], material: Material, workers: int, working: Callable[[str], OnProgress]
) -> None:
    """Do all tasks that are not done yet.

    Args:
        tasks: in any order.
        material: what they work on.
        workers: processes.
        working: gives, for the key of a task, what is told how far it is.

    Raises:
        InputError: a task found the input unusable, or the system ended a worker; tasks that were
            finished stay. And what `working` raises, once all are done.
    """
    open_tasks = []
    for task in tasks:
        if is_done(task, material):
            working(task.key)(1, 1)
        else:
            open_tasks.append(task)
    if not open_tasks:
        return
    # a pipe without a lock: a killed worker could take the lock of a queue with it. What is sent at
    # a time is shorter than what a pipe takes whole
    told, tell = Pipe(duplex=False)
    with told, tell, ThreadPoolExecutor(1) as listener:
        heard = listener.submit(_listen, told, working)
        try:
            with pool(workers, _begin_worker, material, tell) as executor:
                _feed(executor, open_tasks, {t.key for t in tasks} - {t.key for t in open_tasks})
        except WorkerEnded as error:
            raise WorkerEnded(f"{error}. The same command goes on where it was") from error
        finally:
            tell.send(None)
        heard.result()  # raises what `working` did


def _feed(executor: ProcessPoolExecutor, waiting: list[Task], done: set[str]) -> None:
    """Submit tasks as soon as what they need is done."""
    waiting = list(waiting)
    running: dict[Future[str], Task] = {}
    while waiting or running:
        ready = [task for task in waiting if done.issuperset(task.needs)]
        for task in ready:
            waiting.remove(task)
            running[executor.submit(_work, task)] = task
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            del running[future]
            done.add(future.result())


def _listen(told: Told, working: Callable[[str], OnProgress]) -> None:
    message = told.recv()
    try:
        while message is not None:
            key, done, of = message
            working(key)(done, of)
            message = told.recv()
    finally:
        while message is not None:  # workers would wait for ever before a pipe that nobody empties
            message = told.recv()


def _begin_worker(material: Material, tell: Told) -> None:
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


def _say(tell: Told, key: str, done: int, of: int) -> None:
    tell.send((key, done, of))
