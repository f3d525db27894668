"""Every header field of every format broken in turn: refused in one line, or of no consequence.

A field that is empty or nonsense must not change the signal silently. Numbers put in its place may
make another legal file; those must only never crash.
"""

from __future__ import annotations

import io
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, parse_input

GOLDEN = Path(__file__).parent / "golden" / "formats"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
SIGNAL = np.array([EXPECTED["microvolts"][lead] for lead in LEADS]) / 1000.0  # mV
DAT = (GOLDEN / "golden.dat").read_bytes()
NONSENSE = ("", "x")
NUMBERS = ("0", "-1e99", "99999999999")


def outcome(format: str, data: bytes) -> ECG | None:
    """Return what is read, None where it was refused as it should be."""
    try:
        read = parse_input("file", data, ReadOptions(format), {"golden.dat": DAT})
    except FormatError as error:
        message = str(error)
    else:
        assert isinstance(read, ECG)
        return read
    assert message.startswith("file: ")
    assert "\n" not in message
    return None


def check(format: str, data: bytes, field: str, nonsense: bool) -> None:
    ecg = outcome(format, data)
    if nonsense and ecg is not None:
        assert ecg.fs == 100, f"{field} changed the rate"
        assert ecg.signal.shape == SIGNAL.shape, f"{field} changed the length"
        assert np.abs(ecg.signal - SIGNAL).max() < 1e-6, f"{field} changed the signal"


def text_fields(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the values of XML stand: short texts and attributes."""
    for match in re.finditer(r'="([^"]*)"|>([^<>\s][^<>]{0,80})<', text):
        yield match.span(1 if match[1] is not None else 2)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("golden.muse.xml", "muse-xml"),
        ("golden.sierra.xml", "sierra-xml"),
        ("biosig.aecg.xml", "hl7-aecg"),
        ("golden.schiller.xml", "schiller-xml"),
    ],
)
def test_fields_of_xml(name: str, format: str) -> None:
    data = (GOLDEN / name).read_bytes()
    text = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "latin-1")
    text = re.sub("<\\?xml[^>]*>", "", text)
    for start, end in list(text_fields(text)):
        for new in (*NONSENSE, *NUMBERS):
            changed = text[:start] + new + text[end:]
            field = text[max(0, start - 60) : end]
            check(format, changed.encode(), field, new in NONSENSE)


def dicom_elements(dataset: pydicom.Dataset) -> Iterator[tuple[pydicom.Dataset, int]]:
    for element in dataset:
        yield dataset, int(element.tag)
        if element.VR == "SQ":
            for item in element.value[:2]:  # the first two channels of eight
                yield from dicom_elements(item)


def test_fields_of_dicom() -> None:
    n_elements = len(list(dicom_elements(pydicom.dcmread(GOLDEN / "golden.dcm"))))
    assert n_elements > 60
    for number in range(n_elements):
        for new in (None, "", 0):
            dataset = pydicom.dcmread(GOLDEN / "golden.dcm")
            holder, tag = list(dicom_elements(dataset))[number]
            field = f"{holder[tag].keyword} = {new}"
            if new is None:
                del holder[tag]
            elif holder[tag].VR in {"US", "DS", "IS"}:
                holder[tag].value = None if new == "" else 0
            elif new == "":
                holder[tag].value = [] if holder[tag].VR == "SQ" else None
            else:
                continue
            stream = io.BytesIO()
            dataset.save_as(stream, enforce_file_format=False)
            # PS3.3 C.10.9.1.4.2: a correction of 1 and a baseline of 0 where they are left out
            silent = "Correction" in field or "Baseline" in field or new == 0
            check("dicom", stream.getvalue(), field, not silent)


def test_fields_of_edf() -> None:
    data = (GOLDEN / "golden.edf").read_bytes()
    widths = [8, 80, 80, 8, 8, 8, 44, 8, 8, 4]
    widths += [w for width in (16, 80, 8, 8, 8, 8, 8, 80, 8, 32) for w in [width] * 8]
    assert sum(widths) == 256 * 9
    at = 0
    for width in widths:
        for new in (*NONSENSE, *NUMBERS):
            changed = data[:at] + new.encode().ljust(width)[:width] + data[at + width :]
            # "" and "x" in the reserved field take EDF+C for EDF; both are continuous
            check("edf", changed, f"byte {at}: {new}", new in NONSENSE)
        at += width


def test_fields_of_wfdb() -> None:
    text = (GOLDEN / "golden.hea").read_text()
    for match in list(re.finditer(r"[^\s/():]+", text)):
        for new in (*NONSENSE, *NUMBERS):
            changed = text[: match.start()] + new + text[match.end() :]
            check("wfdb", changed.encode(), f"{match[0]} -> {new}", new in NONSENSE)


def test_words_of_ishne() -> None:
    data = bytearray((GOLDEN / "golden.ecg").read_bytes())
    data[8:10] = b"\0\0"  # no checksum
    for at in range(10, 522, 2):
        for value in (0, -1, 32767, -32768):
            changed = bytearray(data)
            struct.pack_into("<h", changed, at, value)
            outcome("ishne", bytes(changed))


@pytest.mark.parametrize("name", ["golden.scp", "tables.scp", "reference.scp"])
def test_bytes_of_scp(name: str) -> None:
    data = bytearray((GOLDEN / name).read_bytes())
    data[:2] = b"\0\0"  # no checksum
    starts = [struct.unpack_from("<I", data, 22 + 10 * n + 6)[0] - 1 for n in range(7)]
    places = {at for start in starts if start > 0 for at in range(start, start + 40)}
    for at in sorted(places | set(range(2, 160))):
        for value in (0, 0xFF):
            changed = bytearray(data)
            changed[at] = value
            outcome("scp-ecg", bytes(changed))


def test_declarations_of_tables() -> None:
    lines = (GOLDEN / "golden.csv").read_text().splitlines()
    for number in range(5):
        for new in (*NONSENSE, *NUMBERS, "# fs: x", "# unit: x"):
            changed = [*lines[:number], new, *lines[number + 1 :]]
            ecg = outcome("csv", "\n".join(changed).encode())
            assert ecg is None or number > 1 or ecg.fs == 100
            if ecg is not None:
                assert np.abs(ecg.signal - SIGNAL).max() < 1e-6


@pytest.mark.parametrize("field", ["fs", "unit", "leads", "signal", "age", "sex"])
def test_fields_of_npz(field: str) -> None:
    with np.load(GOLDEN / "golden.npz") as file:
        arrays = dict(file)
    for new in ([], "x", -1, float("nan"), [[1, 2], [3, 4]], 1e99):
        stream = io.BytesIO()
        np.savez(stream, **{**arrays, field: np.array(new)})
        ecg = outcome("numpy", stream.getvalue())
        if ecg is not None:
            assert np.abs(ecg.signal - SIGNAL).max() < 1e-6
            assert ecg.age == 51.0 or field == "age"
