"""Legal variants of the vendors' formats that no golden file shows, and representative beats."""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError
from dyssync.formats import parse_ecg

sys.path.append(str(Path(__file__).parent / "golden"))
import scp_writer

GOLDEN = Path(__file__).parent / "golden" / "formats"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
STEPS = {lead: np.array(EXPECTED["microvolts"][lead]) // 5 for lead in LEADS}  # of 5 uV
SIGNAL = np.array([EXPECTED["microvolts"][lead] for lead in LEADS]) / 1000.0  # mV


def text_of(name: str) -> str:
    data = (GOLDEN / name).read_bytes()
    return data.decode("utf-16" if data[:2] == b"\xff\xfe" else "latin-1")


def read(text: str) -> ECG:
    return parse_ecg("a.xml", text.encode("utf-8"))


def sub(pattern: str, new: str, text: str) -> str:
    changed, count = re.subn(pattern, lambda match: new, text, flags=re.S)
    assert count, pattern
    return changed


def assert_golden(ecg: ECG) -> None:
    assert ecg.fs == 100
    assert np.abs(ecg.signal - SIGNAL).max() < 1e-6


MUSE = sub("ISO-8859-1", "UTF-8", text_of("golden.muse.xml"))
ONE_WAVEFORM = sub("<Waveform><WaveformType>Median.*?</Waveform>", "", MUSE)


@pytest.mark.parametrize(
    "text",
    [
        sub("<WaveformType>Rhythm</WaveformType>", "", ONE_WAVEFORM),
        sub("<LeadSampleCountTotal>200</LeadSampleCountTotal>", "", MUSE),
        sub("<LeadDataCRC32>\\d+</LeadDataCRC32>", "", MUSE),
        sub("SampleExponent>0<", "SampleExponent>1<", sub("Base>100<", "Base>10<", MUSE)),
        sub("PerBit>5<", "PerBit>0.005<", sub("MICROVOLTS", "MILLIVOLTS", MUSE)),
        sub("<LeadID>", "<FirstSampleBaseline>0</FirstSampleBaseline><LeadID>", MUSE),
    ],
    ids=["untyped", "no-count", "no-checksum", "exponent", "millivolt", "zero-offsets"],
)  # fmt: skip
def test_muse_exports_of_other_makes_are_read(text: str) -> None:
    assert_golden(read(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (sub("PerBit>5<", "PerBit>-10<", MUSE), "-10 a bit; a positive step"),
        (
            sub("<LeadID>", "<FirstSampleBaseline>7</FirstSampleBaseline><LeadID>", MUSE),
            "lead I: FirstSampleBaseline is 7; 0 is needed",
        ),
        (sub("Rhythm", "Median", MUSE), "holds no waveform of type Rhythm"),
    ],
)
def test_muse_fields_of_doubtful_meaning_are_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=re.escape(message)):
        read(text)


def test_muse_median_is_kept_and_a_broken_one_noted() -> None:
    ecg = read(MUSE)
    assert ecg.beat is not None
    assert (ecg.beat.fs, ecg.beat.seconds) == (100.0, 2.0)
    assert np.abs(ecg.beat.signal - SIGNAL).max() < 1e-6
    broken = read(MUSE.replace("<LeadDataCRC32>", "<LeadDataCRC32>1", 1))
    assert broken.beat is None
    assert broken.notes["representative beat"].startswith("not read: lead I: checksum is wrong")
    assert_golden(broken)


SIERRA = sub("UTF-16", "UTF-8", text_of("golden.sierra.xml"))
WORDS = np.concatenate([STEPS[lead] for lead in LEADS])


def sierra(attributes: str, body: str, element: str = "parsedwaveforms") -> str:
    common = f'numberofleads="12" leadlabels="{" ".join(LEADS)}" durationperchannel="2000"'
    common += ' samplespersecond="100" resolution="5"'
    made = f"<{element} {common} {attributes}>{body}</{element}>"
    return sub("<parsedwaveforms.*</parsedwaveforms>", made, SIERRA)


def lead_elements() -> str:
    return "".join(
        f'<leadwaveform leadname="{lead}" starttime="0" duration="2000">{to_base64(STEPS[lead])}'
        "</leadwaveform>"
        for lead in reversed(LEADS)
    )


def to_base64(values: np.ndarray, dtype: str = "<i2") -> str:
    return base64.b64encode(values.astype(dtype).tobytes()).decode()


