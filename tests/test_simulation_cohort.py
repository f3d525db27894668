"""The virtual cohort as files: whole or absent, the same for any size and number of processes."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dyssync.cohort.cohort import read_cohort
from dyssync.errors import ConfigError, InputError
from dyssync.formats import read_ecg
from dyssync.simulation import cohort as module
from dyssync.simulation.cohort import simulate_cohort


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.mark.slow
def test_same_seed_gives_the_same_bytes_on_one_and_two_processes(tmp_path: Path) -> None:
    simulate_cohort(20, 5, tmp_path / "one")
    simulate_cohort(20, 5, tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_patient_does_not_depend_on_the_size_of_the_cohort(tmp_path: Path) -> None:
    simulate_cohort(3, 5, tmp_path / "small")
    simulate_cohort(5, 5, tmp_path / "large")
    small, large = contents(tmp_path / "small"), contents(tmp_path / "large")
    records = [name for name in small if name.startswith("records/")]
    assert len(records) == 6
    assert all(small[name] == large[name] for name in records)
    assert large["truth.csv"].startswith(small["truth.csv"])


def test_patients_of_version_4_stay_who_they_are(tmp_path: Path) -> None:
    # Written down when version 4 was new; numbers may differ in the last place between processors.
    golden = pd.DataFrame(
        {
            "conduction": ["lbbb", "lbbb", "lbbb", "ivcd"],
            "qrs_area_uvs": [152.0807, 94.8632, 80.7915, 73.8152],
            "fall_percent": [31.8841, 44.0908, 5.0824, -4.4993],
            "p_response": [0.8628, 0.9094, 0.3930, 0.4018],
        }
    )
    simulate_cohort(4, 5, tmp_path / "c")
    truth = pd.read_csv(tmp_path / "c" / "truth.csv")
    pd.testing.assert_frame_equal(truth[list(golden)], golden, rtol=0, atol=2e-4)
    records = sorted((tmp_path / "c" / "records").glob("*.hea"))
    size = [np.abs(read_ecg(path).signal.astype(float)).mean() for path in records]
    np.testing.assert_allclose(size, [0.157904, 0.133389, 0.113373, 0.095259], atol=2e-6)


def test_two_seeds_differ(tmp_path: Path) -> None:
    simulate_cohort(1, 0, tmp_path / "a")
    simulate_cohort(1, 1, tmp_path / "b")
    name = "records/VP0000001.dat"
    assert contents(tmp_path / "a")[name] != contents(tmp_path / "b")[name]


def test_the_table_is_a_cohort_and_holds_no_truth(tmp_path: Path) -> None:
    simulate_cohort(12, 2, tmp_path / "c")
    cohort = read_cohort(tmp_path / "c" / "cohort.csv")
    truth = pd.read_csv(tmp_path / "c" / "truth.csv")
    assert cohort.table["responder"].isin((0, 1)).all()
    assert not {"responder", "p_response", "conduction"} & set(
        pd.read_csv(tmp_path / "c" / "cohort.csv").columns
    )
    falls = truth["fall_percent"].to_numpy()
    clear = np.abs(falls - 15) > 0.2  # volumes are rounded to 0.1 mL
    assert clear.sum() >= 10
    assert (cohort.table["responder"].to_numpy() == (falls >= 15))[clear].all()
    assert "simulated" in (tmp_path / "c" / "README.md").read_text()


def test_an_interrupted_run_goes_on_and_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    simulate_cohort(6, 3, tmp_path / "whole")

    def stop(done: int, of: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_cohort(6, 3, tmp_path / "cut", on_progress=stop)
    assert not (tmp_path / "cut").exists()
    seen: list[tuple[int, int]] = []
    simulate_cohort(6, 3, tmp_path / "cut", on_progress=lambda *told: seen.append(told))
    assert seen == [(2, 6), (4, 6), (6, 6)], "the finished chunk is not made again"
    assert contents(tmp_path / "whole") == contents(tmp_path / "cut")


def test_an_existing_folder_is_refused_and_force_replaces_only_simulated_ones(
    tmp_path: Path,
) -> None:
    simulate_cohort(1, 0, tmp_path / "c")
    with pytest.raises(InputError, match="exists already"):
        simulate_cohort(1, 1, tmp_path / "c")
    simulate_cohort(2, 1, tmp_path / "c", force=True)
    assert len(pd.read_csv(tmp_path / "c" / "cohort.csv")) == 2
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match=r"holds no dyssync\.json"):
        simulate_cohort(1, 0, tmp_path / "mine", force=True)


@pytest.mark.parametrize("n", [0, 10**9])
def test_impossible_numbers_of_patients_are_one_line(tmp_path: Path, n: int) -> None:
    with pytest.raises(ConfigError, match="patients is") as caught:
        simulate_cohort(n, 0, tmp_path / "c")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("kind", [["--workers", "2"], ["--workers", "1", "--unlabelled"]])
def test_files_that_cannot_be_finished_are_one_line_of_the_command(
    tmp_path: Path, kind: list[str]
) -> None:
    def limit_files() -> None:  # as on a full disk, writing fails in the middle of a file
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-m", "dyssync", "simulate", "--patients", "20", *kind]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "c")],
        preexec_fn=limit_files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(told) == 1
    assert "cannot be written (File too large)" in told[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_wfdb", full)
    with pytest.raises(InputError, match="No space left on device"):
        simulate_cohort(1, 0, tmp_path / "c")
    assert not (tmp_path / "c").exists()
