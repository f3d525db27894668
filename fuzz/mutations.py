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
