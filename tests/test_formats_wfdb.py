"""WFDB records: the decoders against the wfdb package, the writer against the reader."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, parse_ecg, read_ecg, read_recording
from dyssync.formats.wfdb import write_wfdb
from dyssync.formats.wfdb.samples import SAMPLE_FORMATS, n_samples_in

with warnings.catch_warnings():  # its import calls what pandas 3 deprecates
    warnings.simplefilter("ignore")
    import wfdb


def synthetic(n: int = 1000, fs: float = 500.0, scale: float = 1.0) -> ECG:
    """Return a 12-lead signal that obeys Einthoven, with a sharp wave a second."""
    time = np.arange(n) / fs
    beat = np.exp(-(((time % 1.0) - 0.4) ** 2) / 2e-4) * scale
    lead_i, lead_ii = 0.7 * beat, 1.1 * beat + 0.05 * scale * np.sin(2 * np.pi * time)
    limb = [lead_i, lead_ii, lead_ii - lead_i, -(lead_i + lead_ii) / 2]
    limb += [lead_i - lead_ii / 2, lead_ii - lead_i / 2]
    chest = [(k - 2.5) * beat * 0.4 + 0.01 * scale * k for k in range(6)]
    return ECG(np.stack(limb + chest).astype(np.float32), fs, age=51.0, sex="F")


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # in the wfdb package
@pytest.mark.parametrize("fmt", ["16", "24", "32", "61", "80", "160", "212", "310", "311"])
def test_decoders_agree_with_the_wfdb_package(fmt: str, tmp_path: Path) -> None:
    data = np.random.default_rng(3).bytes(3600)
    n = n_samples_in(SAMPLE_FORMATS[fmt], len(data)) // 3
    (tmp_path / "rec.dat").write_bytes(data)
    lines = [f"rec 3 250 {n}", *(f"rec.dat {fmt} 200/mV 12 0 0 0 0 {name}" for name in "abc")]
    (tmp_path / "rec.hea").write_text("\n".join(lines) + "\n")
    expected = wfdb.rdrecord(str(tmp_path / "rec"), physical=False, return_res=64).d_signal
    decoded = SAMPLE_FORMATS[fmt].decode(data, 3 * n).reshape(n, 3)
    # wfdb 4.3.1 leaves some 10-bit values of format 311 without their sign (531 for -493)
    assert not ((decoded - expected) % (1024 if fmt == "311" else 2**33)).any()


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # in the wfdb package
@pytest.mark.parametrize(
    ("fmt", "least"),
    [
        ("16", b"\0\x80"), ("24", b"\0\0\x80"), ("32", b"\0\0\0\x80"), ("61", b"\x80\0"),
        ("80", b"\0"), ("160", b"\0\0"), ("212", b"\0\x08"), ("310", b"\0\x04"),
        ("311", b"\0\x02"),
    ],
)  # fmt: skip
def test_the_least_number_of_a_format_is_no_sample_as_in_the_wfdb_package(
    fmt: str, least: bytes, tmp_path: Path
) -> None:
    data = least.ljust(3600, b"\1")
    (tmp_path / "rec.dat").write_bytes(data)
    (tmp_path / "rec.hea").write_text(f"rec 1 250 100\nrec.dat {fmt} 200/mV 12 0 0 0 0 a\n")
    expected = wfdb.rdrecord(str(tmp_path / "rec")).p_signal[:, 0]
    stored = SAMPLE_FORMATS[fmt]
    missing = stored.decode(data, 100) == stored.invalid
    assert missing.tolist() == np.isnan(expected).tolist() == [True] + [False] * 99


@settings(max_examples=25, deadline=None)
@given(
    scale=st.floats(0.5, 5.0),
    offset=st.floats(-90.0, 90.0),
    fs=st.sampled_from([100.0, 257.0, 500.0, 1000.0]),
)
def test_round_trip_keeps_half_a_step(
    tmp_path_factory: pytest.TempPathFactory, scale: float, offset: float, fs: float
) -> None:
    ecg = synthetic(1200, fs, scale)
    ecg = replace(ecg, signal=ecg.signal + np.float32(offset))  # an electrode's
    folder = tmp_path_factory.mktemp("round")
    back = read_ecg(write_wfdb(ecg, folder, "rec-1"))
    step = max(1e-3, float(np.abs(ecg.signal).max()) / 32767)
    assert np.abs(back.signal - ecg.signal).max() <= step / 2 * 1.001 + 8e-6  # float32 there
    assert (back.fs, back.age, back.sex, back.source.format) == (fs, 51.0, "F", "wfdb")


def test_what_we_write_the_wfdb_package_reads(tmp_path: Path) -> None:
    ecg = synthetic()
    write_wfdb(ecg, tmp_path, "rec")
    record = wfdb.rdrecord(str(tmp_path / "rec"))
    assert record.sig_name == list(LEADS)
    assert np.abs(record.p_signal.T - ecg.signal).max() <= 0.5001e-3


def record(header: str, dat: bytes | None = None) -> ECG:
    """Parse a header in memory with one signal file of twelve int16 columns beside it."""
    if dat is None:
        dat = np.rint(synthetic().signal.T * 1000).astype("<i2").tobytes()
    return parse_ecg("rec.hea", header.encode(), beside={"rec.dat": dat})


def header(first: str = "rec 12 500 1000", gain: str = "1000/mV", file: str = "rec.dat") -> str:
    return "\n".join([first, *(f"{file} 16 {gain} 16 0 0 0 0 {lead}" for lead in LEADS)]) + "\n"


def test_microvolt_and_volt_gains_are_respected() -> None:
    expected = record(header()).signal
    for gain in ("1/uV", "1e6/V", "1/µV", "1000"):
        assert np.allclose(record(header(gain=gain)).signal, expected, atol=1e-6)


def test_challenge_date_and_age_are_read() -> None:
    ecg = record(
        header("rec 12 500 1000 12:33:59 12-May-2020") + "#Age: 51\n#Sex: Female\n#Dx: 1\n"
    )
    assert ecg.recorded_at is not None
    assert ecg.recorded_at.isoformat() == "2020-05-12T12:33:59"
    assert (ecg.age, ecg.sex, ecg.notes["diagnosis codes"]) == (51.0, "F", "1")


def test_any_lead_order_and_case_gives_the_standard_order() -> None:
    ecg = synthetic()
    order = [11, 3, 0, 7, 5, 1, 2, 4, 6, 8, 9, 10]
    dat = np.rint(ecg.signal.T[:, order] * 1000).astype("<i2").tobytes()
    lines = ["rec 12 500 1000"]
    lines += [f"rec.dat 16 1000/mV 16 0 0 0 0 {LEADS[i].lower()}" for i in order]
    assert np.allclose(record("\n".join(lines), dat).signal, ecg.signal, atol=0.51e-3)


def test_limb_leads_are_derived_and_noted() -> None:
    ecg = synthetic()
    dat = np.rint(ecg.signal.T[:, [0, 1, *range(6, 12)]] * 1000).astype("<i2").tobytes()
    names = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    lines = ["rec 8 500 1000", *(f"rec.dat 16 1000/mV 16 0 0 0 0 {name}" for name in names)]
    back = record("\n".join(lines), dat)
    assert np.allclose(back.signal, ecg.signal, atol=1.1e-3)
    assert back.notes["derived leads"] == "III, aVR, aVL, aVF"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (header(gain="1000/mmHg"), "rec.hea: lead I: unknown unit (4 characters); mV, uV, V or nV"),
        (header(gain="0"), "rec.hea: lead I states no gain"),
        (header("rec 12"), "rec.hea: states no sampling rate"),
        (header(file="gone.dat"), "rec.hea: a signal file that it names is missing"),
        (header(file="../rec.dat"), "rec.hea: refers to a file elsewhere; only a file of the same"),
        (header(file="/etc/passwd"), "rec.hea: refers to a file elsewhere"),
        (header(file="..\\rec.dat"), "rec.hea: refers to a file elsewhere"),
        (header("rec 12 500 2000"), "holds 1000 samples a lead, the header claims 2000"),
        (header("rec 12 500 99999999999"), "claims 12 leads of 99999999999 samples; at most"),
        (header("rec 13 500 1000"), "claims 13 signals but describes 12"),
        (header("rec/2 12 500 1000"), "several segments"),
        (header("rec 1 500 1000"), "1 leads (I), 12 needed"),
        (header("rec 257 500 1000"), "claims 257 signals; 1 to 256"),
        (
            header().replace("0 0 0 I\n", "7 5 0 I\n"),
            "checksum of I, II, III",
        ),
        (header().replace("V6", "V5"), "lead V5 is there twice"),
        (header().replace("V6", "X"), "missing V6"),
    ],
)
def test_broken_headers_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        record(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_link_out_of_the_folder_is_not_followed_by_name(tmp_path: Path) -> None:
    (tmp_path / "secret.dat").write_bytes(b"\0" * 24000)
    inner = tmp_path / "in"
    inner.mkdir()
    (inner / "rec.hea").write_text(header(file="../secret.dat"))
    with pytest.raises(FormatError, match="only a file of the same folder"):
        read_ecg(inner / "rec.hea")


def test_a_stated_rate_cannot_be_overruled() -> None:
    with pytest.raises(FormatError, match="the file says 500 Hz, the option fs says 250 Hz"):
        parse_ecg(
            "rec.hea",
            header().encode(),
            ReadOptions(fs=250),
            {"rec.dat": np.rint(synthetic().signal.T * 1000).astype("<i2").tobytes()},
        )


def test_signal_file_and_bare_name_lead_to_the_header(tmp_path: Path) -> None:
    write_wfdb(synthetic(), tmp_path, "rec")
    digests = {read_ecg(tmp_path / name).source.sha256 for name in ("rec", "rec.dat", "rec.hea")}
    assert len(digests) == 1


@pytest.mark.real_data
def test_real_records_agree_with_the_wfdb_package(shared_data: Path) -> None:
    headers = sorted((shared_data / "ludb/records").glob("1*.hea"))[:5]
    headers += sorted((shared_data / "ptbxl/records").glob("*.hea"))[:5]
    headers += sorted((shared_data / "cinc/torch_ecg").glob("HR*.hea"))[:2]
    headers += sorted((shared_data / "qtdb").glob("sel1*.hea"))[:2]
    headers += [shared_data / "formats/wfdb-misc/s0010_re.hea"]
    for path in headers:
        ours, theirs = read_recording(path), wfdb.rdrecord(str(path.with_suffix("")))
        assert ours.fs == theirs.fs
        for index, name in enumerate(theirs.sig_name):
            assert np.abs(ours.channels[name] - theirs.p_signal[:, index]).max() < 1e-9


@pytest.mark.real_data
def test_challenge_headers_that_wfdb_refuses_are_read(shared_data: Path) -> None:
    ecg = read_ecg(shared_data / "cinc/awwong1/Q1804.hea")
    assert (ecg.fs, ecg.age, ecg.sex) == (500.0, 69.0, "M")
