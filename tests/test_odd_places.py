"""Names and places that no programmer thinks of: one line at most, and the others are done."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from dyssync.cli import main
from dyssync.cli.exits import Exit
from dyssync.cohort.pieces import fingerprint_of, pieces_of, read_piece
from dyssync.formats import list_files, read_ecg, read_ecgs, write_ecg

Captured = pytest.CaptureFixture[str]
LONG = "x" * 300
NO_TEXT = os.fsdecode(b"caf\xe9")  # Latin-1 on a UTF-8 disk


@pytest.fixture
def ecgs(toy_cohort: Path, tmp_path: Path) -> Path:
    """A folder with a record and a subfolder with another one."""
    folder = tmp_path / "ecgs"
    (folder / "sub").mkdir(parents=True)
    for k, place in enumerate((folder, folder / "sub")):
        for suffix in (".hea", ".dat"):
            shutil.copy(toy_cohort / f"rec{k:02d}{suffix}", place)
    return folder


def without_privileges() -> None:
    """Let root be refused what its owner has forbidden (Linux)."""
    library = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        library.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def called(words: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **options.pop("environment", {})}  # type: ignore[dict-item]
    return subprocess.run(
        [sys.executable, "-m", "dyssync", *words],
        env=environment,
        check=False,
        text=True,
        **{"capture_output": True, **options},  # type: ignore[call-overload]
    )


def test_hidden_files_and_what_is_half_made_are_no_input(ecgs: Path) -> None:
    before = list_files(ecgs)
    assert [path.name for path in before] == ["rec00.hea", "rec01.hea"]
    for name in (".rec00.csv.dyssync-4194304-1.part", ".hidden.csv"):
        shutil.copy(ecgs / "rec00.hea", ecgs / name)
    shutil.copytree(ecgs / "sub", ecgs / ".run.partial" / "records")
    assert list_files(ecgs) == before
    (piece,) = pieces_of(ecgs)
    assert piece.table is not None
    assert list(piece.table["ecg"]) == ["rec00.hea", "sub/rec01.hea"]
    for header in before:  # a folder without a header takes all files
        header.rename(header.with_suffix(".xml"))
    (piece,) = pieces_of(ecgs)
    assert piece.table is not None
    assert all(not part.startswith(".") for name in piece.table["ecg"] for part in name.split("/"))


def test_what_a_killed_call_left_in_a_folder_goes_with_the_next(
    toy_cohort: Path, tmp_path: Path
) -> None:
    left = [".rec09.hea.dyssync-4194304-7.part", ".t.csv.dyssync-4194304-7.part"]
    for name in left:
        (tmp_path / name).touch()
    file = str(toy_cohort / "rec00.hea")
    assert main(["convert", file, "--to", "csv", "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["rec00.csv"]
    (tmp_path / left[1]).touch()
    assert main(["measure", file, "-o", str(tmp_path / "t.csv")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rec00.csv", "t.csv"]


CALLS: dict[str, Callable[[str, str], list[str]]] = {
    "measure": lambda file, odd: ["measure", odd],
    "measure -o": lambda file, odd: ["measure", file, "-o", f"{odd}.csv"],
    "convert": lambda file, odd: ["convert", odd, "--to", "csv", "--out", "made"],
    "convert --out": lambda file, odd: ["convert", file, "--to", "csv", "--out", odd],
    "render --out": lambda file, odd: ["render", file, "--out", odd],
    "inspect": lambda file, odd: ["inspect", odd],
    "inspect --picture": lambda file, odd: ["inspect", file, "--picture", f"{odd}.png"],
    "predict": lambda file, odd: ["predict", odd, file],
    "check": lambda file, odd: ["check", odd],
    "simulate": lambda file, odd: ["simulate", "--patients", "1", "--out", odd],
    "simulate --force": lambda f, odd: ["simulate", "--patients", "1", "--out", odd, "--force"],
    "study --cohort": lambda file, odd: ["study", "--cohort", odd, "--out", "made"],
    "study --out": lambda file, odd: ["study", "--cohort", file, "--out", odd],
    "pretrain": lambda file, odd: ["pretrain", odd, "--out", "made"],
    "pretrain --out": lambda file, odd: ["pretrain", file, "--out", odd],
    "validate": lambda file, odd: ["validate", odd, file, "--out", "made"],
}


@pytest.mark.parametrize("odd", [LONG, f"{LONG}/x", "file/x"])
@pytest.mark.parametrize("call", CALLS)
def test_names_that_no_file_can_have_are_one_line(
    call: str, odd: str, toy_cohort: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: Captured,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(CALLS[call](str(toy_cohort / "rec00.hea"), odd)) == Exit.INPUT
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert {path.name for path in tmp_path.rglob("*")} <= {"file", "made"}


def test_a_long_name_is_cut_where_another_suffix_makes_it_too_long(
    toy_cohort: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a" * 250, "a" * 249 + "b"):
        as_csv(toy_cohort, tmp_path).rename(tmp_path / "in" / f"{name}.csv")
    call = ["convert", str(tmp_path / "in"), "--to", "parquet", "--out", str(tmp_path / "out")]
    assert main(call) == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


def as_csv(cohort: Path, folder: Path) -> Path:
    """Return an ECG that is one file."""
    return write_ecg(read_ecg(cohort / "rec00.hea"), folder, "ecg", "csv")


def test_links_that_lead_to_themselves_stop_nobody(toy_cohort: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    as_csv(toy_cohort, tmp_path).rename(folder / "ecg.csv")
    without = pieces_of(folder, seconds=0.5)
    before = fingerprint_of(without)
    (folder / "ecg.a").symlink_to("ecg.a")
    (folder / "ecg.b").symlink_to("ecg.c")
    (folder / "ecg.c").symlink_to("ecg.b")
    (folder / "again").symlink_to(folder)
    assert fingerprint_of(without) == before  # they are no companions
    (piece,) = pieces_of(folder, seconds=0.5)  # which lists them: reading them tells
    assert fingerprint_of([piece])
    rows, problems = read_piece(piece)
    assert (len(rows), len(problems)) == (1, 3)


def test_names_that_are_no_text_are_read_written_and_told(
    toy_cohort: Path, tmp_path: Path, capsys: Captured
) -> None:
    folder = tmp_path / NO_TEXT
    folder.mkdir()
    as_csv(toy_cohort, tmp_path).rename(folder / f"{NO_TEXT}.csv")
    assert len(list_files(folder)) == 1
    (outcome,) = read_ecgs(folder)
    assert outcome.problem is None
    (piece,) = pieces_of(folder, seconds=0.5)
    assert fingerprint_of([piece])
    assert read_piece(piece)[0][0][0].patient_id == "caf\\xe9"
    for name in ("t.csv", "t.parquet"):
        assert main(["measure", str(folder), "-o", str(tmp_path / name)]) == 0
    assert list(pd.read_csv(tmp_path / "t.csv")["file"]) == ["caf\\xe9.csv"]
    assert list(pd.read_parquet(tmp_path / "t.parquet")["file"]) == ["caf\\xe9.csv"]
    file = str(folder / f"{NO_TEXT}.csv")
    for call in (["measure", file], ["inspect", file], ["measure", file, "--json"]):
        assert main(call) == 0, call
    for to in ("wfdb", "csv"):
        out = ["--out", str(tmp_path / f"{to}{NO_TEXT}"), "--keep-identifiers"]
        assert main(["convert", file, "--to", to, *out]) == 0
    assert main(["render", file, "--out", str(folder)]) == 0
    assert main(["simulate", "--patients", "1", "--out", str(folder / "v")]) == 0
    capsys.readouterr()
    assert main(["measure", str(tmp_path / f"{NO_TEXT}.hea")]) == Exit.INPUT
    assert "no such file" in capsys.readouterr().err


@pytest.mark.slow
def test_what_may_not_be_looked_into_is_listed_and_the_rest_is_done(
    ecgs: Path, tmp_path: Path
) -> None:
    (ecgs / "sub").chmod(0)
    call = ["measure", str(ecgs), "-o", str(tmp_path / "t.csv")]
    done = called(call, preexec_fn=without_privileges)
    (ecgs / "sub").chmod(0o700)
    assert done.returncode == Exit.SOME_FAILED
    assert done.stderr.splitlines() == [
        "error: sub: a folder that may not be looked into; check its rights",
        "1 measured, 1 failed",
    ]
    assert len(pd.read_csv(tmp_path / "t.csv")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("call", ["measure -o", "convert --out", "simulate", "study --out"])
def test_a_place_that_may_not_be_written_to_is_one_line(
    call: str, toy_cohort: Path, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    file = str(toy_cohort / ("cohort.csv" if call.startswith("study") else "rec00.hea"))
    done = called(CALLS[call](file, str(tmp_path / "closed" / "x")), preexec_fn=without_privileges)
    assert done.returncode == Exit.INPUT
    assert done.stderr.count("\n") == 1
    assert "(Permission denied)" in done.stderr


@pytest.mark.slow
def test_a_terminal_that_lacks_the_letters_or_the_room(toy_cohort: Path, tmp_path: Path) -> None:
    for suffix in (".hea", ".dat"):
        data = (toy_cohort / f"rec00{suffix}").read_bytes()
        (tmp_path / f"心電図{suffix}").write_bytes(data.replace(b"rec00", "心電図".encode()))
    call = ["measure", str(tmp_path / "心電図.hea"), str(toy_cohort / "rec01.hea")]
    latin = {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C"}
    done = called(call, environment=latin)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u5fc3" in done.stdout
    with Path("/dev/full").open("w") as full:
        done = called(
            ["list", "formats"], capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (2, "error: No space left on device\n")


@pytest.mark.parametrize("place", ["foreign", "link", ".", "..", "file"])
@pytest.mark.parametrize(
    "call",
    [
        ["study"],
        ["simulate"],
        ["simulate", "--unlabelled"],
        ["pretrain", "x"],
        ["validate", "x", "y"],
    ],
    ids=" ".join,
)
def test_force_of_every_verb_is_refused_what_dyssync_did_not_make(
    call: list[str], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("foreign", ".foreign.old", ".foreign.partial", ".foreign.checkpoint"):
        (tmp_path / name).mkdir()
        for file in ("config.json", "simulation.json", "encoder.json", "validation.json"):
            (tmp_path / name / file).write_text("{}")
    (tmp_path / "link").symlink_to("foreign")
    (tmp_path / "file").touch()
    before = {p: p.read_bytes() if p.is_file() else b"" for p in tmp_path.rglob("*")}
    if place == "..":
        monkeypatch.chdir(tmp_path / "foreign")
    assert main([*call, "--out", place, "--force"]) == Exit.INPUT
    assert capsys.readouterr().err.count("\n") == 1
    assert {p: p.read_bytes() if p.is_file() else b"" for p in tmp_path.rglob("*")} == before
