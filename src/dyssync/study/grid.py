"""Do the tasks of a study on several processes, in the order of their needs.

Each worker computes with one thread: two single-threaded fits side by side are faster than one with
two threads (69 against 59 pictures a second on 2 cores), and the numbers do not depend on how many
processes there are.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from dyssync.study.tasks import Material, Task, do_task
from dyssync.workers import available_cores

THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

# Called with the key of a task and its finished fraction, 0-1.
OnProgress = Callable[[str, float], None]

_material: Material | None = None
_queue: Any = None


def default_workers() -> int:
    """Return how many processes to use: the cores this process may use, one with a GPU."""
    import torch

    return 1 if torch.cuda.is_available() else available_cores()


def run_tasks(
    tasks: Sequence[Task], material: Material, workers: int, on_progress: OnProgress
) -> None:
    """Do all tasks that are not done yet.

    Raises:
        InputError: a task found the input unusable; tasks that were finished stay.
    """
    open_tasks = []
    for task in tasks:
        if (material.folder / task.key).is_dir():
            on_progress(task.key, 1.0)
        else:
            open_tasks.append(task)
    if not open_tasks:
        return
    context = mp.get_context("spawn")  # fork and threads of torch do not go together
    queue = context.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(queue, on_progress), daemon=True)
    listener.start()
    with _single_threaded():
        pool = ProcessPoolExecutor(workers, context, _begin_worker, (material, queue))
        try:
            _feed(pool, open_tasks, {t.key for t in tasks} - {t.key for t in open_tasks})
        except BrokenProcessPool as error:
            raise RuntimeError(
                "a worker process was ended from outside (out of memory?); the same command goes "
                "on where it was, --workers 1 needs less memory"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            queue.put(None)
            listener.join()


def _feed(pool: ProcessPoolExecutor, waiting: list[Task], done: set[str]) -> None:
    """Submit tasks as soon as what they need is done."""
    waiting = list(waiting)
    running: dict[Future[str], Task] = {}
    while waiting or running:
        ready = [task for task in waiting if done.issuperset(task.needs)]
        for task in ready:
            waiting.remove(task)
            running[pool.submit(_work, task)] = task
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            del running[future]
            done.add(future.result())


def _listen(queue: Any, on_progress: OnProgress) -> None:
    while (message := queue.get()) is not None:
        on_progress(*message)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let processes started meanwhile compute with one thread."""
    before = {name: os.environ.get(name) for name in THREAD_SETTINGS}
    os.environ.update(dict.fromkeys(THREAD_SETTINGS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin_worker(material: Material, queue: Any) -> None:
    global _material, _queue
    _material, _queue = material, queue
    # A study that was killed must not leave processes behind that go on writing.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def _end_with_parent() -> None:
    parent = mp.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(task: Task) -> str:
    assert _material is not None
    do_task(task, _material, lambda fraction: _queue.put((task.key, fraction)))
    _queue.put((task.key, 1.0))
    return task.key
