"""Work handed out by Ray: what processes here give, and an end with the command."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from dyssync.cli import main
from dyssync.cohort.adding import add_to_corpus
from dyssync.cohort.gathering import Sources
from dyssync.errors import ConfigError
from dyssync.formats import list_files
from dyssync.workers import (
    Engine,
    WorkerEnded,
    all_workers,
    each,
    each_for_itself,
    hearing,
    pool,
    using,
)
from dyssync.workers.processes import Processes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
]

FOR_WORKERS = Path(__file__).parent / "for_workers"


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Engine, ModuleType]]:
    """A Ray of two workers, and what they can do."""
    from dyssync.workers.on_ray import on_ray

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOR_WORKERS)
        patch.setenv("PYTHONPATH", str(FOR_WORKERS), prepend=os.pathsep)  # for the workers
        import work_of_tests

        with on_ray(None, 2) as engine:
            yield engine, work_of_tests
        del sys.modules["work_of_tests"]


@pytest.fixture
def ray(started: tuple[Engine, ModuleType]) -> Iterator[ModuleType]:
    """What workers can do; what a test hands out goes to Ray."""
    with using(started[0]):
        yield started[1]


@pytest.mark.parametrize(("workers", "together"), [(1, 1), (2, 3)])
def test_results_come_in_the_order_of_the_items(
    ray: ModuleType, workers: int, together: int
) -> None:
    found = each(ray.slow_first, range(8), workers=workers, together=together)
    assert list(found) == list(range(8))
    assert all_workers() == 2


def test_what_a_function_raises_comes_out_as_it_is(ray: ModuleType) -> None:
    with pytest.raises(ConfigError, match=r"^item 7: no$"):
        list(each(ray.refuse, [7, 8], workers=2))


def test_the_work_of_a_killed_worker_is_done_again(
    ray: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / str(k) for k in range(3)]
    assert list(each(ray.die_once, paths, workers=2)) == ["0", "1", "2"]
    assert capfd.readouterr() == ("", "")


def test_what_ends_every_worker_is_given_up_and_costs_no_other_its_result(ray: ModuleType) -> None:
    with pytest.raises(WorkerEnded, match="ended a working process"):
        list(each(ray.die_of_three, [3], workers=2))
    found = each_for_itself(ray.die_of_three, range(8), lambda k: -k, workers=2, together=2)
    assert list(found) == [0, 1, 2, -3, 4, 5, 6, 7]


def test_a_worker_is_begun_once_and_computes_with_one_thread(ray: ModuleType) -> None:
    with pool(2, ray.begin, "a") as held:
        found = [held.result(t) for t in [held.submit(ray.begun, k) for k in range(6)]]
        assert [given for _, given in found] == [[("a",)]] * 6
        assert len({pid for pid, _ in found}) == 2
        assert set(held.result(held.submit(ray.threads, 0)).values()) == {1}


def test_a_corpus_has_the_same_bytes(ray: ModuleType, toy_cohort: Path, tmp_path: Path) -> None:
    sources = Sources(files=list_files(toy_cohort / "corpus"))
    there = add_to_corpus(tmp_path / "there", sources, workers=2)
    with using(Processes()):
        assert add_to_corpus(tmp_path / "here", sources) == there
    here, made = (
        {p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("here", "there")
    )
    assert made == here


def test_a_worker_works_in_the_folder_of_the_command_and_takes_no_gpu_unasked(
    ray: ModuleType,
) -> None:
    with pool(1) as held:
        where, gpus = held.result(held.submit(ray.place, 0))
    assert where == os.getcwd()
    assert not gpus


def test_workers_are_heard_while_they_work(ray: ModuleType) -> None:
    heard: list[tuple[str, int]] = []
    with hearing(heard.append) as tell, pool(2) as held:
        for ticket in [held.submit(ray.report, tell, name) for name in "ab"]:
            held.result(ticket)
    assert [done for name, done in heard if name == "a"] == [0, 1, 2]
    assert len(heard) == 6


def test_a_verb_by_ray_writes_what_it_writes_here(
    started: tuple[Engine, ModuleType], toy_cohort: Path, tmp_path: Path
) -> None:
    call = ["measure", str(toy_cohort / "corpus"), str(toy_cohort / "missing.hea")]
    assert main([*call, "-o", str(tmp_path / "here.csv"), "--workers", "1"]) == 3
    with using(started[0]):
        assert main([*call, "-o", str(tmp_path / "ray.csv"), "--workers", "2"]) == 3
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_ray_ends_with_the_command(tmp_path: Path, how: signal.Signals) -> None:
    code = (
        "from pathlib import Path\nimport work_of_tests\n"
        "from dyssync.cli.interruption import listening\n"
        "from dyssync.workers import each, using\nfrom dyssync.workers.on_ray import on_ray\n"
        "with listening(), on_ray(None, 2) as engine, using(engine):\n"
        f"    folders = [Path({str(tmp_path)!r})] * 2\n"
        "    list(each(work_of_tests.compute_for_long, folders, workers=2))\n"
    )
    errors = tmp_path.with_suffix(".err")
    before = left_of_ray()
    with errors.open("wb") as told:
        paths = os.pathsep.join([str(FOR_WORKERS), os.environ.get("PYTHONPATH", "")])
        command = subprocess.Popen(
            [sys.executable, "-c", code], stderr=told, start_new_session=True,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
    try:
        in_time(lambda: len(list(tmp_path.iterdir())) == 2, "the workers did not start")
        os.killpg(command.pid, how)
        command.wait(20)
        in_time(lambda: left_of_ray() <= before, "something of Ray outlived its command")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(command.pid, signal.SIGKILL)
    last = errors.read_text().splitlines()[-1:]
    assert last == ([] if how == signal.SIGKILL else ["KeyboardInterrupt"])


def left_of_ray() -> set[str]:
    """Return the processes of Ray that there are, and its folders (Linux)."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes()
            if b"ray::" in words or b"/ray/" in words or b"ray_here" in words:
                found.add(place.name)
    return found


def in_time(condition, otherwise: str) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


def test_without_ray_one_line_says_how_to_install_it(
    toy_cohort: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # importing it fails, as where it is missing
    assert main(["measure", str(toy_cohort / "rec00.hea"), "--executor", "ray"]) == 2
    assert capsys.readouterr().err == (
        "error: --executor ray: Ray is not installed; pip install 'dyssync[ray]'\n"
    )
    assert main(["measure", str(toy_cohort / "rec00.hea")]) == 0


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--executor", "ray", "--address", "127.0.0.1:1"], "no Ray cluster answers"),
        (["--executor", "slurm"], "unknown executor 'slurm'"),
        (["--address", "auto"], "--address: is of --executor ray"),
    ],
)
def test_what_cannot_be_is_one_line(
    toy_cohort: Path, capsys: pytest.CaptureFixture[str], words: list[str], problem: str
) -> None:
    assert main(["measure", str(toy_cohort / "rec00.hea"), *words]) == 2
    told = capsys.readouterr().err
    assert problem in told
    assert told.count("\n") == 1
