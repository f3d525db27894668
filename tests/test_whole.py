"""Files and folders: whole or not at all, whatever ends the block or the process."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from dyssync.errors import ConfigError, InputError
from dyssync.whole import (
    is_whole,
    mark,
    one_maker,
    one_worker,
    resumable_folder,
    sweep,
    synced_later,
    whole_file,
    whole_folder,
    write_bytes,
    write_receipt,
    write_text,
)

GOLDEN = Path(__file__).parent / "golden" / "run"  # any folder
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
    with resumable_folder(out, "toy", "toy.json", {**SETTINGS, "n": n}, force=force) as part:
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
    elsewhere = ".x.dyssync-00000000-4194304-1.part"  # a machine that sees this folder too
    foreign = [".x.part", ".x.4194304.part", "x.dyssync-4194304-1.part", ".x.partial", elsewhere]
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


@pytest.mark.skipif(sys.platform != "linux", reason="two renames elsewhere")
def test_a_folder_that_is_replaced_is_never_missing(tmp_path: Path) -> None:
    make_folder(tmp_path / "x", "old")
    process = start(AGAIN, tmp_path / "x")
    while process.poll() is None:
        assert (tmp_path / "x").is_dir()
    assert process.returncode == 0


def test_a_resumable_folder_is_got_again_with_what_it_held(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_resumable(tmp_path / "out", error=KeyboardInterrupt())
    assert names(tmp_path) == [".out.partial"]
    ended = start("")
    ended.wait()
    (tmp_path / ".out.partial" / f".half.dyssync-{ended.pid}-0.part").touch()
    assert make_resumable(tmp_path / "out") == ["done", "dyssync.json", "toy.json"]
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["done", "dyssync.json", "toy.json"]


def test_other_settings_begin_a_resumable_folder_anew(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"full\. What is done is kept: start again to go on"):
        make_resumable(tmp_path / "out", error=InputError("full"))
    assert make_resumable(tmp_path / "out", n=4) == ["dyssync.json", "toy.json"]


FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "another program's": (lambda p: p.mkdir() or (p / "toy.json").touch(), "holds no dyssync.json"),
    "another program's of our name": (
        lambda p: p.mkdir() or (p / "dyssync.json").write_text('{"made_by": "x"}'),
        "holds no dyssync.json",
    ),
    "of another kind": (lambda p: p.mkdir() or mark(p, "study", finished=True), "is of kind study"),
    "with notes in it": (
        lambda p: make_resumable(p) and (p / "notes.txt").touch(),
        r"did not put there \(notes\.txt\)",
    ),
    "with notes below": (
        lambda p: (make_resumable(p) and (p / "a").mkdir()) or (p / "a" / "b").touch(),
        r"did not put there \(a/b\)",
    ),
    "a link": (
        lambda p: make_resumable(p.with_name("real")) and p.symlink_to(p.with_name("real")),
        "is a link",
    ),
    "a file": (lambda p: p.touch(), "is no folder"),
}


@pytest.mark.parametrize("make", [lambda p: make_resumable(p, force=True), lambda p: forced(p)])
@pytest.mark.parametrize("kind", FOREIGN)
def test_force_replaces_only_what_dyssync_made(
    kind: str, make: Callable[[Path], object], tmp_path: Path
) -> None:
    begin, reason = FOREIGN[kind]
    begin(tmp_path / "x")
    (tmp_path / ".x.old").mkdir()
    before = everything(tmp_path)
    with pytest.raises(InputError, match=rf"x: .*{reason}.*, so --force does not") as caught:
        make(tmp_path / "x")
    assert "\n" not in str(caught.value)
    assert everything(tmp_path) == before


def forced(path: Path) -> None:
    with whole_folder(path, kind="toy", force=True):
        pass


def everything(folder: Path) -> dict[str, bytes]:
    paths = sorted(folder.rglob("*"))
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in paths}


@pytest.mark.parametrize("name", [".", "..", "../x"])
def test_the_folder_one_stands_in_is_not_replaced(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_resumable(tmp_path / "x")
    (tmp_path / "x" / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "x" / ("sub" if name == ".." else ""))
    with pytest.raises(InputError, match="is the folder that this was called from"):
        forced(Path(name))
    assert names(tmp_path / "x") == ["done", "dyssync.json", "sub", "toy.json"]


def test_force_replaces_what_dyssync_made_whatever_is_missing_of_it(tmp_path: Path) -> None:
    make_resumable(tmp_path / "x")
    with pytest.raises(InputError, match=r"x: exists already; .* use --force"):
        make_resumable(tmp_path / "x")
    (tmp_path / "x" / "done").unlink()
    (tmp_path / "x" / ".DS_Store").touch()  # left by whoever looks
    make_resumable(tmp_path / "x", force=True)
    assert names(tmp_path / "x") == ["done", "dyssync.json", "toy.json"]
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match=r"mine: exists already; .* Name another\Z"):
        make_resumable(tmp_path / "mine")


def test_what_comes_into_its_place_meanwhile_stays(tmp_path: Path) -> None:
    held = resumable_folder(tmp_path / "x", "toy", "toy.json", SETTINGS, force=False)
    with pytest.raises(InputError, match="exists already"), held:
        shutil.copytree(GOLDEN, tmp_path / "x")
    assert names(tmp_path / "x") == names(GOLDEN)
    shutil.rmtree(tmp_path / "x")
    assert make_resumable(tmp_path / "x") == ["dyssync.json", "toy.json"]  # what was done is kept


def test_a_folder_in_the_place_of_ours_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / ".x.partial").mkdir()
    (tmp_path / ".x.partial" / "mine").touch()
    with pytest.raises(InputError, match=r"\.x\.partial: is in the way and not of our making"):
        make_resumable(tmp_path / "x")
    assert names(tmp_path / ".x.partial") == ["mine"]


OWNING = """
import sys, time
from pathlib import Path
from dyssync.whole import one_maker, one_worker

