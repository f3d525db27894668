"""Files and folders: whole or not at all, whatever ends the block or the process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dyssync.errors import ConfigError, InputError
from dyssync.whole import (
    check_replaceable,
    resumable_folder,
    sweep,
    whole_file,
    whole_folder,
    write_bytes,
    write_text,
)

SETTINGS = {"kind": "toy", "n": 3}


def make_file(path: Path, text: str, error: BaseException | None = None) -> str:
    """Make a file whole, raise the error meanwhile; return what it holds then."""
    with whole_file(path) as part:
        part.write_text(text)
        if error is not None:
            raise error
    return path.read_text()


def make_folder(path: Path, text: str, error: BaseException | None = None) -> str:
    """Make a folder with a file in it, as :func:`make_file`."""
    with whole_folder(path) as part:
        (part / "inside").write_text(text)
        if error is not None:
            raise error
    return (path / "inside").read_text()


def make_resumable(
    out: Path, *, n: int = 3, error: BaseException | None = None, force: bool = False
) -> list[str]:
    """Add a file to a resumable folder, raise the error; return what it held before."""
    with resumable_folder(out, "toy.json", {**SETTINGS, "n": n}, force=force) as part:
        held = names(part)
        (part / "done").touch()
        if error is not None:
            raise error
    return held


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def start(code: str, *given: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, given)])


def test_a_file_is_not_seen_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with whole_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["table.csv"]


def test_a_file_that_is_not_made_leaves_the_old_one(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"old")
    with whole_file(tmp_path / "a"):
        pass
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("make", [make_file, make_folder])
@pytest.mark.parametrize("error", [ConfigError("no"), KeyboardInterrupt("no")])
def test_after_an_error_nothing_is_left_and_what_was_there_stays(
    tmp_path: Path, make: Callable[..., str], error: BaseException
) -> None:
    assert make(tmp_path / "x", "old") == "old"
    with pytest.raises(type(error), match="no"):
        make(tmp_path / "x", "new", error)
    assert names(tmp_path) == ["x"]
    assert make(tmp_path / "x", "new") == "new"


@pytest.mark.parametrize("make", [make_file, make_folder])
def test_a_full_disk_is_one_line_that_names_the_file(
    tmp_path: Path, make: Callable[..., str]
) -> None:
    with pytest.raises(InputError) as caught:
        make(tmp_path / "x", "new", OSError(28, "No space left on device"))
    assert str(caught.value) == (
        f"{tmp_path}/x: cannot be written (No space left on device); check place and rights"
    )
    assert names(tmp_path) == []


@pytest.mark.parametrize("place", ["file/x", "absent/x", "folder"])
def test_places_that_can_hold_no_file_are_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=rf"{place}: cannot be written \([^\n]*\Z"):
        write_text(tmp_path / place, "text")
    assert names(tmp_path) == ["file", "folder"]


def test_text_keeps_its_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "µV\r\nmV\n")
    assert (tmp_path / "a").read_bytes() == b"\xc2\xb5V\r\nmV\n"


def test_a_folder_takes_the_place_of_another_with_all_it_held(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with whole_folder(tmp_path / "deep" / "x") as part:
            (part / name).touch()
    assert names(tmp_path / "deep") == ["x"]
    assert names(tmp_path / "deep" / "x") == ["new"]


def test_a_folder_never_replaces_a_file_or_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file", "link"):
        with pytest.raises(InputError, match="Not a directory"):
            make_folder(tmp_path / name, "new")
    assert names(tmp_path) == ["elsewhere", "file", "link"]
    assert (tmp_path / "file").read_text() == "mine"


def test_the_working_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine").touch()
    monkeypatch.chdir(tmp_path / "x")
    with pytest.raises(InputError, match=r"\.: cannot be written"):
        make_folder(Path(), "new")
    assert names(tmp_path / "x") == ["mine"]


KILLED = """
import os, signal, sys
from pathlib import Path
from dyssync.whole import whole_file, whole_folder

with whole_folder(Path(sys.argv[1]) / "x") as part, whole_file(part.parent / "y") as file:
    (part / "inside").touch()
    file.touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    assert start(KILLED, tmp_path).wait() == -signal.SIGKILL
    assert len(names(tmp_path)) == 2
    alive = ".x.dyssync-1-0.part"  # process 1 always is
    foreign = [".x.part", ".x.4194304.part", "x.dyssync-4194304-1.part", ".x.partial"]
    for name in [alive, *foreign]:
        (tmp_path / name).mkdir()
    (tmp_path / f".y.dyssync-{os.getpid()}-9999.part").mkdir()  # an earlier process of our number
    with whole_file(tmp_path / "z") as ours:
        ours.touch()
        make_folder(tmp_path / "x", "new")
        assert ours.exists()
    assert names(tmp_path) == sorted([alive, *foreign, "x", "z"])


def test_sweeping_a_folder_that_is_not_there_is_nothing(tmp_path: Path) -> None:
    sweep(tmp_path / "absent")
    assert names(tmp_path) == []


AGAIN = """
import sys
from pathlib import Path
from dyssync.whole import whole_folder

for _ in range(300):
    with whole_folder(Path(sys.argv[1])) as part:
        (part / "one").touch()
        (part / "two").touch()
"""


def test_two_processes_can_make_one_folder_at_once(tmp_path: Path) -> None:
    both = [start(AGAIN, tmp_path / "x") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert names(tmp_path) == ["x"]
    assert names(tmp_path / "x") == ["one", "two"]


def test_a_resumable_folder_is_got_again_with_what_it_held(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_resumable(tmp_path / "out", error=KeyboardInterrupt())
    assert names(tmp_path) == [".out.partial"]
    ended = start("")
    ended.wait()
    (tmp_path / ".out.partial" / f".half.dyssync-{ended.pid}-0.part").touch()
    assert make_resumable(tmp_path / "out") == ["done", "toy.json"]
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["done", "toy.json"]


def test_other_settings_begin_a_resumable_folder_anew(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"full\. What is done is kept: start again to go on"):
        make_resumable(tmp_path / "out", error=InputError("full"))
    assert make_resumable(tmp_path / "out", n=4) == ["toy.json"]


def test_only_what_holds_the_marker_is_replaced(tmp_path: Path) -> None:
    for name in ("mine", "ours"):
        (tmp_path / name).mkdir()
    (tmp_path / "ours" / "toy.json").touch()
    check_replaceable(tmp_path / "new", "toy.json", force=False)
    with pytest.raises(InputError, match=r"ours: exists already; .* use --force"):
        make_resumable(tmp_path / "ours")
    with pytest.raises(InputError, match=r"mine: holds no toy\.json"):
        make_resumable(tmp_path / "mine", force=True)
    make_resumable(tmp_path / "ours", force=True)
    assert names(tmp_path / "mine") == []
    assert names(tmp_path / "ours") == ["done", "toy.json"]


def test_what_else_fails_in_the_block_is_not_called_unwritable(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "cell"):
        (tmp_path / "no-such-input").read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_message_names_the_folder_that_the_user_knows(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"/cell/absent/a\.csv: cannot be written") as refused,
        whole_folder(tmp_path / "cell") as part,
    ):
        write_text(part / "absent" / "a.csv", "x")
    assert "dyssync-" not in str(refused.value).replace(str(tmp_path), "")
