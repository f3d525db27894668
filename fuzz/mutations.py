"""Changes to the bytes of a file that a parser may stumble on; each is drawn from a generator."""

from __future__ import annotations

import binascii
import re
import struct
import zlib

import numpy as np

INTERESTING = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
)
TEXTS = (b"-1", b"0", b"1e308", b"nan", b"inf", b"99999999999", b"", b"\xc3\x28", b"&x;", b"<!--")

FACTORS = (-1, 0.001, 0.1, 0.5, 0.75, 1.25, 2, 5, 10, 100, 1000)
_NUMBER = rb"[-+]?\d{1,14}(?:\.\d{1,14})?(?:[eE][-+]?\d+)?"
# Where the numbers of headers stand; elsewhere they are samples.
IN_TEXT = re.compile(rb"(?<![\w.])" + _NUMBER + rb"(?![\w.])")
IN_XML = re.compile(rb"(?<=[>\"])" + _NUMBER + rb"(?=[<\"])")
IN_DICOM = re.compile(rb"(?<=DS[\x01-\x10]\0)" + _NUMBER)  # decimal strings
UNITS = (b"uV", b"mV", b"nV", b"UV", b"MV", b"MICROVOLTS", b"MILLIVOLTS")
BINARY = {"scp-ecg", "ishne"}  # their headers hold 16-bit numbers


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with one change, or a few."""
    made = bytearray(data)
    for _ in range(min(8, int(rng.geometric(0.5)))):
        if not made:
            break
        # Half of the changes hit the first kilobyte, where headers are.
        at = int(rng.integers(0, len(made) if rng.random() < 0.5 else min(len(made), 1024)))
        kind = int(rng.integers(0, 9))
        if kind == 0:
            made[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            made[at] = int(rng.integers(0, 256))
        elif kind == 2:
            new = INTERESTING[int(rng.integers(0, len(INTERESTING)))]
            made[at : at + len(new)] = new
        elif kind == 3:
            del made[at : at + int(rng.integers(1, 64))]
        elif kind == 4:
            made[at:at] = rng.bytes(int(rng.integers(1, 64)))
        elif kind == 5:
            end = at + int(rng.integers(1, 256))
            to = int(rng.integers(0, len(made)))
            made[to:to] = made[at:end]
        elif kind == 6 and rng.random() < 0.3:
            del made[at:]
        elif kind == 7:
            change_number(made, rng)
        else:
            size = int(rng.choice([2, 4]))
            value = int(rng.integers(0, 2**16)) if size == 2 else int(rng.integers(0, 2**32))
            made[at : at + size] = value.to_bytes(size, "little")
    return bytes(made)


def change_number(made: bytearray, rng: np.random.Generator) -> None:
    """Replace one run of digits by a number that hurts, or a text."""
    digits = [i for i in range(min(len(made), 6000)) if 48 <= made[i] <= 57]
    if not digits:
        return
    start = end = digits[int(rng.integers(0, len(digits)))]
    while end < len(made) and 48 <= made[end] <= 57:
        end += 1
    made[start:end] = TEXTS[int(rng.integers(0, len(TEXTS)))]


def mutate_xml(data: bytes, rng: np.random.Generator) -> bytes:
    """Change XML so that it mostly stays well-formed, and its content reaches the parser."""
    text = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8", "replace")
    text = re.sub(r"<\?xml[^>]*>", "", text)
    for _ in range(min(6, int(rng.geometric(0.5)))):
        leaves = list(re.finditer(r"<([A-Za-z]\w*)[^<>]*>([^<>]*)</\1>", text))
        attributes = list(re.finditer(r'="([^"<>]*)"', text))
        kind = int(rng.integers(0, 6))
        if kind == 0 and attributes:
            found = attributes[int(rng.integers(0, len(attributes)))]
            text = text[: found.start(1)] + strange(found[1], rng) + text[found.end(1) :]
        elif leaves:
            found = leaves[int(rng.integers(0, len(leaves)))]
            new = {
                1: "",  # the element is gone
                2: found[0] * 2,
                3: found[0] + leaves[int(rng.integers(0, len(leaves)))][0],
            }.get(kind, found[0].replace(f">{found[2]}<", f">{strange(found[2], rng)}<"))
            text = text[: found.start()] + new + text[found.end() :]
    return text.encode("utf-8")


def strange(text: str, rng: np.random.Generator) -> str:
    """Return another value in place of `text`: one that hurts, or the text a little changed."""
    if rng.random() < 0.5 or not text:
        new = TEXTS[int(rng.integers(0, len(TEXTS)))].decode("latin-1")
        return new.replace("&", "").replace("<", "")
    at = int(rng.integers(0, len(text)))
    return text[:at] + "0Az 9+-=."[int(rng.integers(0, 9))] + text[at + int(rng.integers(0, 3)) :]


def header_changed(format: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with one number or unit of its header changed."""
    head = data[: _header_bytes(format, data)]
    if format in BINARY:
        return repaired(format, _word_changed(format, data, len(head), rng))
    if rng.random() < 0.2:
        return _unit_changed(data, rng)
    is_xml = format.endswith("-xml") or format == "hl7-aecg"
    pattern = IN_XML if is_xml else IN_DICOM if format == "dicom" else IN_TEXT
    words = list(pattern.finditer(head))
    if format == "csv":
        words = [m for m in words if data[data.rfind(b"\n", 0, m.start()) + 1 :][:1] == b"#"]
    if not words:
        return _unit_changed(data, rng)
    chosen = words[int(rng.integers(0, len(words)))]
    new = _number_changed(chosen[0], rng)
    if format in {"edf", "dicom"}:  # fields of fixed length
        size = chosen.end() - chosen.start()
        new = new[:size].ljust(size)
    return data[: chosen.start()] + new + data[chosen.end() :]


