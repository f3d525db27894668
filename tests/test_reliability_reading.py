"""What is read is not trusted: file kinds, absurd samples, and what refusals may say of a file."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dyssync.ecg import ECG, LEADS, RepresentativeBeat
from dyssync.errors import FormatError, InputError
from dyssync.formats import ReadOptions, parse_input, read_ecg, write_ecg

GOLDEN = Path(__file__).parent / "golden" / "formats"
MARK = b"Zq7Kowalski"  # as a name in the wrong place


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


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a file that holds :data:`MARK` where something else should be."""
    at = int(rng.integers(0, len(data) if rng.random() < 0.3 else min(len(data), 3000)))
    cut = len(MARK) if rng.random() < 0.5 else int(rng.integers(0, 3))
    wide = data[:2] == b"\xff\xfe"
    return data[:at] + (MARK.decode().encode("utf-16-le") if wide else MARK) + data[at + cut :]


@pytest.mark.parametrize("name", sorted(p.name for p in GOLDEN.glob("*.*") if p.suffix != ".json"))
def test_a_refusal_quotes_nothing_of_the_file(name: str) -> None:
    data = (GOLDEN / name).read_bytes()
    beside = {"golden.dat": (GOLDEN / "golden.dat").read_bytes()}
    forced = None if name == "golden.dat" else parse_input(name, data, beside=beside).source.format
    rng = np.random.default_rng(0)
    apart = name.endswith((".pdf", ".mat", ".h5"))  # each in a process of its own
    told = 0
    for k in range(30 if apart else 150):
        try:
            parse_input("a", damaged(data, rng), ReadOptions(forced if k % 2 else None), beside)
        except InputError as error:
            told += 1
            said = str(error)
            assert not any(MARK.decode()[i : i + 4] in said for i in range(len(MARK) - 3)), said
            assert "SECRET" not in said  # which is the patient in all of these files
            assert said.isprintable()
    assert told > 1


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
    toy: tuple[list[ECG], np.ndarray], tmp_path: Path, format: str, spared: int
) -> None:
    ecg = with_sample(toy[0][0], 300.0)
    again = read_ecg(write_ecg(ecg, tmp_path, "spike", format))
    off = np.abs(again.signal - ecg.signal).max(axis=1)
    fine = off < 0.51e-3
    assert fine.sum() == spared
    assert fine[[i for i in range(len(LEADS)) if i != 3]].all()
