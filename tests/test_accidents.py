"""Accidents to whole calls: killed, interrupted, called twice, cut files, full disks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dyssync.cli import main
from dyssync.cli.exits import Exit
from dyssync.study.record import RunRecord
from dyssync.study.run_folder import BEGUN
from dyssync.whole.owner import one_maker

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("accidents")]

Captured = pytest.CaptureFixture[str]
GONE_ON = "interrupted; the same command goes on\n"
# a command line that its caller can end: output in pipes, a group of its own
DYSSYNC = (sys.executable, "-m", "dyssync")


def started(words: Sequence[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*DYSSYNC, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def wait_for(condition: Callable[[], object], otherwise: str, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def alive(group: int) -> list[int]:
    """Return the processes of a session that still run (Linux)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session, *_ = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(session) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def study(toy_cohort: Path, tmp_path: Path) -> list[str]:
    """A study of moments, in the folder "run"."""
    return [
        *("study", "--cohort", str(toy_cohort / "cohort.csv"), "--out", str(tmp_path / "run")),
        *("--models", "ridge,qrs-area", "--repeats", "1", "--folds", "2", "--workers", "2"),
        *("--set", "refits=0"),
    ]


@pytest.fixture
def simulation(tmp_path: Path) -> list[str]:
    return ["simulate", "--patients", "400", "--out", str(tmp_path / "run"), "--workers", "2"]


@pytest.mark.parametrize(
    ("number", "code", "send"),
    [
        (signal.SIGINT, 130, os.killpg),
        (signal.SIGTERM, 143, os.kill),
        (signal.SIGHUP, 129, os.killpg),
    ],
    ids=["Ctrl-C", "kill", "closed terminal"],
)
def test_an_interruption_is_one_line_and_leaves_nobody_behind(
    number: signal.Signals,
    code: int,
    send: Callable[[int, int], None],
    simulation: list[str],
    tmp_path: Path,
) -> None:
    process = started(simulation)
    receipts = tmp_path / ".run.partial" / "parts"
    wait_for(lambda: receipts.is_dir() and any(receipts.iterdir()), "nothing was begun")
    send(process.pid, number)
    said = process.communicate(timeout=60)
    assert (process.returncode, said) == (code, ("", GONE_ON))
    wait_for(lambda: not alive(process.pid), "somebody was left behind", seconds=5)


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.5])
def test_an_interruption_while_starting_is_one_line_too(
    moment: float, simulation: list[str]
) -> None:
    process = started(simulation)
    wait_for(lambda: b"dyssync" in Path(f"/proc/{process.pid}/cmdline").read_bytes(), "no start")
    ours = f"/proc/{process.pid}/maps"
    wait_for(lambda: "_typing" in Path(ours).read_text() or process.poll() is not None, "no Python")
    time.sleep(moment)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    # before dyssync is loaded at all, the system ends the process as any other
    assert (process.returncode, told) in [(143, GONE_ON), (-signal.SIGTERM, "")]
    wait_for(lambda: not alive(process.pid), "somebody was left behind", seconds=5)


