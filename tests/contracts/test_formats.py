"""What every format owes: the right samples, sniffing by content, refusal of damaged files."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError, InputError
from dyssync.formats import (
    FORMATS,
    ReadOptions,
    parse_input,
    read_ecg,
    read_input,
    writable_formats,
    write_ecg,
)
from dyssync.image import ECGImage

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "formats"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
SIGNAL = np.array([EXPECTED["microvolts"][lead] for lead in LEADS]) / 1000.0  # mV

# Golden file to format; a format without a file fails the completeness test.
SIGNALS = {
    "golden.hea": "wfdb",
    "golden.dcm": "dicom",
    "golden.muse.xml": "muse-xml",
    "golden.sierra.xml": "sierra-xml",
    "biosig.aecg.xml": "hl7-aecg",
    "golden.schiller.xml": "schiller-xml",
    "golden.scp": "scp-ecg",
    "reference.scp": "scp-ecg",
    "tables.scp": "scp-ecg",
    "golden.edf": "edf",
    "biosig.edf": "edf",
    "golden.ecg": "ishne",
    "golden.parquet": "parquet",
    "golden.h5": "hdf5",
    "struct.mat": "matlab",
    "plain.mat": "matlab",
    "golden.npz": "numpy",
    "golden.csv": "csv",
}
PICTURES = {"golden.png": "picture", "golden.pdf": "pdf"}
ALL = {**SIGNALS, **PICTURES}
# Lines of text, and what follows samples or pixels, can end anywhere without a sign.
ENDS_ANYWHERE = {"golden.csv", "golden.hea", "golden.pdf", "golden.png"}
BESIDE = {"golden.dat": (GOLDEN / "golden.dat").read_bytes()}


def parse(name: str, data: bytes, options: ReadOptions | None = None) -> ECG | ECGImage:
    return parse_input(name, data, options or ReadOptions(), BESIDE)


def test_the_folder_of_formats_is_the_list_of_formats() -> None:
    folder = ROOT / "src" / "dyssync" / "formats"
    there = {path.stem for path in folder.iterdir() if not path.name.startswith("__")}
    assert there - {"reading"} == {name.replace("-", "_") for name in FORMATS}


def test_nothing_that_belongs_to_a_format_was_forgotten() -> None:
    docs = (ROOT / "docs" / "formats.md").read_text()
    makers = (GOLDEN.parent / "make_formats.py").read_text()
    makers += (GOLDEN.parent / "README.md").read_text()  # of files by other programs
    fuzzed = (ROOT / "fuzz" / "fuzz_guided.py").read_text()
    makefile = (ROOT / "Makefile").read_text()
    parsers = " ".join(re.findall(r"^(?:HAND_WRITTEN|BY_LIBRARY) := (.*)$", makefile, re.M))
    forgotten = []
    for name in FORMATS:
        golden = [file for file, format in ALL.items() if format == name]
        needed = {
            "a golden file in tests/golden/formats, named in this test": bool(golden),
            "its maker in tests/golden/make_formats.py": any(file in makers for file in golden),
            "a row in the table of docs/formats.md": f"\n| `{name}` | " in docs,
            "an entry in PARSERS of fuzz/fuzz_guided.py": f'"{name}"' in fuzzed,
            "its name in HAND_WRITTEN or BY_LIBRARY of the Makefile": name in parsers.split(),
        }
        forgotten += [f"{name} lacks {what}" for what, there in needed.items() if not there]
    assert not forgotten, "\n".join(forgotten)


@pytest.mark.parametrize("name", SIGNALS)
def test_golden_samples_are_read(name: str) -> None:
    ecg = read_ecg(GOLDEN / name)
    assert ecg.signal.dtype == np.float32
    assert not ecg.signal.flags.writeable
    assert ecg.fs == EXPECTED["fs"]
    assert ecg.signal.shape == SIGNAL.shape
    # BioSig rounds the physical range of its EDF to 8 characters: 0.035 uV on 5 uV steps.
    assert np.abs(ecg.signal - SIGNAL).max() < (4e-5 if name == "biosig.edf" else 1e-6)
    data = (GOLDEN / name).read_bytes()
    data += BESIDE["golden.dat"] if name == "golden.hea" else b""
    assert (ecg.source.name, ecg.source.format) == (name, SIGNALS[name])
    assert ecg.source.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", PICTURES)
def test_golden_pictures_stand_upright(name: str) -> None:
    image = read_input(GOLDEN / name)
    assert isinstance(image, ECGImage)
    height, width = image.pixels.shape[:2]
    assert width > height
    assert image.pixels[height // 6, width // 6].max() < 60  # dark corner, top left
    assert image.pixels[-height // 6, -width // 6].min() > 240
    with pytest.raises(FormatError, match=rf"{name}: is a picture; a signal file is needed"):
        read_ecg(GOLDEN / name)


@pytest.mark.parametrize("name", ALL)
def test_sniffing_picks_one_format_whatever_the_suffix(name: str) -> None:
    head = (GOLDEN / name).read_bytes()[:4096]
    for suffix in (".bin", ".dcm", ".png", ".xml", ""):
        path = Path(f"file{suffix}")
        assert [f for f in FORMATS if FORMATS[f].sniff(head, path)] == [ALL[name]]
    assert parse(f"{name}.bin", (GOLDEN / name).read_bytes()).source.format == ALL[name]


@pytest.mark.parametrize("name", SIGNALS)
def test_identifiers_are_dropped_unless_asked_for(name: str) -> None:
    ecg = read_ecg(GOLDEN / name)
    assert ecg.patient_id is None
    assert "SECRET" not in " ".join([*ecg.notes.keys(), *ecg.notes.values()])
    if b"SECRET" in (GOLDEN / name).read_bytes().replace(b"\0", b""):
        kept = read_ecg(GOLDEN / name, ReadOptions(keep_identifiers=True))
        assert kept.patient_id == "SECRET"
    assert ecg.age in (51.0, None)
    assert ecg.sex in ("F", None)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("name", ALL)
def test_truncated_files_are_refused(name: str, share: float) -> None:
    data = (GOLDEN / name).read_bytes()
    data = data[: int(len(data) * share)]
    try:
        read = parse(name, data, ReadOptions(format=ALL[name]))
    except FormatError as error:
        message = str(error)
    else:
        assert name in ENDS_ANYWHERE
        if isinstance(read, ECG):
            n = read.signal.shape[1] - (name == "golden.csv")  # the last number may be cut
            assert np.allclose(read.signal[:, :n], SIGNAL[:, :n], atol=1e-6)
        return
    assert message.startswith(f"{name}: ")
    assert "\n" not in message


@pytest.mark.parametrize("format", list(FORMATS))
@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"\xff" * 5000,
        b"<" * 5000,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
        "Übel".encode("utf-16"),
    ],
    ids=["zero", "ones", "brackets", "picture", "text"],
)
def test_forced_formats_refuse_what_they_are_not(format: str, data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^file.dcm: "):
        parse("file.dcm", data, ReadOptions(format=format))


@pytest.mark.parametrize("format", writable_formats())
def test_round_trip_keeps_half_a_step(format: str, tmp_path: Path) -> None:
    ecg = read_ecg(GOLDEN / "golden.muse.xml")
    wild = ECG(np.tile(ecg.signal * 8 + np.float32(3e-4), 3), 257.0, age=51.0, sex="F")
    for original in (ecg, wild):
        back = read_ecg(write_ecg(original, tmp_path, "rec", format))
        step = 1e-3 if np.abs(original.signal).max() < 32.767 else 1e-2
        assert np.abs(back.signal - original.signal).max() <= step / 2 + 1e-6
        assert (back.fs, back.age, back.sex) == (original.fs, 51.0, "F")
        assert back.recorded_at == original.recorded_at
        assert back.source.format == format


@pytest.mark.parametrize("format", writable_formats())
def test_a_folder_that_cannot_be_written_to_is_one_line(format: str, tmp_path: Path) -> None:
    ecg = read_ecg(GOLDEN / "golden.muse.xml")
    with pytest.raises(InputError, match=r"absent/rec\.\w+: cannot be written [^\n]*\Z"):
        write_ecg(ecg, tmp_path / "absent", "rec", format)
    write_ecg(ecg, tmp_path, "rec", format)
    assert {path.stem for path in tmp_path.iterdir()} == {"rec"}


def test_a_picture_named_as_signal_is_told_from_its_content(tmp_path: Path) -> None:
    path = tmp_path / "ecg.dcm"
    shutil.copy(GOLDEN / "golden.png", path)
    assert read_input(path).source.format == "picture"