@pytest.mark.parametrize(
    "text",
    [
        sierra('dataencoding="Plain"', " ".join(map(str, WORDS))),
        sierra('dataencoding="Base64" bitspersample="16"', to_base64(WORDS)),
        sierra('dataencoding="Base64" bitspersample="32"', to_base64(WORDS, "<i4")),
        sierra('dataencoding="Hex"', WORDS.astype("<i2").tobytes().hex(" ", 64)),
        sierra(
            'dataencoding="Base64" signalsigned="False" signaloffset="2048"',
            to_base64(WORDS + 2048, "<u2"),
        ),
        sierra('dataencoding="Base64"', lead_elements(), "leadwaveforms"),
        SIERRA.replace("<documentversion>1.04<", "<documentversion>1.04.02<"),
    ],
    ids=["plain", "base64", "32-bit", "hex", "unsigned-offset", "lead-elements", "1.04.02"],
)
def test_sierra_encodings_of_the_schema_are_read(text: str) -> None:
    assert_golden(read(text))


@pytest.mark.parametrize("nested", [False, True], ids=["1.03", "1.04"])
def test_sierra_representative_beat_has_its_own_rate_and_step(nested: bool) -> None:
    def beat(lead: str) -> str:
        samples = to_base64(STEPS[lead][:100] * 2)  # steps of 2.5 uV
        if nested:
            samples = f'<print>144</print><waveform duration="500">{samples}</waveform>'
        return f'<repbeat leadname="{lead}" duration="500">{samples}</repbeat>'

    beats = '<repbeats dataencoding="Base64" samplespersec="200" resolution="2.5">'
    beats += "".join(map(beat, LEADS)) + "</repbeats></waveforms>"
    ecg = read(SIERRA.replace("</waveforms>", beats))
    assert ecg.beat is not None
    assert ecg.beat.fs == 200
    assert np.abs(ecg.beat.signal - SIGNAL[:, :100]).max() < 1e-6
    unitless = read(SIERRA.replace("</waveforms>", beats.replace(' resolution="2.5"', "")))
    assert unitless.beat is None
    assert "resolution of the representative beat" in unitless.notes["representative beat"]


def test_sierra_age_in_months_is_no_age_in_years() -> None:
    assert read(SIERRA.replace("<years>51</years>", "<months>6</months>")).age == 0.5


AECG = text_of("biosig.aecg.xml")


def annotated(*values: str) -> ECG:
    annotations = "".join(f"<component><annotation>{v}</annotation></component>" for v in values)
    block = f"<subjectOf><annotationSet>{annotations}</annotationSet></subjectOf></series>"
    return read(sub("</series>", block, AECG))


def test_aecg_measurements_of_other_makers_are_shown_in_ms() -> None:
    ecg = annotated(
        '<code code="MDC_ECG_TIME_PD_QRS_GL"/><value value="0.146" unit="s"/>',
        '<code code="MDC_ECG_TIME_PD_QTcB"/><value value="466" unit="ms"/>',
        '<code code="MINDRAY_ECG_QRS_AXIS"/><value value="-31" unit="deg"/>',
        '<code code="MDC_ECG_TIME_PD_PR"/><value value="144" unit="parsec"/>',
    )
    shown = {key: ecg.notes.get(f"machine {key}") for key in ("QRSd (ms)", "QTc (ms)", "PR (ms)")}
    assert shown == {"QRSd (ms)": "146", "QTc (ms)": "466", "PR (ms)": None}
    assert ecg.notes["machine QRS axis (deg)"] == "-31"


def test_aecg_representative_beat_is_kept() -> None:
    leads = re.search("<sequenceSet.*</sequenceSet>", AECG, re.S)
    assert leads is not None
    series = '<derivedSeries><code code="REPRESENTATIVE_BEAT"/>'
    series += f"<component>{leads[0]}</component></derivedSeries>"
    ecg = read(sub("</series>", f"<derivation>{series}</derivation></series>", AECG))
    assert ecg.beat is not None
    assert np.abs(ecg.beat.signal - SIGNAL).max() < 1e-6
    assert_golden(ecg)


def test_schiller_measurements_may_stand_in_one_block() -> None:
    block = "<annotation_global><name>HR</name><value>61</value><name>QRS</name><value>150</value>"
    text = text_of("golden.schiller.xml")
    ecg = read(sub("</event>", block + "</annotation_global></event>", text))
    assert ecg.notes["machine heart rate (/min)"] == "61"
    assert ecg.notes["machine QRSd (ms)"] == "150"
    average = sub("ECG_RHYTHMS", "ECG_AVERAGES", text)
    wave = re.search("<wavedata>.*</wavedata>", average, re.S)
    assert wave is not None
    both = read(sub("</event>", wave[0] + "</event>", text))
    assert both.beat is not None
    assert np.abs(both.beat.signal - SIGNAL).max() < 1e-6