with {"maker": one_maker, "worker": one_worker}[sys.argv[1]](Path(sys.argv[2])):
    print("owned", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(("kind", "own"), [("maker", one_maker), ("worker", one_worker)])
def test_a_place_has_one_owner_and_none_when_that_is_dead(
    kind: str, own: Callable[[Path], AbstractContextManager[None]], tmp_path: Path
) -> None:
    place = tmp_path / "deep" / "x"
    other = subprocess.Popen(
        [sys.executable, "-c", OWNING, kind, str(place)], stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    with other:
        assert other.stdout.readline() == b"owned\n"
        with pytest.raises(InputError, match=r"x: another dyssync is at work on it[^\n]*\Z"):
            own(place).__enter__()
        other.kill()
    with own(place):
        pass
    assert [p for p in (tmp_path / "deep").rglob("*") if p.is_file()] == []


def test_owners_follow_one_another_and_are_never_two(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom dyssync.errors import InputError\n"
        "from dyssync.whole import one_maker\nplace = Path(sys.argv[1])\n"
        "for _ in range(2000):\n"
        "    try:\n        with one_maker(place):\n"
        "            place.touch(exist_ok=False)\n            place.unlink()\n"
        "    except InputError:\n        pass\n"
    )
    both = [start(code, tmp_path / "x") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert names(tmp_path) == []


def test_data_are_on_the_disk_before_their_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    fsync, replace = os.fsync, os.replace

    def waited(handle: int) -> None:
        told.append(f"waited for {os.readlink(f'/proc/self/fd/{handle}').rpartition('.')[2]}")
        fsync(handle)

    def renamed(old: Path, new: Path) -> None:
        replace(old, new)
        told.append(f"renamed {new.name}")

    monkeypatch.setattr(os, "fsync", waited)
    monkeypatch.setattr(os, "sync", lambda: told.append("waited for all"))
    monkeypatch.setattr(os, "replace", renamed)
    write_bytes(tmp_path / "a", b"x")
    assert told == ["waited for part", "renamed a"]
    told.clear()
    with whole_folder(tmp_path / "x") as part:
        for k in range(20):
            write_bytes(part / str(k), b"x")
    assert told[-2:] == ["waited for all", "renamed x"]
    assert not any("part" in line for line in told)
    told.clear()
    with synced_later():
        write_bytes(tmp_path / "a", b"x")
    assert told == ["renamed a"]


@pytest.mark.parametrize(
    ("spoil", "whole"),
    [
        (lambda folder: None, True),
        (lambda folder: (folder / "a").write_bytes(b""), False),
        (lambda folder: (folder / "a").unlink(), False),
        (lambda folder: (folder / "receipt.json").unlink(), False),
        (lambda folder: (folder / "receipt.json").write_text(""), False),
        (lambda folder: (folder / "receipt.json").write_text('{"of": "", "files": 3}'), False),
        (lambda folder: (folder / "receipt.json").write_text("[" * 100_000), False),
        (lambda folder: (folder / "more").touch(), True),
    ],
)
def test_a_receipt_tells_whether_all_is_as_it_was(
    spoil: Callable[[Path], object], whole: bool, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").touch()
    write_receipt(tmp_path)
    spoil(tmp_path)
    assert is_whole(tmp_path) is whole
    assert not is_whole(tmp_path, "other settings")


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
