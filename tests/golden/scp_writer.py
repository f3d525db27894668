"""A plain SCP-ECG writer for tests: Huffman codes, differences, reference beat."""

from __future__ import annotations

import binascii
import struct

import numpy as np

NUMBERS = {"I": 1, "II": 2, **{f"V{k}": k + 2 for k in range(1, 7)}}
NUMBERS |= {"III": 61, "aVR": 62, "aVL": 63, "aVF": 64}


def differences(values: np.ndarray, order: int) -> np.ndarray:
    """Return the differences that the standard stores; the first values stand as they are."""
    if order == 0:
        return values
    if order == 1:
        return np.concatenate([values[:1], np.diff(values)])
    return np.concatenate([values[:2], np.diff(values, n=2)])


def huffman(values: np.ndarray) -> bytes:
    """Code with the default table (EN 1064 annex C.3.7.6)."""
    bits = []
    for value in values.tolist():
        size = abs(value)
        if size <= 8:
            bits.append("0" if value == 0 else "1" * size + ("00" if value > 0 else "01"))
        elif -128 <= value <= 127:
            bits.append("1111111110" + format(value & 0xFF, "08b"))
        else:
            bits.append("1111111111" + format(value & 0xFFFF, "016b"))
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""


def section(number: int, body: bytes) -> bytes:
    """Return a section with header and checksum."""
    body += b"\0" * (len(body) % 2)
    rest = struct.pack("<HIBB", number, 16 + len(body), 20, 20)
    rest += (b"SCPECG" if number == 0 else b"\0" * 6) + body
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def assemble(sections: dict[int, bytes]) -> bytes:
    """Return a file of section 0 and the given bodies."""
    made = {number: section(number, body) for number, body in sections.items()}
    size0 = 16 + 10 * 12
    at = 6 + size0
    pointers = struct.pack("<HII", 0, size0, 7)
    for number in range(1, 12):
        size = len(made.get(number, b""))
        pointers += struct.pack("<HII", number, size, at + 1 if size else 0)
        at += size
    body = section(0, pointers) + b"".join(made[number] for number in sorted(made))
    rest = struct.pack("<I", 6 + len(body)) + body
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def write_scp(
    counts: dict[str, np.ndarray],
    *,
    order: int = 2,
    coded: bool = True,
    reference: tuple[dict[str, np.ndarray], list[int]] | None = None,
    tables: bytes | None = None,
    interval_us: int = 2000,
    step_nv: int = 1000,
) -> bytes:
    """Write leads of whole steps.

    Args:
        counts: lead name to (n,) int.
        order: differences, 0 to 2.
        coded: Huffman-code with the default table.
        reference: lead to shape (m,), odd m, and the samples (from 0) at which its middle was
            subtracted.
        tables: body of section 2 that says the default table in another way.
        interval_us: sampling interval.
        step_nv: a step in nV.
    """
    n = len(next(iter(counts.values())))
    residual = {name: values.astype(int).copy() for name, values in counts.items()}
    sections = {1: struct.pack("<BHHB", 4, 3, 51, 1) + struct.pack("<BHB", 8, 1, 2) + b"\xff\0\0"}
    if coded:
        sections[2] = tables or struct.pack("<H", 19999)
    leads = b"".join(struct.pack("<IIB", 1, n, NUMBERS[name]) for name in counts)
    flags = (1 if reference else 0) | 4 | (len(counts) << 3 & 0xF8)
    sections[3] = struct.pack("<BB", len(counts), flags) + leads

    def data(arrays: dict[str, np.ndarray]) -> bytes:
        parts = [differences(values, order) for values in arrays.values()]
        blobs = [huffman(p) if coded else p.astype("<i2").tobytes() for p in parts]
        blobs = [blob + b"\0" * (len(blob) % 2) for blob in blobs]
        head = struct.pack("<HHBB", step_nv, interval_us, order, 0)
        return head + b"".join(struct.pack("<H", len(b)) for b in blobs) + b"".join(blobs)

    if reference:
        shapes, middles = reference
        m = len(next(iter(shapes.values())))
        half = m // 2
        body = struct.pack("<HHH", m * interval_us // 1000, half + 1, len(middles))
        for middle in middles:
            body += struct.pack("<HIII", 0, middle - half + 1, middle + 1, middle + half + 1)
            for name in residual:
                residual[name][middle - half : middle + half + 1] -= shapes[name]
        for middle in middles:
            body += struct.pack("<II", middle - 10 + 1, middle + 10 + 1)
        sections[4] = body
        sections[5] = data(shapes)
    sections[6] = data(residual)
    return assemble(sections)
