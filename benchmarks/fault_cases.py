"""Calls that accidents are tried on: small ones of each verb that writes, and what they leave."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from command_line import DYSSYNC, ENVIRONMENT, run

PATIENTS = 60
STUDY = (
    *("--models", "ridge,lightgbm", "--repeats", "1", "--folds", "2", "--set", "refits=0"),
    *("--set", "lightgbm.rounds=10", "--preset", "quick"),
)
PRETRAINING = ("--passes", "2", "--height", "64", "--width", "64", "--set", "components=4")
# of a run, these tell when and where it was
DATED = ("environment.json", "finished.json", "report.html")
TOKEN = "DYSSYNC_FAULT_TRIAL"  # in the environment of a call and of all that it starts


@dataclass(frozen=True)
class Case:
    """A call of a verb.

    Attributes:
        words: of the call, for the place that it writes to.
        force: whether the same call needs `--force` once something is written.
    """

    words: Callable[[Path], tuple[str | Path, ...]]
    force: bool = False


def cases(material: Path) -> Mapping[str, Case]:
    """Return the calls on `material`, see :func:`make_material`."""
    cohort, records = material / "cohort.csv", material / "records"
    two = ("--workers", "2")
    return {
        "study": Case(lambda out: ("study", "--cohort", cohort, "--out", out, *STUDY, *two)),
        "simulate": Case(lambda out: ("simulate", "--patients", "64", "--out", out, *two)),
        "measure -o": Case(lambda out: ("measure", records, "-o", out.with_suffix(".csv"), *two)),
        "convert": Case(
            lambda out: ("convert", records, "--to", "wfdb", "--out", out, *two), force=True
        ),
        "pretrain": Case(lambda out: ("pretrain", records, "--out", out, *PRETRAINING, *two)),
    }


def make_material(folder: Path) -> Path:
    """Return a folder of virtual patients, made where it is missing."""
    if not (folder / "cohort.csv").is_file():
        run("simulate", "--patients", str(PATIENTS), "--seed", "5", "--out", folder)
    return folder


@dataclass(frozen=True)
class Place:
    """Where one trial happens: a folder with nothing else in it.

    Attributes:
        folder: of results; `out` in it is what is asked for.
        cache: of the user.
    """

    folder: Path
    cache: Path

    @property
    def out(self) -> Path:
        """What the call is asked to make."""
        return self.folder / "out"

    def contents(self) -> dict[str, bytes]:
        """Return all files that are there, hidden ones too, but what is dated."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in paths
            if path.name not in DATED and path.name != "dyssync.json"
        }


def new_place(root: Path) -> Place:
    """Return an empty place."""
    for name in ("place", "cache"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
    return Place(root / "place", root / "cache")


def start(
    case: Case, place: Place, *, force: bool = False, limit: Callable[[], None] | None = None
) -> tuple[subprocess.Popen[str], str]:
    """Start a call in a session of its own; return it and the token of all that it starts."""
    token = uuid4().hex
    environment = {**ENVIRONMENT, TOKEN: token, "XDG_CACHE_HOME": str(place.cache)}
    words = [*map(str, case.words(place.out)), *(["--force"] if force else [])]
    process = subprocess.Popen(
        [*DYSSYNC, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=limit,
    )
    return process, token


def finished(case: Case, place: Place, *, force: bool = False) -> tuple[int, str]:
    """Do a call; return its exit code and what it said."""
    process, _ = start(case, place, force=force)
    _, said = process.communicate()
    return process.returncode, said


def living(token: str) -> list[int]:
    """Return the processes that carry a token and are not zombies (Linux)."""
    found, wanted = [], f"{TOKEN}={token}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            carried = wanted in (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:  # it has just ended, or is somebody else's
            continue
        if carried and state != "Z" and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def seconds_until_all_are_gone(token: str, most: float) -> float:
    """Return how long processes live on; `most` or more where some still do."""
    began = time.monotonic()
    while living(token) and time.monotonic() - began < most:
        time.sleep(0.05)
    return time.monotonic() - began
