"""What is read is not trusted: file kinds, absurd samples, and what refusals may say of a file."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dyssync.cli.batch import Failure, Job, outcomes
from dyssync.ecg import ECG, LEADS, RepresentativeBeat
from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, parse_input, read_ecg, write_ecg
from dyssync.study.results import read_csv, write_csv
from dyssync.workers import each_for_itself

GOLDEN = Path(__file__).parent / "golden" / "formats"


@contextmanager
def at_once() -> Iterator[None]:
    """Fail where something waits: a test that hangs would say nothing."""

    def stop(number: int, frame: object) -> None:
        raise AssertionError("waits for bytes that do not come")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(5)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def irregular(folder: Path) -> dict[str, Path]:
    """Return a path to each kind of file that is none."""
    os.mkfifo(folder / "pipe")
    door = socket.socket(socket.AF_UNIX)
    os.chdir(folder)  # the name of a socket may not be long
    door.bind("socket")
    door.close()
    found = {
        "a pipe": folder / "pipe",
        "a socket": folder / "socket",
        "a device": Path("/dev/zero"),
        "another number of bytes": Path("/sys/devices/system/cpu/online"),
    }
    return {kind: path for kind, path in found.items() if path.exists()}


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders")
def test_only_regular_files_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    header = (GOLDEN / "golden.hea").read_bytes()
    for kind, path in irregular(tmp_path).items():
        record = tmp_path / kind.replace(" ", "-")
        record.mkdir()
        (record / "golden.hea").write_bytes(header)
        (record / "golden.dat").symlink_to(path)
        with at_once():
            for read in (path, record / "golden.hea"):
                with pytest.raises(FormatError, match=kind) as refused:
                    read_ecg(read)
                assert "\n" not in str(refused.value)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc")
def test_what_the_kernel_makes_up_is_no_file(tmp_path: Path) -> None:
    for name in ("environ", "maps", "status"):
        with at_once(), pytest.raises(FormatError, match=f"{name}: "):
            read_ecg(f"/proc/self/{name}")


def with_sample(ecg: ECG, value: float, lead: int = 3) -> ECG:
    signal = ecg.signal.copy()
    signal[lead, 700] = value
    return replace(ecg, signal=signal)


@pytest.mark.parametrize("value", [1e6, -1e6, 9.96921e36, 1e36, 3.4e38, -500.0])
def test_no_ecg_holds_a_sample_that_no_electrode_gives(
    toy: tuple[list[ECG], np.ndarray], value: float
) -> None:
    with pytest.raises(FormatError, match=r"a sample of .* mV in lead aVR; at most 400 mV"):
        with_sample(toy[0][0], value)
    beat = np.zeros((12, 100), np.float32)
    beat[3, 50] = value
    with pytest.raises(FormatError, match="sample"):
        RepresentativeBeat(beat, 100.0)


@pytest.mark.parametrize(("format", "spared"), [("wfdb", 12), ("dicom", 12), ("edf", 11)])
def test_a_spike_in_one_lead_coarsens_no_other(
    toy: tuple[list[ECG], np.ndarray],
    tmp_path: Path,
    format: str,
    spared: int,
) -> None:
    ecg = with_sample(toy[0][0], 300.0)
    again = read_ecg(write_ecg(ecg, tmp_path, "spike", format))
    said = [doubt.sentence for doubt in again.doubts]
    assert any("aVR has a sample 300 mV from the rest" in text for text in said), said
    off = np.abs(again.signal - ecg.signal).max(axis=1)
    fine = off < 0.51e-3
    assert fine.sum() == spared
    assert fine[[i for i in range(len(LEADS)) if i != 3]].all()


def test_hdf5_reads_no_other_file(tmp_path: Path) -> None:
    import h5py

    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.arange(12 * 5000, dtype="<f8").tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["ecg"] = np.ones((12, 5000))
    made = {name: tmp_path / f"{name}.h5" for name in ("storage", "link", "virtual", "soft")}
    with h5py.File(made["storage"], "w") as file:
        file.create_dataset("ecg", (12, 5000), "<f8", external=[(str(secret), 0, 480_000)])
    with h5py.File(made["link"], "w") as file:
        file["ecg"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/ecg")
    with h5py.File(made["virtual"], "w") as file:
        layout = h5py.VirtualLayout((12, 5000), "<f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "ecg", (12, 5000))
        file.create_virtual_dataset("ecg", layout)
    with h5py.File(made["soft"], "w") as file:
        file["there"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
        file["ecg"] = h5py.SoftLink("/there/ecg")
    for name, path in made.items():
        with pytest.raises(FormatError, match="a file that holds its numbers itself is needed"):
            parse_input(f"{name}.h5", path.read_bytes(), ReadOptions(fs=500.0, unit="mV"))


def test_what_takes_much_memory_is_refused_before(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    lists = io.BytesIO()
    pq.write_table(pa.table({"I": [[0.0] * 1_000_000] * 12}), lists)
    wide = io.BytesIO()
    pq.write_table(pa.table({f"c{k}": [0.0] for k in range(1001)}), wide)
    webp = io.BytesIO()
    Image.new("1", (6000, 5990)).save(webp, "WEBP")
    for name, data, message in (
        ("a.xml", b"<RestingECG " + b'a=""' * 310_000 + b"/>", "more than 300000 XML attributes"),
        ("a.csv", b"1,2\n" * 9 + b"1," * 600_000, "a line of more than 1 MB"),
        ("a.parquet", lists.getvalue(), "holds lists in its cells"),
        ("a.parquet", wide.getvalue(), "1001 columns; at most 1000"),
        ("a.webp", webp.getvalue(), "WebP of 6000 x 5990 px; at most 18 million pixels"),
    ):
        with pytest.raises(FormatError, match=message):
            parse_input(name, data)


def fails(path: Path) -> str:
    """Stand for work on a file; names say what becomes of it."""
    if path.stem == "index":
        return str([][1])
    if path.stem == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    return path.stem


def on_job(job: Job) -> str:
    return fails(job.path)


def test_a_fault_of_ours_on_one_file_costs_no_other_its_result() -> None:
    jobs = [Job(Path(f"{name}.hea"), f"{name}.hea") for name in ("a", "index", "b")]
    first, failed, last = outcomes(on_job, jobs, 1)
    assert (first, last) == ("a", "b")
    assert isinstance(failed, Failure)
    assert re.fullmatch(r"index\.hea: dyssync itself failed on it \(IndexError.*", failed.problem)


@pytest.mark.slow
def test_a_file_that_ends_its_process_costs_no_other_its_result() -> None:
    names = [f"f{k}" for k in range(40)]
    names[3] = names[20] = "crash"
    found = list(each_for_itself(fails, [Path(n) for n in names], str, workers=2, together=4))
    assert found == names


def test_cells_are_no_formulas_and_ids_survive_their_file(tmp_path: Path) -> None:
    ids = ["=1+1", "-12", "@x", "'=1", "NA", "null", "007", "1e5", "a\nb", "P1"]
    table = pd.DataFrame({"patient_id": ids, "=x": ["+y"] * len(ids), "p": -0.5})
    write_csv(tmp_path / "t.csv", table)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@")) or cell == "-12"]
    pd.testing.assert_frame_equal(read_csv(tmp_path / "t.csv"), table, check_dtype=False)
