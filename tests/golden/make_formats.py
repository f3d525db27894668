"""Write one small ECG in every format, without any code of dyssync: see README.md beside this."""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scp_writer import write_scp

FOLDER = Path(__file__).parent / "formats"
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
STORED = ("I", "II", *LEADS[6:])
FS, N = 100, 200


def microvolts() -> dict[str, np.ndarray]:
    """Return 12 leads in whole steps of 5 uV that obey Einthoven exactly."""
    time = np.arange(N) / FS
    phase = time % 0.8
    qrs = np.exp(-(((phase - 0.3) / 0.02) ** 2)) - 0.3 * np.exp(-(((phase - 0.35) / 0.015) ** 2))
    wave = 0.25 * np.exp(-(((phase - 0.6) / 0.06) ** 2)) + 0.1 * np.exp(
        -(((phase - 0.1) / 0.03) ** 2)
    )
    gains = {
        "I": (0.6, 0.5),
        "II": (1.1, 0.9),
        "V1": (-0.8, 0.3),
        "V2": (-1.4, 1.2),
        "V3": (0.4, 1.5),
    }
    gains |= {"V4": (1.7, 1.3), "V5": (1.5, 1.0), "V6": (1.0, 0.7)}
    made = {}
    for index, (lead, (of_qrs, of_wave)) in enumerate(gains.items()):
        drift = 0.06 * np.cos(2 * np.pi * 0.25 * time + 0.1 * index)
        step = 20 if lead in ("I", "II") else 5  # halves of I and II are then whole steps
        made[lead] = (np.rint((of_qrs * qrs + of_wave * wave + drift) * 1000 / step) * step).astype(
            int
        )
    i, ii = made["I"], made["II"]
    made |= {"III": ii - i, "aVR": -(i + ii) // 2, "aVL": i - ii // 2, "aVF": ii - i // 2}
    return {lead: made[lead] for lead in LEADS}


def wfdb(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    dat = np.stack([uv[lead] for lead in LEADS], axis=1).astype("<i2")
    lines = [f"golden 12 {FS} {N} 10:59:19 25/01/2013"]
    for lead, column in zip(LEADS, dat.T, strict=True):
        total = int(column.sum()) % 65536
        lines.append(f"golden.dat 16 1000(0)/mV 16 0 {column[0]} {total} 0 {lead.lower()}")
    text = "\n".join([*lines, "#<age>: 51", "#Sex: Female", "# subject_id: SECRET"]) + "\n"
    return {"golden.hea": text.encode(), "golden.dat": dat.tobytes()}


def csv(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    rows = np.stack([uv[lead] for lead in LEADS], axis=1)
    lines = ["# fs: 100", "# unit: uV", "# age: 51", "# sex: F", ",".join(LEADS)]
    return {
        "golden.csv": "\n".join([*lines, *(",".join(map(str, r)) for r in rows)]).encode() + b"\n"
    }


def numpy_archive(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    stream = io.BytesIO()
    signal = np.stack([uv[lead] for lead in LEADS])
    np.savez_compressed(stream, signal=signal, fs=FS, unit="uV", leads=LEADS, age=51, sex="F")
    return {"golden.npz": stream.getvalue()}


def matlab(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    from scipy.io import savemat

    stream = io.BytesIO()
    data = np.stack([uv[lead] for lead in LEADS]) / 1000
    struct_ = {"data": data, "age": 51, "sex": "Female", "fs": FS, "unit": "mV"}
    savemat(stream, {"ECG": struct_}, do_compression=True)
    plain = io.BytesIO()
    counts = np.stack([uv[lead] for lead in LEADS], axis=1).astype("i2")
    savemat(plain, {"val": counts, "fs": FS, "unit": "uV", "age": 51, "sex": "F"})
    return {"struct.mat": stream.getvalue(), "plain.mat": plain.getvalue()}


def hdf5(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        data = np.stack([uv[lead] for lead in LEADS]).astype("i2")
        made = file.create_dataset("ecg", data=data, compression="gzip")
        made.attrs["fs"] = FS
        made.attrs["unit"] = "uV"
    return {"golden.h5": stream.getvalue()}


def parquet(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    import pyarrow
    import pyarrow.parquet

    stream = io.BytesIO()
    columns = {f"{lead} [uV]": uv[lead].astype("i2") for lead in LEADS}
    table = pyarrow.table(columns, metadata={"fs": "100", "age": "51", "sex": "F"})
    pyarrow.parquet.write_table(table, stream)
    return {"golden.parquet": stream.getvalue()}


def dicom(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    """Write with a baseline of 0.25 mV in sensitivity units, SCP-ECG lead codes, a median group."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    def code(value: str, scheme: str, meaning: str) -> Dataset:
        made = Dataset()
        made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
        return made

    def group(names: tuple[str, ...], originality: str) -> Dataset:
        made = Dataset()
        made.WaveformOriginality = originality
        made.NumberOfWaveformChannels, made.NumberOfWaveformSamples = len(names), N
        made.SamplingFrequency = str(FS)
        made.ChannelDefinitionSequence = []
        for lead in names:
            channel = Dataset()
            number = 1 + STORED.index(lead)
            source = code(f"5.6.3-9-{number}", "SCPECG", f"Lead {lead}")
            channel.ChannelSourceSequence = [source]
            channel.ChannelSensitivity = "2.5"
            channel.ChannelSensitivityUnitsSequence = [code("uV", "UCUM", "microvolt")]
            channel.ChannelSensitivityCorrectionFactor = "2"
            channel.ChannelBaseline = "250"
            channel.WaveformBitsStored = 16
            made.ChannelDefinitionSequence.append(channel)
        made.WaveformBitsAllocated, made.WaveformSampleInterpretation = 16, "SS"
        raw = np.stack([(uv[lead] - 250) // 5 for lead in names], axis=1)
        made.WaveformData = raw.astype("<i2").tobytes()
        return made

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1")
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.9.1.1")
    meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, UID("1.2.3.4")
    dataset.Modality, dataset.PatientName, dataset.PatientID = "ECG", "SECRET^NAME", "SECRET"
    dataset.PatientAge, dataset.PatientSex = "051Y", "F"
    dataset.AcquisitionDateTime = "20130125105919"
    dataset.WaveformSequence = [group(STORED, "ORIGINAL"), group(("I", "II"), "DERIVED")]
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return {"golden.dcm": stream.getvalue()}


def muse(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    def waveform(kind: str) -> str:
        text = f"<Waveform><WaveformType>{kind}</WaveformType><SampleBase>{FS}</SampleBase>"
        text += "<SampleExponent>0</SampleExponent>"
        for lead in STORED:
            data = (uv[lead] // 5).astype("<i2").tobytes()
            text += (
                f"<LeadData><LeadSampleCountTotal>{N}</LeadSampleCountTotal>"
                "<LeadAmplitudeUnitsPerBit>5</LeadAmplitudeUnitsPerBit>"
                "<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>"
                f"<LeadID>{lead}</LeadID><LeadSampleSize>2</LeadSampleSize>"
                f"<LeadDataCRC32>{zlib.crc32(data)}</LeadDataCRC32>"
                f"<WaveFormData>\n{base64.encodebytes(data).decode()}</WaveFormData></LeadData>\n"
            )
        return text + "</Waveform>\n"

    text = (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n'
        "<RestingECG><PatientDemographics><PatientID>SECRET</PatientID><PatientAge>51</PatientAge>"
        "<AgeUnits>YEARS</AgeUnits><Gender>FEMALE</Gender><PatientLastName>SECRET</PatientLastName>"
        "</PatientDemographics><TestDemographics><AcquisitionTime>10:59:19</AcquisitionTime>"
        "<AcquisitionDate>01-25-2013</AcquisitionDate></TestDemographics>"
        "<RestingECGMeasurements><QRSDuration>96</QRSDuration></RestingECGMeasurements>"
        "<Diagnosis><DiagnosisStatement><StmtFlag>ENDSLINE</StmtFlag><StmtText>Sinus rhythm"
        "</StmtText></DiagnosisStatement><DiagnosisStatement><StmtText>Confirmed by SECRET"
        "</StmtText></DiagnosisStatement></Diagnosis>\n"
    )
    text += waveform("Median") + waveform("Rhythm") + "</RestingECG>\n"
    return {"golden.muse.xml": text.encode("iso-8859-1")}


def lzw10(data: bytes) -> bytes:
    """LZW with fixed 10-bit codes, ended by 1023."""
    table = {bytes([i]): i for i in range(256)}
    codes, current = [], b""
    for value in data:
        longer = current + bytes([value])
        if longer in table:
            current = longer
            continue
        codes.append(table[current])
        if len(table) < 1023:
            table[longer] = len(table)
        current = bytes([value])
    codes += [table[current], 1023]
    bits = "".join(format(code, "010b") for code in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def xli(values: np.ndarray) -> bytes:
    """Code one lead: c0 = x0, c1 = x1, then second differences shifted by one place."""
    second = [2 * values[n - 1] - values[n - 2] - values[n] for n in range(2, len(values))]
    codes = [values[0], values[1], *(int(d) + 64 for d in second[1:]), 64]
    words = np.array(codes).astype(">i2").tobytes()
    packed = lzw10(words[0::2] + words[1::2])
    return struct.pack("<IHh", len(packed), 1, int(second[0])) + packed


def sierra(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    steps = {lead: values // 5 for lead, values in uv.items()}
    pulse = np.r_[np.zeros(20), np.full(15, 200), np.zeros(25)].astype(int)
    steps = {lead: np.concatenate([values, pulse]) for lead, values in steps.items()}

    def half(values: np.ndarray) -> np.ndarray:
        return np.fix(values / 2).astype(int)

    i, ii, iii = steps["I"], steps["II"], steps["III"]
    stored = dict(steps)
    stored["III"] = ii - i - iii
    stored["aVR"] = -steps["aVR"] - half(i + ii)
    stored["aVL"] = half(i - iii) - steps["aVL"]
    stored["aVF"] = half(ii + iii) - steps["aVF"]
    data = b"".join(xli(stored[lead]) for lead in LEADS)
    text = (
        '<?xml version="1.0" encoding="UTF-16"?>\n<restingecgdata '
        'xmlns="http://www3.medical.philips.com"><documentinfo><documentversion>1.04'
        '</documentversion></documentinfo><dataacquisition date="2013-01-25" time="10:59:19">'
        "<signalcharacteristics><samplingrate>100</samplingrate><resolution>5</resolution>"
        "</signalcharacteristics></dataacquisition><patient><generalpatientdata>"
        "<patientid>SECRET</patientid><age><years>51</years></age><sex>Female</sex>"
        "</generalpatientdata></patient><interpretations><interpretation><globalmeasurements>"
        "<qrsdur>96</qrsdur></globalmeasurements><statement><leftstatement>Sinus rhythm"
        "</leftstatement></statement></interpretation></interpretations><waveforms>"
        f'<parsedwaveforms dataencoding="Base64" compression="XLI" numberofleads="12" '
        f'leadlabels="{" ".join(LEADS)}" durationperchannel="2600" samplespersecond="100" '
        f'resolution="5">\n{base64.encodebytes(data).decode()}</parsedwaveforms></waveforms>'
        "</restingecgdata>\n"
    )
    return {"golden.sierra.xml": text.encode("utf-16")}


def schiller(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    channels = "".join(
        f"<channel><name>{lead.upper()}</name><datastype>COMMASEPARATE</datastype>"
        f"<data>{','.join(str(v // 5) for v in uv[lead])}</data></channel>\n"
        for lead in STORED
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<com.xiriuz.sema.xml.schillerEDI.SchillerEDI>'
        "<patdata><id>SECRET</id><birthdate>19610601</birthdate><gender>FEMALE</gender></patdata>"
        "<examdescript><startdatetime><date>20130125</date><time>105919</time></startdatetime>"
        "</examdescript><eventdata><event><wavedata><type>ECG_RHYTHMS</type><resolution>"
        "<samplerate><units>HZ</units><value>100</value><exponent>1</exponent></samplerate>"
        "<yres><units>UV</units><unitperbit>5</unitperbit></yres></resolution>\n"
        f"{channels}</wavedata></event></eventdata>"
        "</com.xiriuz.sema.xml.schillerEDI.SchillerEDI>\n"
    )
    return {"golden.schiller.xml": text.encode()}


def spelt_out_tables() -> bytes:
    """Return a section 2 that spells the default table out, code bits least significant first."""
    codes = [("0", 0, 0)]
    for size in range(1, 9):
        codes += [("1" * size + "00", 0, size), ("1" * size + "01", 0, -size)]
    codes += [("1111111110", 8, 0), ("1111111111", 16, 0)]
    body = struct.pack("<HH", 1, len(codes))
    for bits, extra, value in codes:
        code = int(bits[::-1], 2)
        body += struct.pack("<BBBhI", len(bits), len(bits) + extra, 1, value, code)
    return body


def scp(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    counts = {lead: uv[lead] // 5 for lead in STORED}
    common = {"interval_us": 1_000_000 // FS // 1, "step_nv": 5000}
    shapes = {lead: values[15:46] for lead, values in counts.items()}
    return {
        "golden.scp": write_scp(counts, **common),
        "tables.scp": write_scp(counts, **common, order=1, tables=spelt_out_tables()),
        "reference.scp": write_scp(counts, **common, reference=(shapes, [30, 110, 180])),
    }


def ishne(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    import binascii

    fixed = bytearray(512)
    struct.pack_into("<iiiih", fixed, 0, 0, N, 522, 522, 1)
    fixed[98:118] = b"SECRET".ljust(20, b"\0")
    struct.pack_into("<h", fixed, 118, 2)  # female
    struct.pack_into("<3h3h", fixed, 122, 1, 6, 1961, 25, 1, 2013)
    struct.pack_into("<3h", fixed, 140, 10, 59, 19)
    struct.pack_into("<h12h", fixed, 146, 12, *range(5, 17))
    struct.pack_into("<12h", fixed, 196, *[5000] * 12)
    struct.pack_into("<h", fixed, 262, FS)
    crc = binascii.crc_hqx(bytes(fixed), 0xFFFF)
    data = np.stack([uv[lead] // 5 for lead in LEADS], axis=1).astype("<i2").tobytes()
    return {"golden.ecg": b"ISHNE1.0" + struct.pack("<H", crc) + bytes(fixed) + data}


def edf(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    """Write two records of a second; steps of 5 uV with an offset between digital and physical."""
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    head = "0".ljust(8) + "SECRET F 01-JUN-1961 SECRET".ljust(80)
    head += "Startdate 25-JAN-2013 X X X".ljust(80) + "25.01.1310.59.19" + str(256 * 9).ljust(8)
    head += "EDF+C".ljust(44) + "2".ljust(8) + "1".ljust(8) + "8".ljust(4)
    columns = ("", "", "uV", "-5000", "5000", "-900", "1100", "", "100", "")
    for index, (text, width) in enumerate(zip(columns, widths, strict=True)):
        for lead in STORED:
            head += (f"ECG {lead}" if index == 0 else text).ljust(width)
    digital = np.stack([uv[lead] // 5 + 100 for lead in STORED]).astype("<i2")
    body = digital.reshape(8, 2, 100).transpose(1, 0, 2)
    return {"golden.edf": head.encode("ascii") + body.tobytes()}


def pictures(uv: dict[str, np.ndarray]) -> dict[str, bytes]:
    """Draw a page whose top-left corner is dark, turned by 90 degrees with EXIF saying so."""
    from PIL import Image

    page = np.full((60, 90), 255, np.uint8)
    page[:20, :30] = 40
    image = Image.fromarray(page, "L")
    turned = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate 90 degrees clockwise to show"
    png, pdf = io.BytesIO(), io.BytesIO()
    turned.save(png, "PNG", exif=exif)
    image.save(pdf, "PDF", resolution=50.0)
    return {"golden.png": png.getvalue(), "golden.pdf": pdf.getvalue()}


MAKERS: tuple[Callable[[dict[str, np.ndarray]], dict[str, bytes]], ...] = (
    wfdb, csv, numpy_archive, matlab, hdf5, parquet, dicom, muse, sierra, schiller, scp, ishne, edf,
    pictures,
)  # fmt: skip


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    uv = microvolts()
    for maker in MAKERS:
        for name, data in maker(uv).items():
            (FOLDER / name).write_bytes(data)
    expected = {"fs": FS, "microvolts": {lead: values.tolist() for lead, values in uv.items()}}
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
