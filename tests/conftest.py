"""Fixtures that several test files share: real ECGs if there are any, and ECGs made by formula."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from dyssync.ecg import ECG, LIMB_FROM_I_II, Source
from dyssync.models import MODELS
from dyssync.study.results import StudyResults

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from dyssync.web.answers import Answers

ROOT = Path(__file__).parent.parent
FS = 250.0
RUNS = {"finished_run", "small_bundle"}  # fixtures that run a study


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow every test of a whole run, and begin with the files that hold slow tests.

    Workers of pytest-xdist begin with groups, the largest first, and go on in this order: what
    takes long must not be what the others wait for at the end. Files stay whole, for fixtures.
    """
    for item in items:
        if RUNS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Call a case after its argument where its value is bytes.

    Bytes may hold the moment they were made, as ZIP archives do, and then workers of pytest-xdist
    collect tests of different names and refuse to begin.
    """
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real ECGs that are not part of the repository; skips where it is absent."""
    folder = Path(os.environ.get("DYSSYNC_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real ECGs not found at {folder}; set DYSSYNC_TEST_DATA to their folder")
    return folder


def formula_ecg(rng: np.random.Generator, *, wide: bool, patient: str = "P", fs: float = FS) -> ECG:
    """Return ten seconds of Gaussian waves; QRS narrow, or wide with inverted T."""
    t = np.arange(round(10 * fs)) / fs
    phase = (t - rng.uniform(0.2, 0.5)) % 0.8
    width, t_sign = (0.035, -1.0) if wide else (0.015, 1.0)

    def wave(centre: float, sd: float) -> np.ndarray:
        return np.exp(-0.5 * ((phase - centre) / sd) ** 2)

    qrs, p, t_wave = wave(0.25, width), wave(0.1, 0.02), wave(0.5, 0.04)
    gains = rng.uniform(0.6, 1.4, 8) * np.array([0.8, 1.2, -0.6, -0.9, 0.5, 1.2, 1.3, 1.0])
    eight = np.outer(gains, qrs) + np.outer(np.abs(gains) * 0.2, t_sign * t_wave + 0.5 * p)
    eight += rng.normal(0, 0.01, eight.shape)
    signal = np.vstack([eight[:2], LIMB_FROM_I_II @ eight[:2], eight[2:]])
    return ECG(signal.astype(np.float32), fs, patient_id=patient, source=Source(f"{patient}.hea"))


@pytest.fixture(scope="session")
def toy() -> tuple[list[ECG], np.ndarray]:
    """48 formula ECGs; the responders have the wide QRS."""
    rng = np.random.default_rng(1)
    y = np.tile([0, 1], 24)
    return [formula_ecg(rng, wide=bool(v), patient=f"P{i:02d}") for i, v in enumerate(y)], y


@pytest.fixture(scope="session")
def toy_cohort(tmp_path_factory: pytest.TempPathFactory, toy: tuple[list[ECG], np.ndarray]) -> Path:
    """The formula ECGs as WFDB with a table of volumes, and a corpus without labels."""
    from dyssync.formats.wfdb import write_wfdb

    folder = tmp_path_factory.mktemp("cohort")
    for i, ecg in enumerate(toy[0]):
        write_wfdb(ecg, folder, f"rec{i:02d}")
    table = pd.DataFrame(
        {
            "patient_id": [e.patient_id for e in toy[0]],
            "ecg": [f"rec{i:02d}.hea" for i in range(len(toy[0]))],
            "lvesv_baseline_ml": 200.0,
            "lvesv_followup_ml": np.where(toy[1] == 1, 160.0, 190.0),
            "centre": "A",
        }
    )
    table.to_csv(folder / "cohort.csv", index=False)
    rng = np.random.default_rng(2)
    corpus = folder / "corpus"
    corpus.mkdir()
    for i in range(12):
        write_wfdb(formula_ecg(rng, wide=i % 2 == 0, patient=f"C{i}"), corpus, f"c{i:02d}")
    return folder


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 patients of whom a wide QRS tells less, one with two ECGs; one died, one is lost."""
    from dyssync.formats.wfdb import write_wfdb

    folder = tmp_path_factory.mktemp("elsewhere")
    rng = np.random.default_rng(7)
    y = np.tile([0, 1, 1], 20)
    rows = []
    for i, outcome in enumerate(y):
        wide = bool(outcome) if rng.random() < 0.8 else not outcome
        for k in range(2 if i == 3 else 1):
            name = f"e{i:02d}_{k}"
            write_wfdb(formula_ecg(rng, wide=wide), folder, name)
            rows.append((f"E{i:02d}", f"{name}.hea", outcome, "echo", "F" if i % 2 else "M"))
    for word in ("died", "lost"):
        write_wfdb(formula_ecg(rng, wide=True), folder, word)
        rows.append((word, f"{word}.hea", None, word, "F"))
    columns = ["patient_id", "ecg", "responder", "followup", "sex"]
    table = pd.DataFrame(rows, columns=columns).astype({"responder": "Int64"})
    table.to_csv(folder / "elsewhere.csv", index=False)
    return folder / "elsewhere.csv"


def _tiny_study(models: Sequence[str]) -> list[str]:
    """Return arguments of a study that is small in everything but has all of it."""
    own = {
        "lightgbm": ("rounds=30", "min_leaf=3"),
        "resnet18": ("height=64", "width=64", "epochs=2"),
        "ssl-resnet18": ("start=nothing", "height=64", "width=64", "pretraining_passes=1"),
    }
    words = ["refits=3", *(f"{name}.{word}" for name in models for word in own.get(name, ()))]
    return [
        *("--models", ",".join(models), "--repeats", "2", "--folds", "2", "--preset", "quick"),
        *(part for word in words for part in ("--set", word)),
    ]


@pytest.fixture(scope="session")
def tiny_study() -> Callable[[Sequence[str]], list[str]]:
    """Return the function above: the numbers of a model do not depend on which others there are."""
    return _tiny_study


@pytest.fixture(scope="session")
def golden_run() -> StudyResults:
    """The tables of a real study on virtual patients, kept with the tests: read in a moment."""
    return StudyResults.read(ROOT / "tests" / "golden" / "run")


@pytest.fixture(scope="session")
def finished_run(toy_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole, tiny study of the formula ECGs: every model, two by two folds."""
    from dyssync.cli import main

    out = tmp_path_factory.mktemp("runs") / "run"
    cohort = str(toy_cohort / "cohort.csv")
    assert main(["study", "--cohort", cohort, "--out", str(out), *_tiny_study(list(MODELS))]) == 0
    return out


@pytest.fixture(scope="session")
def small_bundle(toy_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of one model on measurements, one on pictures and a rule, of two by two folds."""
    from dyssync.cli import main

    out = tmp_path_factory.mktemp("served") / "run"
    call = ["study", "--cohort", str(toy_cohort / "cohort.csv"), "--out", str(out)]
    small = [
        "--repeats",
        "2",
        "--folds",
        "2",
        "--preset",
        "quick",
        "--set",
        "refits=3",
        "--workers",
        "1",
    ]
    quick = ["--set", "ssl-resnet18.test_views=1"]
    models = ["--models", "ridge,ssl-resnet18,qrs-area"]
    assert main([*call, *small, *quick, *models]) == 0
    return out / "bundle"


@pytest.fixture(scope="session")
def answers(small_bundle: Path) -> "Iterator[Answers]":
    """The small bundle behind the page, with one process that reads uploads."""
    from dyssync.prediction.bundle import load_bundle
    from dyssync.web.answers import Answers
    from dyssync.web.readers import Readers

    readers = Readers(1, wall_limit_s=20)
    found = Answers(load_bundle(small_bundle), readers)
    found.end = lambda: None  # type: ignore[method-assign] # the server below ends before others do
    yield found
    readers.end()


@pytest.fixture(scope="session")
def client(answers: "Answers") -> "TestClient":
    """A client of page and API, without a network between."""
    from starlette.testclient import TestClient

    from dyssync.web.app import create_app

    return TestClient(create_app(answers), raise_server_exceptions=False)


@pytest.fixture(scope="session")
def port(answers: "Answers") -> Iterator[int]:
    """A server that runs, on a port that was free."""
    from dyssync.web.server import make_server

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    server = make_server(answers, "127.0.0.1", free, None)
    running = threading.Thread(target=server.run)
    running.start()
    while not server.started:
        time.sleep(0.05)
    yield free
    server.should_exit = True
    running.join(10)
    assert not running.is_alive()