def _header_bytes(format: str, data: bytes) -> int:
    """Return how many bytes come before the samples."""
    if format == "scp-ecg":
        at = 22 + 10 * 6  # the pointer to section 6, whose data follow the sizes of the leads
        return int.from_bytes(data[at + 6 : at + 10], "little") + 16 + 6
    if format == "edf":
        return 256 * (1 + int(data[252:256]))
    return 522 if format == "ishne" else len(data)


def _number_changed(text: bytes, rng: np.random.Generator) -> bytes:
    value = float(text) * FACTORS[int(rng.integers(0, len(FACTORS)))]
    whole = b"." not in text and value == round(value) and abs(value) < 1e15
    return (f"{value:.0f}" if whole else f"{value:.9g}").encode()


def _unit_changed(data: bytes, rng: np.random.Generator) -> bytes:
    there = [m for unit in UNITS for m in re.finditer(rb"\b" + unit + rb"\b", data)]
    if not there:
        return data
    chosen = there[int(rng.integers(0, len(there)))]
    others = [unit for unit in UNITS if len(unit) == len(chosen[0]) and unit != chosen[0]]
    return data[: chosen.start()] + others[int(rng.integers(0, len(others)))] + data[chosen.end() :]


def _word_changed(format: str, data: bytes, size: int, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, min(size, len(data)) - 2))
    if format == "scp-ecg":  # section 2 is a code book, with which samples are read
        _, length, start = struct.unpack_from("<HII", data, 22 + 10 * 2)
        at = at % (start - 3) if start - 3 <= at < start + length else at
    value = int.from_bytes(data[at : at + 2], "little", signed=True)
    value = round(value * FACTORS[int(rng.integers(0, len(FACTORS)))])
    value = max(-32768, min(32767, value))
    return data[:at] + value.to_bytes(2, "little", signed=True) + data[at + 2 :]


def in_utf_8(data: bytes) -> bytes:
    """Return XML in UTF-16 as UTF-8, so that its numbers are found."""
    if data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return data
    return re.sub(r"^<\?xml[^>]*>", "", data.decode("utf-16")).encode()


def repaired(format: str, data: bytes) -> bytes:
    """Correct the checksums, so that mutations get past them."""
    if format == "scp-ecg" and len(data) > 6:
        body = struct.pack("<I", len(data)) + data[6:]
        return struct.pack("<H", binascii.crc_hqx(body, 0xFFFF)) + body
    if format == "ishne" and len(data) > 522:
        return data[:8] + b"\0\0" + data[10:]  # 0 says that none was stored
    if format == "muse-xml":
        return _LEAD.sub(_with_sum, data)
    if format == "picture" and data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _with_chunk_sums(data)
    if format == "numpy" and data.startswith(b"PK\3\4"):
        return _with_member_sums(data)
    if format == "wfdb":  # 0 says that none was stored
        return re.sub(rb"(?m)^((?:\S+[ \t]+){6})-?\d+(?=[ \t])", rb"\g<1>0", data)
    return data


_LEAD = re.compile(rb"(?s)(<LeadDataCRC32>)[^<]*(</LeadDataCRC32>.*?<WaveFormData>)([^<]*)")


def _with_sum(lead: re.Match[bytes]) -> bytes:
    """Return a lead of MUSE XML with the CRC-32 of its samples."""
    try:
        samples = binascii.a2b_base64(lead[3])
    except binascii.Error:
        return lead[0]
    return lead[1] + str(zlib.crc32(samples)).encode() + lead[2] + lead[3]


def _with_chunk_sums(data: bytes) -> bytes:
    """Return a PNG whose chunks have the sums of what is in them, as far as chunks follow."""
    made, at = bytearray(data), 8
    while at + 12 <= len(made):
        size = int.from_bytes(made[at : at + 4], "big")
        end = at + 8 + size
        if end + 4 > len(made):
            break
        made[end : end + 4] = zlib.crc32(made[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(made)


def _with_member_sums(data: bytes) -> bytes:
    """Return a ZIP archive whose members have the sums of what they unpack to."""
    made = bytearray(data)
    for entry in re.finditer(rb"PK\x01\x02", data):
        at = entry.start()
        if at + 46 > len(data):
            break
        method, size, local = *struct.unpack_from("<H8xI", data, at + 10), data[at + 42 : at + 46]
        begin = int.from_bytes(local, "little")
        if begin + 30 > len(data):
            continue
        name, extra = struct.unpack_from("<HH", data, begin + 26)
        packed = data[begin + 30 + name + extra :][:size]
        try:
            plain = zlib.decompressobj(-15).decompress(packed) if method else packed
        except zlib.error:
            continue
        for place in (begin + 14, at + 16):
            struct.pack_into("<I", made, place, zlib.crc32(plain))
    return bytes(made)
