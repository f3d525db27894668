"""Files made to hurt: bombs, absurd claims, external references, and what fuzzing found."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, list_files, parse_input, read_ecgs
from dyssync.formats.reading.recording import MAX_SAMPLES

GOLDEN = Path(__file__).parent / "golden" / "formats"


def refused(name: str, data: bytes, message: str, options: ReadOptions | None = None) -> None:
    with pytest.raises(FormatError) as caught:
        parse_input(name, data, options or ReadOptions(), {})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


ROOTS = {
    "muse-xml": "RestingECG",
    "sierra-xml": "restingecgdata",
    "hl7-aecg": "AnnotatedECG",
    "schiller-xml": "com.xiriuz.sema.xml.schillerEDI.SchillerEDI",
}
LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = (
    f'[<!ENTITY e0 "ha">{LAUGHS}]',  # a billion of them
    f'[<!ENTITY e9 "{"a" * 100_000}">]',
    '[<!ENTITY e9 SYSTEM "file:///etc/passwd">]',
    '[<!ENTITY % p SYSTEM "http://localhost/x.dtd"> %p;]',
)


@pytest.mark.parametrize("doctype", DOCTYPES, ids=["laughs", "quadratic", "file", "network"])
@pytest.mark.parametrize("format", ROOTS)
def test_xml_with_entities_or_external_parts_is_refused(format: str, doctype: str) -> None:
    root = ROOTS[format]
    text = f"<?xml version='1.0'?><!DOCTYPE {root} {doctype}><{root}>{'&e9;' * 1000}</{root}>"
    expected = "XML with entities or external parts is refused"
    refused("bomb.xml", text.encode(), expected, ReadOptions(format))


def test_xml_of_a_million_elements_is_refused_unparsed() -> None:
    refused("deep.xml", b"<RestingECG>" + b"<a/>" * 1_100_000, "more than 500000 XML elements")


def test_what_would_fill_the_memory_is_refused_before_it_is_taken_apart() -> None:
    deep = b"<RestingECG>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</RestingECG>"
    refused("a.xml", deep, "XML elements nested 100 deep")
    aecg = golden("biosig.aecg.xml")
    at = aecg.index(b"<digits>") + 8
    refused("a.xml", aecg[:at] + b"1 " * 2_000_001 + aecg[at:], "more than 2 million numbers")
    refused("a.csv", b"1,2\n" * 3_000_001, "3000001 lines; at most 3000000 are read")


def test_xml_that_lies_about_its_encoding_is_still_read() -> None:
    text = golden("golden.sierra.xml").decode("utf-16")
    again = parse_input("saved.xml", text.encode("utf-8"), ReadOptions())
    assert again.source.format == "sierra-xml"


def test_muse_checksum_and_count_are_compared() -> None:
    data = golden("golden.muse.xml")
    at = data.rindex(b"<LeadDataCRC32>") + len(b"<LeadDataCRC32>")
    refused("a.xml", data[:at] + b"1" + data[at:], "lead V6: checksum is wrong")
    claimed = data.replace(b"Total>200<", b"Total>2000000000<")
    refused("a.xml", claimed, "claims 1 leads of 2000000000 samples")


def test_unit_less_and_scale_less_samples_are_refused() -> None:
    muse = golden("golden.muse.xml")
    refused("a.xml", muse.replace(b"MICROVOLTS", b"FURLONGS"), "unknown unit")
    aecg = golden("biosig.aecg.xml")
    refused("a.xml", aecg.replace(b'unit="uV"', b'unit=""'), "unknown unit")
    refused("a.xml", golden("golden.schiller.xml").replace(b">UV<", b">X<"), "unknown unit")
    edf = golden("golden.edf")
    refused("a.edf", edf.replace(b"uV      ", b"        "), "lead I: unknown unit")


def test_dicom_adds_the_baseline_after_scaling() -> None:
    # golden.dcm stores (x - 250 uV) / 5 uV: the contract test reads x; without unit it is refused.
    data = golden("golden.dcm")
    refused("a.dcm", data.replace(b"uV", b"mm", 1), "lead I: unknown unit")


def test_dicom_deflate_is_refused_uninflated() -> None:
    data = golden("golden.dcm").replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    assert b"1.2.1.99" in data
    refused("a.dcm", data, "a.dcm: ")


def test_ten_gigabytes_claimed_in_a_kilobyte_are_refused() -> None:
    hea = "\n".join(["r 12 500 900000000", *[f"r.dat 16 200/mV 16 0 0 0 0 {i}" for i in range(12)]])
    with pytest.raises(FormatError, match="claims 12 leads of 900000000 samples"):
        parse_input("r.hea", hea.encode(), ReadOptions(), {"r.dat": b"\0" * 1000})
    edf = bytearray(golden("golden.edf"))
    edf[236:244] = b"99999999"
    refused("a.edf", bytes(edf), "claims 800 leads of 99999999 samples")
    ishne = bytearray(golden("golden.ecg"))
    ishne[8:10] = b"\0\0"
    struct.pack_into("<i", ishne, 14, 2_000_000_000)
    refused("a.ecg", bytes(ishne), "claims 1 leads of 2000000000 samples")
    mat = struct.pack("<5i", 10, 12, 100_000_000, 0, 4) + b"val\0"
    refused("a.mat", mat + b"\0" * 900, "claims 12 x 100000000 numbers, the file is shorter")
    sierra = golden("golden.sierra.xml").decode("utf-16")
    bomb = sierra.replace('durationperchannel="2600"', 'durationperchannel="99999999999"')
    refused("a.xml", bomb.encode("utf-16"), "samples; too many")
    # Found by fuzzing: a product beyond all numbers.
    bomb = bomb.replace('samplespersecond="100"', 'samplespersecond="1e308"')
    refused("a.xml", bomb.encode("utf-16"), "are inf samples; too many")
    npy = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        npy, {"descr": "<f8", "fortran_order": False, "shape": (12, MAX_SAMPLES)}
    )
    refused("a.npy", npy.getvalue() + b"\0" * 900, "the file is shorter; truncated?")


# Found by fuzzing: numpy warns of "a"; objects would need pickle.
@pytest.mark.parametrize("descr", ["|a3", "|O", "<M8[s]", "|V8", "<U0", "<c16", "f8,f8"])
def test_numpy_arrays_of_anything_but_numbers_are_refused(descr: str) -> None:
    npy = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": (12, 5000)}
    np.lib.format.write_array_header_1_0(npy, header)
    refused("a.npy", npy.getvalue() + b"\0" * 480_000, "plain numbers are needed")


def test_ten_gigabytes_claimed_in_a_container_are_refused() -> None:
    import h5py
    import pydicom

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:  # chunks that were never written take no room
        file.create_dataset("ecg", (12, 200_000_000), "f4", chunks=(12, 1000))
    assert len(stream.getvalue()) < 10_000
    refused("a.h5", stream.getvalue(), "claims 12 leads of 200000000 samples")
    dataset = pydicom.dcmread(GOLDEN / "golden.dcm")
    dataset.WaveformSequence[0].NumberOfWaveformSamples = 4_000_000_000
    stream = io.BytesIO()
    dataset.save_as(stream)
    refused("a.dcm", stream.getvalue(), "claims 8 leads of 4000000000 samples")
    scp = bytearray(golden("golden.scp"))
    scp[:2] = b"\0\0"
    section_3 = struct.unpack_from("<I", scp, 22 + 10 * 3 + 6)[0] - 1 + 16
    struct.pack_into("<I", scp, section_3 + 6, 4_000_000_000)
    refused("a.scp", bytes(scp), "claims 1 leads of 4000000000 samples")


def without_samples() -> dict[str, bytes]:
    """Return a file without a single sample for every format that can hold none."""
    from scipy.io import savemat

    muse, schiller = golden("golden.muse.xml").decode(), golden("golden.schiller.xml").decode()
    sierra, aecg = golden("golden.sierra.xml").decode("utf-16"), golden("biosig.aecg.xml").decode()
    edf = golden("golden.edf")
    ishne = bytearray(golden("golden.ecg"))
    ishne[8:10], ishne[14:18] = b"\0\0", b"\0" * 4
    scp = bytearray(golden("golden.scp"))
    scp[:2] = b"\0\0"
    section_3 = struct.unpack_from("<I", scp, 22 + 10 * 3 + 6)[0] - 1 + 16
    struct.pack_into("<II", scp, section_3 + 2, 1, 0)
    npy, mat = io.BytesIO(), io.BytesIO()
    np.save(npy, np.zeros((12, 0)))
    savemat(mat, {"val": np.zeros((12, 0)), "fs": 100, "unit": "mV"})
    csv = golden("golden.csv").decode().splitlines()[:5]
    made = {
        "hea": golden("golden.hea").decode().replace("golden 12 100 200", "golden 12 100 0"),
        "muse.xml": re.sub("(?s)<WaveFormData>.*?</W", "<WaveFormData></W", muse),
        "sierra.xml": sierra.replace('"2600"', '"0"'),
        "aecg.xml": re.sub("(?s)<digits>.*?</", "<digits></", aecg),
        "schiller.xml": re.sub("<data>.*?</", "<data></", schiller),
        "csv": "\n".join(csv),
    }
    return {name: text.encode() for name, text in made.items()} | {
        "edf": edf[:236] + b"0       " + edf[244 : 256 * 9],
        "ecg": bytes(ishne[:522]),
        "scp": bytes(scp),
        "npy": npy.getvalue(),
        "mat": mat.getvalue(),
    }


@pytest.mark.parametrize("name", without_samples())
def test_files_without_samples_are_refused(name: str) -> None:
    format = {
        "hea": "wfdb", "muse.xml": "muse-xml", "sierra.xml": "sierra-xml", "aecg.xml": "hl7-aecg",
        "schiller.xml": "schiller-xml", "csv": "csv", "edf": "edf", "ecg": "ishne",
        "scp": "scp-ecg", "npy": "numpy", "mat": "matlab",
    }[name]  # fmt: skip
    options = ReadOptions(format, 100.0, "mV")
    with pytest.raises(FormatError, match=r"^empty: .*(sample|number|matrix|12 needed|shape)"):
        parse_input("empty", without_samples()[name], options, {"golden.dat": b""})


def test_compressed_bombs_are_refused_packed() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signal.npy", b"\0" * 100_000_000)
    refused("a.npz", stream.getvalue(), "unpacks to more than 64 MB")
    packed = zlib.compress(b"\0" * 100_000_000)
    mat = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, len(packed))
    refused("a.mat", mat + packed, "unpacks to more than 64 MB")


def test_pictures_of_absurd_size_are_refused_undecoded() -> None:
    def png(width: int, height: int) -> bytes:
        head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
        return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\1IDAT"

    refused("a.png", png(10_000, 10_000), "picture is 10000 x 10000 px; at most 36 million")
    refused("a.png", png(60_000, 60_000), "picture of absurd size")
    refused("a.png", png(9, 900), "picture is 9 x 900 px; at least 32 px")
    refused("a.png", golden("golden.png"), "has no page 2", ReadOptions(page=2))
    refused("a.pdf", golden("golden.pdf"), "has 1 pages, page 2", ReadOptions(page=2))


def test_leads_recorded_one_after_the_other_are_refused() -> None:
    aecg = golden("biosig.aecg.xml")
    component = b'<component typeCode="COMP" contextConductionInd="true">'
    start = aecg.index(component, aecg.index(b"<sequenceSet"))
    time = aecg[start : aecg.index(b"</component>", start) + len(b"</component>")]
    later = time.replace(b"20130125", b"20130126")
    chest = aecg.rindex(component, 0, aecg.index(b'code="ECG V1"'))
    wrap = b"</sequenceSet></component><component><sequenceSet>"
    refused("a.xml", aecg[:chest] + wrap + later + aecg[chest:], "one after the other")
    together = parse_input("a.xml", aecg[:chest] + wrap + time + aecg[chest:])
    assert together.source.format == "hl7-aecg"
    muse = golden("golden.muse.xml").replace(
        b"<LeadID>V6", b"<LeadTimeOffset>2500</LeadTimeOffset><LeadID>V6"
    )
    refused("a.xml", muse, "one after the other")


def test_scp_checksum_pointer_and_codes_are_checked() -> None:
    data = golden("golden.scp")
    refused("a.scp", data[:-3] + b"\1\1\1", "the checksum of the file is wrong")
    no_crc = bytearray(data)
    no_crc[:2] = b"\0\0"
    beyond = bytearray(no_crc)
    struct.pack_into("<I", beyond, 22 + 10 * 6 + 6, 10**9)
    refused("a.scp", bytes(beyond), "section 6 lies beyond the end of the file")


def test_xml_in_another_encoding_than_it_states_is_refused() -> None:
    text = golden("golden.schiller.xml").decode().replace("SECRET", "Müller")
    refused("a.xml", text.encode("latin-1"), "byte 0xfc at place")
    assert parse_input("a.xml", text.encode()).source.format == "schiller-xml"
    honest = text.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"')
    assert parse_input("a.xml", honest.encode("latin-1")).source.format == "schiller-xml"


def test_a_text_in_an_unknown_encoding_is_refused() -> None:
    lines = "# fs: 100\n# unit: mV\n" + "1,2,3\n" * 200
    refused("a.csv", lines.encode("utf-32"), "content is of no known format")
    refused("a.csv", lines.encode("cp037"), "content is of no known format")


def test_a_folder_is_read_lazily_and_its_problems_collected(tmp_path: Path) -> None:
    for name in ("golden.hea", "golden.dat", "golden.edf", "golden.png"):
        (tmp_path / name).write_bytes(golden(name))
    (tmp_path / "broken.xml").write_bytes(b"<RestingECG>")
    (tmp_path / ".hidden").write_bytes(b"x")
    outcomes = {outcome.path.name: outcome for outcome in read_ecgs(tmp_path)}
    assert set(outcomes) == {"golden.hea", "golden.edf", "golden.png", "broken.xml"}
    problem = outcomes["broken.xml"].problem
    assert problem is not None
    assert problem.startswith("broken.xml: XML is not well-formed")
    assert [path.name for path in list_files(tmp_path / "*.edf")] == ["golden.edf"]
    with pytest.raises(FormatError, match="no files"):
        list_files(tmp_path / "*.nothing")