def test_what_was_started_to_ignore_a_closed_terminal_goes_on(tmp_path: Path) -> None:
    call = ["simulate", "--patients", "40", "--out", str(tmp_path / "run"), "--workers", "2"]
    process = subprocess.Popen(
        [*DYSSYNC, *call],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    wait_for((tmp_path / ".run.partial").is_dir, "nothing was begun")
    os.killpg(process.pid, signal.SIGHUP)
    assert process.wait(timeout=120) == 0
    assert (tmp_path / "run" / "cohort.csv").is_file()


def test_the_workers_of_a_killed_command_are_gone_at_once(
    simulation: list[str], tmp_path: Path
) -> None:
    process = started(simulation)
    receipts = tmp_path / ".run.partial" / "parts"
    wait_for(lambda: receipts.is_dir() and any(receipts.iterdir()), "nothing was begun")
    assert len(alive(process.pid)) > 2
    process.kill()
    process.communicate()
    wait_for(lambda: not alive(process.pid), "workers outlived their parent", seconds=5)


SLOW_FORMAT = """
import sys, time
from dyssync.formats.reading.apart import serve

def convert(data):
    time.sleep(120)

if __name__ == "__main__":
    sys.exit(serve(convert, ("json",)))
"""


def test_what_reads_a_file_apart_is_gone_with_who_asked(tmp_path: Path) -> None:
    (tmp_path / "slow_format.py").write_text(SLOW_FORMAT)
    code = (
        "from dyssync.formats.reading.isolation import convert_apart\n"
        "convert_apart('slow_format', b'data')\n"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, "OF_THIS_TEST": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    # the one that asked, its server, and the child that reads
    wait_for(lambda: len(carrying(str(tmp_path))) == 3, "nobody began to read")
    process.kill()
    process.wait()
    wait_for(lambda: not carrying(str(tmp_path)), "somebody reads on", seconds=5)


def carrying(token: str) -> list[int]:
    """Return the processes with a token in their environment (Linux)."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"OF_THIS_TEST={token}".encode() in environ.read_bytes():
                found.append(int(environ.parent.name))
        except OSError:
            continue
    return found


def test_of_two_calls_at_once_one_is_refused(
    simulation: list[str], study: list[str], tmp_path: Path, capsys: Captured
) -> None:
    with one_maker(tmp_path / "run"):
        assert main(simulation) == Exit.INPUT
    assert capsys.readouterr().err == (
        f"error: {tmp_path}/run: another dyssync is at work on it; wait for its end, or name "
        "another place\n"
    )
    both = [started(study) for _ in range(2)]
    told = [process.communicate(timeout=300)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, Exit.INPUT]
    refused = told[0 if both[0].returncode else 1]
    assert refused.startswith(f"error: {tmp_path}/run: another dyssync is at work on it;")
    assert refused.count("\n") == 1
    assert (tmp_path / "run" / "finished.json").is_file()


# what may have happened to the tasks that were done, each to another one
SPOILT: tuple[Callable[[Path], object], ...] = (
    lambda cell: (cell / "predictions.csv").write_bytes(b""),
    lambda cell: (cell / "receipt.json").write_bytes(b""),
    lambda cell: (cell / "predictions.csv").unlink(),
    lambda cell: os.truncate(cell / "predictions.csv", 300),
    lambda cell: os.truncate(cell / "model" / "model.json", 10),
    lambda cell: _of_another(cell / "receipt.json"),
)


def _of_another(receipt: Path) -> None:
    receipt.write_text(json.dumps({**json.loads(receipt.read_text()), "of": "another"}))


class Killed(BaseException):
    """Stands for a kill: nothing of dyssync catches it."""


def test_what_is_cut_on_the_disk_is_done_again(
    toy_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(out: Path) -> int:
        study = ["study", "--cohort", str(toy_cohort / "cohort.csv"), "--out", str(out)]
        study += ["--repeats", "1", "--folds", "2", "--set", "refits=0", "--workers", "1"]
        return main([*study, "--models", "ridge,qrs-area,lbbb-strauss"])

    def kill(*given: object) -> None:
        raise Killed

    def call_killed_after_the_last_task(out: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("dyssync.study.run.collect", kill)
            call(out)

    whole, run = tmp_path / "whole", tmp_path / "run"
    assert call(whole) == 0
    with pytest.raises(Killed):
        call_killed_after_the_last_task(run)
    cells = sorted((run / "work").glob("[!.]*"))
    for spoil, cell in zip(SPOILT, cells, strict=True):
        spoil(cell)
    shutil.copytree(run, tmp_path / "again")
    (run / "config.json").write_bytes(b"")
    assert call(run) == 0
    for name in ("predictions.csv", "answers.csv", "bundle/manifest.json"):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name
    os.truncate(tmp_path / "again" / "config.json", 100)
    with pytest.raises(Killed):  # which is taken up as well
        call_killed_after_the_last_task(tmp_path / "again")
    again, before = (RunRecord.load(path / "config.json") for path in (tmp_path / "again", whole))
    assert again.digest == before.digest


def test_a_run_of_another_version_is_not_written_over(study: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "dyssync.json").write_text('{"made_by": "dyssync", "kind": "study", "holds": null}')
    (out / "config.json").write_text('{"version": "0.0.1"}')
    assert main(study) == Exit.INPUT
    assert (out / "config.json").read_text() == '{"version": "0.0.1"}'


def test_force_on_a_study_keeps_to_what_dyssync_made(
    study: list[str], tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    (tmp_path / ".run.old").mkdir()
    (tmp_path / ".run.old" / "mine").touch()
    out.mkdir()
    (out / "config.json").write_text("{}")  # of another program
    assert main([*study, "--force"]) == Exit.INPUT
    assert "holds no dyssync.json" in capsys.readouterr().err
    (out / "config.json").unlink()
    assert main(study) == 0
    assert {path.name for path in out.iterdir()} - {"dyssync.json"} <= BEGUN
    (out / "figures" / "mine.txt").touch()
    assert main([*study, "--force"]) == Exit.INPUT
    assert "did not put there (figures/mine.txt)" in capsys.readouterr().err
    (out / "figures" / "mine.txt").unlink()
    (tmp_path / "link").symlink_to(out)
    linked = [str(tmp_path / "link") if word == str(out) else word for word in study]
    assert main([*linked, "--force"]) == Exit.INPUT
    assert "is a link" in capsys.readouterr().err
    monkeypatch.chdir(out)
    assert main(["." if word == str(out) else word for word in [*study, "--force"]]) == Exit.INPUT
    assert "is the folder that this was called from" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    before = (out / "predictions.csv").read_bytes()
    assert main([*study, "--force", "--set", "threshold=0.6"]) == 0
    assert json.loads((out / "config.json").read_text())["threshold"] == 0.6
    assert (out / "predictions.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run.old", "link", "run"]
    assert (tmp_path / ".run.old" / "mine").is_file()
