"""Text and array files: rate and unit are declared, never assumed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, parse_ecg, read_ecg
from dyssync.formats.csv import write_csv

FS_MV = ReadOptions(fs=250, unit="mV")


def signal(n: int = 300) -> np.ndarray:
    """Return (12, n) float32 mV that obeys Einthoven; every lead differs."""
    rng = np.random.default_rng(5)
    waves = np.cumsum(rng.normal(0, 0.05, (8, n)), axis=1)
    lead_i, lead_ii = waves[:2]
    limb = [lead_i, lead_ii, lead_ii - lead_i, -(lead_i + lead_ii) / 2]
    limb += [lead_i - lead_ii / 2, lead_ii - lead_i / 2]
    return np.stack([*limb, *waves[2:]]).astype(np.float32)


def rows(scale: float = 1.0, delimiter: str = ",", comma: bool = False) -> str:
    text = "\n".join(delimiter.join(f"{x * scale:.6f}" for x in row) for row in signal().T)
    return text.replace(".", ",") if comma else text


def read_text(text: str, options: ReadOptions = FS_MV, encoding: str = "utf-8") -> ECG:
    return parse_ecg("a.csv", text.encode(encoding), options)


@pytest.mark.parametrize(
    "text",
    [
        "# fs: 250\n# unit: mV\n" + ",".join(LEADS) + "\n" + rows(),
        "fs=250 Hz\nunit: uV\n" + ",".join(LEADS) + "\n" + rows(1000),
        "# fs: 250\n" + ";".join(f"{lead} (mV)" for lead in LEADS) + "\n" + rows(1, ";", True),
        "\n\nSome Clinic 3000\nfs: 250\nunit: mV\n\n" + "\t".join(LEADS) + "\n" + rows(1, "\t"),
        "# fs: 250\n# unit: mV\n\n\n" + rows(1, "   ") + "\n\n",
        "# fs: 250\nMDC_ECG_LEAD_"
        + ",MDC_ECG_LEAD_".join(LEADS)
        + "\n"
        + ",".join(["uV"] * 12)
        + "\n"
        + rows(1000),
    ],
    ids=["plain", "microvolt", "semicolons", "tabs", "blanks", "unit-row"],
)
def test_text_tables_of_many_styles_read_alike(text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        ecg = read_text(text.replace("\n", "\r\n"), ReadOptions(), encoding)
        assert ecg.fs == 250
        assert np.allclose(ecg.signal, signal(), atol=2e-6)


def test_a_decimal_comma_may_come_late() -> None:
    whole = ";".join(["0"] * 12)
    ecg = read_text(f"{';'.join(LEADS)}\n{whole}\n{rows(1, ';', comma=True)}")
    assert np.allclose(ecg.signal[:, 1:], signal(), atol=2e-6)


def test_time_column_with_a_unit_declares_the_rate() -> None:
    lines = ["Time (ms)," + ",".join(f"{lead} (mV)" for lead in LEADS)]
    lines += [f"{4 * i}," + ",".join(map(str, row)) for i, row in enumerate(signal().T)]
    assert read_text("\n".join(lines), ReadOptions()).fs == 250
    del lines[100]
    with pytest.raises(FormatError, match="gaps"):
        read_text("\n".join(lines), ReadOptions())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",".join(LEADS) + "\n" + rows(), "a.csv: states no sampling rate; declare it: fs=500"),
        ("# fs: 250\n" + ",".join(LEADS) + "\n" + rows(), "states no unit; declare it: unit='mV'"),
        ("# fs: fast\n" + rows(), "the sampling rate is no number; one of Hz is needed"),
        ("# fs: 250\n# unit: furlong\n" + rows(), "unknown unit; mV"),
        ("# fs: 250\n# unit: mV\n" + rows()[:-3000].rsplit(",", 3)[0], "line 2"),
        ("# fs: 250\n# unit: mV\n" + rows().replace("\n", "\nx,", 3), "columns"),
        ("# fs: 250\n# unit: mV\n" + rows(1000), "looks like microvolt"),
        ("# fs: 250\n# unit: mV\nI,II,V1\n" + rows(), "3 column titles over 12 columns"),
    ],
)
def test_undeclared_or_broken_tables_are_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_text(text, ReadOptions())
    assert message in str(caught.value)


def test_columns_without_names_must_obey_einthoven() -> None:
    ecg = read_text(rows())
    assert "usual order" in ecg.notes["column order"]
    shuffled = signal()[[1, 0, *range(2, 12)]].T
    text = "\n".join(",".join(map(str, row)) for row in shuffled)
    with pytest.raises(FormatError, match=r"do not start with the limb leads. Name the columns"):
        read_text(text)
    named = ReadOptions(fs=250, unit="mV", leads=("II", "I", *LEADS[2:]))
    assert np.allclose(read_text(text, named).signal, signal())


def test_csv_round_trip_is_exact(tmp_path: Path) -> None:
    ecg = ECG(signal(), 250.0, age=60.0, sex="M")
    back = read_ecg(write_csv(ecg, tmp_path, "a"))
    assert np.array_equal(back.signal, ecg.signal)
    assert (back.fs, back.age, back.sex) == (250.0, 60.0, "M")


@pytest.mark.parametrize("transpose", [False, True])
def test_npy_and_npz_read_alike(transpose: bool) -> None:
    array = signal().T if transpose else signal()
    npy, npz, by_lead = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, np.asfortranarray(array))
    np.savez_compressed(npz, signal=array * 1000, fs=250, unit="uV", leads=LEADS, age=44, sex="F")
    np.savez(by_lead, fs=250, unit="mV", **dict(zip(LEADS, signal(), strict=True)))
    for data, options in ((npy, FS_MV), (npz, ReadOptions()), (by_lead, ReadOptions())):
        assert np.allclose(parse_ecg("a", data.getvalue(), options).signal, signal(), rtol=1e-6)
    assert parse_ecg("a", npz.getvalue()).age == 44


def test_npy_with_objects_or_absurd_shape_is_refused() -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match="plain numbers are needed"):
        parse_ecg("a.npy", stream.getvalue(), FS_MV)
    stream = io.BytesIO()
    np.save(stream, signal())
    claimed = stream.getvalue().replace(b"(12, 300)", b"(12,9**9)").replace(b"9**9", b"99999999")
    with pytest.raises(FormatError, match=r"a.npy: "):
        parse_ecg("a.npy", claimed, FS_MV)
