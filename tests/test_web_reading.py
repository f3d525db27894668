"""Uploads are read apart, within limits, and a refusal quotes nothing of them."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dyssync.ecg import ECG, Doubt
from dyssync.errors import CohortError, FormatError, TooLarge
from dyssync.formats import ReadOptions, parse_input, read_input
from dyssync.formats.reading.isolation import Apart
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.pages.reading_off import read_off
from dyssync.rendering import render_page
from dyssync.web.archive import MAX_UNPACKED_BYTES, main_file, plain_name, unpacked
from dyssync.web.facts import shown_facts, with_facts
from dyssync.web.paper import read_paper
from dyssync.web.readers import Readers, Upload
from dyssync.web.refusals import Refused, without_content
from dyssync.web.warming import some_heart
from dyssync.web.wire import Read, pack_input, packed, unpack_read

GOLDEN = Path(__file__).parent / "golden" / "formats"
READ = [
    *("golden.muse.xml", "golden.sierra.xml", "golden.schiller.xml", "golden.dcm", "golden.scp"),
    *("golden.edf", "golden.ecg", "golden.csv", "golden.parquet", "golden.h5", "golden.npz"),
    *("plain.mat", "golden.png", "golden.pdf", "biosig.aecg.xml", "golden.hea"),
]
NAME = "Quixotinsky"  # stands in no source of ours


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def zipped_by(method: int) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        archive.writestr("signal.csv", b"1,2,3\n" * 50)
    return held.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_any_byte_changed_is_read_or_refused(method: int) -> None:
    whole, refused = zipped_by(method), 0
    for at in range(4, len(whole)):
        for changed in (0, 255, whole[at] ^ 1):
            data = whole[:at] + bytes([changed]) + whole[at + 1 :]
            try:
                unpacked({"a.zip": data})
            except FormatError:
                refused += 1
    assert refused > len(whole) / 4


def test_a_locked_zip_is_refused_as_locked() -> None:
    data = bytearray(zipped_by(zipfile.ZIP_DEFLATED))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the flag in the list of members
    with pytest.raises(FormatError, match="without password"):
        unpacked({"a.zip": bytes(data)})


def wfdb_record() -> dict[str, bytes]:
    return {name: (GOLDEN / name).read_bytes() for name in ("golden.hea", "golden.dat")}


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    made = Readers(1, wall_limit_s=15)
    yield made
    made.end()


@pytest.mark.slow
@pytest.mark.xdist_group("web-reading")
class TestReadApart:
    @pytest.mark.parametrize("name", READ)
    def test_what_is_read_apart_is_what_is_read_here(self, readers: Readers, name: str) -> None:
        here = read_input(GOLDEN / name)
        files = wfdb_record() if name == "golden.hea" else {name: (GOLDEN / name).read_bytes()}
        apart = readers.read(Upload(files))
        assert type(apart) is type(here)
        assert (apart.source.format, apart.source.sha256) == (
            here.source.format,
            here.source.sha256,
        )
        assert apart.source.name == "upload"
        if isinstance(here, ECG) and isinstance(apart, ECG):
            np.testing.assert_array_equal(apart.signal, here.signal)
            assert (apart.fs, apart.age, apart.sex) == (here.fs, here.age, here.sex)
        elif isinstance(here, ECGImage) and isinstance(apart, ECGImage):
            np.testing.assert_array_equal(apart.pixels, here.pixels)

    def test_a_zip_of_a_record_is_read(self, readers: Readers) -> None:
        files = {f"a/{name}": data for name, data in wfdb_record().items()}
        files["__MACOSX/._golden.hea"] = b"x"
        apart = readers.read(Upload({"record.zip": zipped(files)}))
        assert isinstance(apart, ECG)
        np.testing.assert_array_equal(apart.signal, parse_input("golden.hea", **_record()).signal)

    @pytest.mark.parametrize(
        ("files", "status", "words"),
        [
            ({"a.txt": b"hello"}, 415, "no known format"),
            ({"a.xml": b"<RestingECG><x>"}, 422, "XML is not well-formed"),
            ({"golden.hea": wfdb_record()["golden.hea"]}, 422, "is missing"),
            ({"z.zip": zipped({"a": b"1", "b": b"2"})}, 422, "2 recordings in one upload"),
            ({"z.zip": zipped({"a.hea": b"\0" * 70_000_000})}, 413, "unpacks to more than 64 MB"),
            ({"z.zip": zipped({str(i): b"1" for i in range(21)})}, 413, "21 files"),
            ({"z.zip": zipped({"a.hea": b"1"})[:-9]}, 422, "ZIP archive"),
            ({"e.pkl": b"\x80\x04\x95\x1a\0\0\0\0\0\0\0\x8c\x05posix\x94"}, 415, "no known format"),
        ],
        ids=["text", "cut", "no .dat", "two", "bomb", "many", "cut zip", "pickle"],
    )
    def test_refusals_have_a_status_and_one_line(
        self, readers: Readers, files: dict[str, bytes], status: int, words: str
    ) -> None:
        with pytest.raises(Refused) as caught:
            readers.read(Upload(files))
        assert caught.value.status == status
        assert words in caught.value.text
        assert "\n" not in caught.value.text

    def test_the_next_upload_is_read_after_one_that_ended_the_process(
        self, readers: Readers
    ) -> None:
        server = readers._all[0]._server
        assert server is not None
        server._process.kill()
        assert isinstance(readers.read(Upload(wfdb_record())), ECG)


def _record() -> dict[str, object]:
    held = wfdb_record()
    return {
        "data": held["golden.hea"],
        "options": ReadOptions(),
        "beside": {"golden.dat": held["golden.dat"]},
    }


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\x05", b"\xff\xff\xff\xff{}", packed(Read(200)), packed(Read(999, "x")),
        packed(Read(200, shape=(12,), fs=500.0)), packed(Read(200, shape=(12, 9000), fs=500.0)),
        packed(Read(200, shape=(12, 2**62), fs=500.0), [b"1234"]),
        packed(Read(200, shape=(9, 9, 3)), [b"12"]),
    ],
)  # fmt: skip
def test_a_reading_process_that_was_taken_over_brings_a_refusal_at_most(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Apart, "start", lambda self: None)
    monkeypatch.setattr(Apart, "convert", lambda self, data: answer)
    with pytest.raises(Refused) as caught:
        Readers(1).read(Upload({"a": b"x"}))
    assert caught.value.status == 422


PLANTED = [
    ("a.csv", f"{NAME},Anna\n1,2\n".encode()),
    ("a.csv", f"I,II,{NAME}\n".encode() + b"1,2,3\n" * 900),
    ("a.hea", f"{NAME} twelve 500\n".encode()),
    ("a.hea", f"a 1 500 5000\n{NAME}.dat 16 200 16 0 0 0 0 I\n".encode()),
    ("a.xml", f"<RestingECG><Waveform><SampleBase>{NAME}</SampleBase></Waveform>".encode()),
    ("a.edf", b"0       " + NAME.encode().ljust(600)),
    (f"{NAME}.csv", b"x"),
    ("a.npz", zipped({f"{NAME}.npy": b"\x93NUMPY\x01\x00v\x00"})),
    ("a.npz", zipped({f"{NAME}.npy": b"no array"})),
    (f"{NAME}.zip", zipped({f"{NAME}.hea": b"x", "b.hea": b"y"})),
]


@pytest.mark.parametrize(("name", "data"), PLANTED)
def test_a_name_in_an_upload_stands_in_no_refusal(name: str, data: bytes) -> None:
    def read() -> None:
        files = unpacked({name: data})
        main = main_file(files)
        parse_input(main, files[main], ReadOptions(), files)

    with pytest.raises(FormatError) as caught:
        read()
    told = without_content(str(caught.value))
    assert NAME.lower() not in told.lower()
    assert len(told.split()) >= 3  # something is left to act upon


def test_a_refusal_keeps_our_words_and_short_numbers() -> None:
    message = "upload.hea: record line 'Maier 12'; 'name leads rate samples' is needed, id 1234567"
    kept = "record line …; 'name leads rate samples' is needed, id …"
    assert without_content(message) == kept


def test_an_archive_is_no_way_out_of_its_limits() -> None:
    with pytest.raises(TooLarge):
        unpacked({"z.zip": zipped({"a": b"\0" * (MAX_UNPACKED_BYTES + 1)})})
    assert plain_name("..\\..\\boot.ini") == "boot.ini"
    arrays = {"a.npz": zipped({"signal.npy": b"", "fs.npy": b""})}
    assert unpacked(arrays) is arrays  # a format of its own


def test_a_recording_comes_back_over_the_wire_as_it_went() -> None:
    doubt = Doubt("limb leads", ("aVL", "III"), "aVL contradicts I and III", "withhold")
    here = replace(some_heart(), doubts=(doubt,), clinical={"lvef": 27.0})
    _, there = unpack_read(b"".join(pack_input(here)), "upload")
    assert isinstance(there, ECG)
    np.testing.assert_array_equal(there.signal, here.signal)
    assert (there.fs, there.age, there.sex, there.notes) == (here.fs, here.age, here.sex, {})
    assert (there.doubts, there.clinical) == (here.doubts, here.clinical)
    page = ECGImage(np.full((60, 90, 3), 7, np.uint8), age=60.0, sex="F", clinical={"nyha": 3.0})
    _, again = unpack_read(b"".join(pack_input(page)), "upload")
    assert isinstance(again, ECGImage)
    assert (again.age, again.sex, again.clinical) == (page.age, page.sex, page.clinical)
    wrong = replace(here, clinical={"lvef": 999.0})
    with pytest.raises(CohortError):  # whoever has taken over the process
        unpack_read(b"".join(pack_input(wrong)), "upload")


def test_facts_say_where_they_come_from_or_that_they_are_missing() -> None:
    typed = {"age": "71,5", "nyha": "III", "af": "no"}
    ecg = with_facts(some_heart(), typed)
    shown = {fact.title: (fact.value, fact.origin) for fact in shown_facts(ecg, typed)}
    assert shown["Age"] == ("71.5 years", "typed in")
    assert shown["Sex"] == ("female", "from the file")
    assert shown["NYHA class"] == ("III", "typed in")
    assert shown["Atrial fibrillation"] == ("no", "typed in")
    assert shown["LVEF"] == ("", "not given")


def test_facts_are_read_as_those_of_a_table() -> None:
    with pytest.raises(Refused, match="age cannot be"):  # nobody with a device was older
        with_facts(some_heart(), {"age": "125"})
    ecg = with_facts(some_heart(), {"age": ">89", "sex": "unknown"})
    assert isinstance(ecg, ECG)
    assert (ecg.age, ecg.sex) == (90.0, "F")
    shown = {fact.title: fact.origin for fact in shown_facts(ecg, {"age": ">89", "sex": "unknown"})}
    assert (shown["Age"], shown["Sex"]) == ("typed in", "from the file")


def test_facts_that_cannot_be_are_refused_together_and_not_quoted() -> None:
    with pytest.raises(Refused) as caught:
        with_facts(some_heart(), {"lvef": "3", "nyha": NAME, "sex": "x", "age": "999"})
    assert caught.value.status == 422
    for name in ("lvef", "nyha", "sex", "age"):
        assert name in caught.value.text
    assert NAME not in caught.value.text
    assert not isinstance(caught.value, CohortError)


@pytest.mark.parametrize("fault", [IndexError, cv2.error])
@pytest.mark.parametrize("place", ["digitising.digitise.digitise", "reading_off.ecg_on"])
def test_a_fault_while_a_page_is_read_off_is_a_page_that_was_not_read(
    fault: type[Exception], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise fault(NAME)

    heart = some_heart()
    page = ECGImage(render_page(heart.signal, heart.fs, LAYOUTS["3x4+II"], dpi=100).image)
    monkeypatch.setattr(f"dyssync.pages.{place}", fails)
    paper, whole = read_paper(page)
    for unread in (whole.unread, read_off(page).unread):
        assert "dyssync itself failed on it" in unread
        assert NAME not in unread
    assert whole.ecg is None
    assert bool(paper.refused) == (place != "reading_off.ecg_on")


@pytest.mark.parametrize("place", ["_bounded", "_facts", "_stroke"])
def test_a_fault_while_what_was_read_is_drawn_takes_nothing_else_along(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise LookupError(NAME)

    heart = some_heart()
    page = ECGImage(render_page(heart.signal, heart.fs, LAYOUTS["3x4+II"], dpi=100).image)
    monkeypatch.setattr(f"dyssync.web.paper.{place}", fails)
    paper, whole = read_paper(page)
    assert "dyssync itself failed on it" in paper.refused
    assert NAME not in paper.refused
    assert (whole.ecg is None) == (place == "_bounded") == bool(whole.unread)
