"""Processes: results in order, items drawn lazily, one thread each, no process left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from dyssync.errors import ConfigError, InputError
from dyssync.workers import (
    AHEAD,
    FEW,
    THREAD_SETTINGS,
    available_cores,
    each,
    each_for_itself,
    hearing,
    pool,
    use_one_thread,
    workers_for,
)

pytestmark = pytest.mark.slow  # they start processes

FOR_WORKERS = Path(__file__).parent / "for_workers"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """What workers can do, in a module that they can import."""
    monkeypatch.syspath_prepend(FOR_WORKERS)
    import work_of_tests

    yield work_of_tests
    del sys.modules["work_of_tests"]


@pytest.mark.parametrize(("workers", "together"), [(1, 1), (2, 1), (2, 3)])
def test_results_come_in_the_order_of_the_items(
    work: ModuleType, workers: int, together: int
) -> None:
    found = each(work.slow_first, range(5), workers=workers, together=together)
    assert list(found) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("workers", "together", "ahead"), [(1, 1, 0), (2, 1, 2 * AHEAD), (2, 3, 2 * 3 * AHEAD)]
)
def test_items_are_drawn_only_a_little_ahead_of_the_results(
    workers: int, together: int, ahead: int
) -> None:
    drawn = []

    def items() -> Iterator[int]:
        for item in range(1000):
            drawn.append(item)
            yield item

    results = each(abs, items(), workers=workers, together=together)
    assert drawn == []
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(drawn) <= 3 * together + ahead
    results.close()


def test_what_a_function_raises_comes_out_as_it_is(work: ModuleType) -> None:
    with pytest.raises(ConfigError, match="item 7: no"):
        list(each(work.refuse, [7, 8], workers=2))


def test_a_worker_that_the_system_ends_is_one_line(work: ModuleType) -> None:
    with pytest.raises(InputError, match=r"ended a working process.*fewer processes") as caught:
        list(each(work.die, range(4), workers=2))
    assert "\n" not in str(caught.value)


def test_an_item_that_ends_its_one_worker_costs_no_other_its_result(work: ModuleType) -> None:
    found = each_for_itself(work.die_of_three, range(2, 5), lambda k: -k, workers=1, apart=True)
    assert list(found) == [2, -3, 4]


def test_the_work_of_a_killed_worker_is_done_again(work: ModuleType, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path in paths[1:]:  # these end no worker
        path.touch()
    assert list(each(work.die_once, paths, workers=2)) == ["a", "b", "c"]
    paths[0].unlink()
    with pool(2) as held:
        running = [held.submit(work.die_once, path) for path in paths]
        found = set()
        while running:
            for ticket in held.wait(running):
                running.remove(ticket)
                found.add(held.result(ticket))
    assert found == set("abc")


def test_a_worker_computes_with_one_thread_whatever_the_caller_has(
    work: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREAD_SETTINGS:
        monkeypatch.setenv(name, "2")
    monkeypatch.delenv("MKL_NUM_THREADS")
    (found,) = each(work.threads, [0], workers=2)
    assert len(found) > 4
    assert set(found.values()) == {1}, found
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize("how", ["Ctrl-C", "given up"])
def test_what_is_being_done_is_not_waited_for_when_nobody_wants_it(
    work: ModuleType, how: str
) -> None:
    results = each(work.wait_but_first, range(3), workers=2)
    next(results)
    began = time.monotonic()
    if how == "Ctrl-C":
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            next(results)
    else:
        results.close()
    assert time.monotonic() - began < 60


def test_workers_that_end_before_they_begin_are_not_waited_for(tmp_path: Path) -> None:
    more_than_a_pipe_takes = 10_000_000
    script = tmp_path / "calling.py"
    script.write_text(
        "from multiprocessing import spawn\n"
        "from dyssync.workers import WorkerEnded, pool\n"
        "try:\n"
        f"    with pool(2, print, b'x' * {more_than_a_pipe_takes}) as held:\n"
        "        spawn.set_executable('/bin/false')\n"  # of workers from here on
        "        held.result(held.submit(abs, 1))\n"
        "except WorkerEnded as error:\n"
        "    print(error)\n"
    )
    run = [sys.executable, str(script)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    assert "ended a working process" in done.stdout


def test_begin_is_called_once_in_each_worker(work: ModuleType) -> None:
    with pool(1, work.begin, "a", 2) as held:
        found = [held.result(t) for t in [held.submit(work.begun, k) for k in range(2)]]
    assert [given for _, given in found] == [[("a", 2)]] * 2


def test_workers_end_when_their_parent_is_killed(tmp_path: Path, work: ModuleType) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(FOR_WORKERS)!r})\n"
        "from pathlib import Path\nimport work_of_tests\nfrom dyssync.workers import each\n"
        f"list(each(work_of_tests.compute_for_long, [Path({str(begun)!r})] * 2, workers=2))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    pids: list[int] = []
    try:
        in_time(lambda: len(list(begun.iterdir())) == 2, "the workers did not start")
        pids = [int(path.name) for path in begun.iterdir()]
        parent.send_signal(signal.SIGKILL)
        in_time(lambda: all(map(has_ended, pids)), "the workers outlived their parent")
    finally:
        for pid in [parent.pid, *pids]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        parent.wait()


def in_time(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def has_ended(pid: int) -> bool:
    """Say whether a process is no more, or a zombie that nobody has asked about (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_few_items_are_worked_on_in_this_process_unless_asked() -> None:
    assert workers_for(range(FEW - 1), None) == 1
    assert workers_for(range(FEW), None) == available_cores()
    assert workers_for(range(1), 3) == 3


def test_one_thread_leaves_what_the_user_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREAD_SETTINGS:  # set first, so that all is taken back afterwards
        monkeypatch.setenv(name, "4")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    use_one_thread()
    assert os.environ["OMP_NUM_THREADS"] == "4"
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_workers_are_not_kept_waiting_where_hearing_fails(work: ModuleType) -> None:
    def hear(said: object) -> None:
        raise OSError(f"nobody reads {said}")

    with pytest.raises(OSError, match="nobody reads 0"):  # noqa: SIM117 - the pool ends first
        with hearing(hear) as tell, pool(1, work.begin, tell) as held:
            held.result(held.submit(work.tell_much, 5000))  # more than a pipe takes