def scp_sections(data: bytes) -> dict[int, bytes]:
    """Return the bodies of the sections of a golden file."""
    found = {}
    for at in range(22, 22 + 120, 10):
        number, size, start = struct.unpack_from("<HII", data, at)
        if number and size:
            found[number] = data[start + 15 : start + size - 1]
    return found


def test_scp_reference_beat_is_kept_and_needed_where_it_was_subtracted() -> None:
    data = (GOLDEN / "reference.scp").read_bytes()
    ecg = parse_ecg("a.scp", data)
    assert ecg.beat is not None
    assert np.abs(ecg.beat.signal - SIGNAL[:, 15:46]).max() < 1e-6
    sections = scp_sections(data)
    for lost in (4, 5):
        partly = scp_writer.assemble({n: body for n, body in sections.items() if n != lost})
        with pytest.raises(FormatError, match="beat was subtracted, but section 4 or 5 is missing"):
            parse_ecg("a.scp", partly)


def test_scp_leads_are_cut_to_the_span_that_they_share() -> None:
    data = bytearray((GOLDEN / "golden.scp").read_bytes())
    data[:2] = b"\0\0"  # no checksum
    start = struct.unpack_from("<I", data, 22 + 10 * 3 + 6)[0] - 1 + 16
    struct.pack_into("<II", data, start + 2, 1, 150)  # lead I ends early
    ecg = parse_ecg("a.scp", bytes(data))
    assert np.abs(ecg.signal - SIGNAL[:, :150]).max() < 1e-6
    struct.pack_into("<II", data, start + 2, 1001, 1200)  # lead I starts when all others are over
    with pytest.raises(FormatError, match="one after the other"):
        parse_ecg("a.scp", bytes(data))


@pytest.mark.parametrize(("name", "at"), [("golden.scp", 0), ("golden.ecg", 8)])
def test_checksums_of_either_byte_order_are_right(name: str, at: int) -> None:
    data = bytearray((GOLDEN / name).read_bytes())
    data[at], data[at + 1] = data[at + 1], data[at]
    assert_golden(parse_ecg("a", bytes(data)))
    data[at] ^= 1
    with pytest.raises(FormatError, match="checksum"):
        parse_ecg("a", bytes(data))


def test_ishne_fault_samples_are_missing_values() -> None:
    data = bytearray((GOLDEN / "golden.ecg").read_bytes())
    struct.pack_into("<h", data, 522 + 24 * 7, -32768)
    with pytest.raises(FormatError, match=r"1 missing values \(NaN or infinite\) in I;"):
        parse_ecg("a", bytes(data))
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1  # CRC-CCITT, as the standard names it


def edf_plus(kind: bytes, starts: tuple[float, float]) -> bytes:
    """Return the golden EDF with a signal of annotations in front."""
    data = (GOLDEN / "golden.edf").read_bytes()
    fixed, body = data[:256], data[256 * 9 :]
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    own = ("EDF Annotations", "", "", "-1", "1", "-32768", "32767", "", "30", "")
    columns, at = b"", 256
    for width, text in zip(widths, own, strict=True):
        columns += text.encode().ljust(width) + data[at : at + 8 * width]
        at += 8 * width
    fixed = fixed[:184] + b"2560    " + kind + fixed[197:252] + b"9   "
    half = len(body) // 2
    stamps = [f"+{start}\x14\x14\0+{start + 0.5}\x14Pacing\x14\0".encode() for start in starts]
    records = [s.ljust(60, b"\0") + body[i * half :][:half] for i, s in enumerate(stamps)]
    return fixed + columns + b"".join(records)


def test_edf_plus_with_annotations_is_read() -> None:
    assert_golden(parse_ecg("a.edf", edf_plus(b"EDF+C", (0, 1))))
    assert_golden(parse_ecg("a.edf", edf_plus(b"EDF+D", (7.25, 8.25))))
    with pytest.raises(FormatError, match="a gap after data record 1"):
        parse_ecg("a.edf", edf_plus(b"EDF+D", (0, 61)))
    data = (GOLDEN / "golden.edf").read_bytes()
    with pytest.raises(FormatError, match="without the times of its records"):
        parse_ecg("a.edf", data[:192] + b"EDF+D" + data[197:])


def test_a_table_with_the_index_of_pandas_is_read() -> None:
    rows = "\n".join(f"{k},{','.join(map(str, row))}" for k, row in enumerate(SIGNAL.T))
    text = f"# fs: 100\n# unit: mV\n,{','.join(LEADS)}\n{rows}\n"
    assert_golden(parse_ecg("a.csv", text.encode()))
