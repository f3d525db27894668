"""XLI, the compression of Philips Sierra XML: second differences, split bytes, 10-bit LZW.

References:
    Format notes of the sierra-ecg-tools wiki (C. Watford). A chunk a lead: int32 size, int16 1,
    int16 first difference, then LZW codes; the bytes that come out are all high bytes, then all low
    bytes of 16-bit codes.
"""

from __future__ import annotations

import numpy as np

from dyssync.arrays import Ints
from dyssync.errors import FormatError

_CODE_BITS = 10
_END_CODE = (1 << _CODE_BITS) - 1
_BIAS = 64  # added to every difference but the first


def decode_chunks(data: bytes, n_chunks: int, n_samples: int) -> list[Ints]:
    """Return the samples of the first `n_chunks` leads.

    Args:
        data: chunks after one another.
        n_chunks: leads wanted; Philips stores 16, of which the last may be empty.
        n_samples: samples of each lead; more are an error (a bomb), fewer too.

    Raises:
        FormatError: too few chunks, or a chunk that does not decode to `n_samples`.
    """
    leads: list[Ints] = []
    offset = 0
    while len(leads) < n_chunks:
        if offset + 8 > len(data):
            raise FormatError(f"{len(leads)} compressed leads of {n_chunks}; truncated?")
        size = int.from_bytes(data[offset : offset + 4], "little")
        first = int.from_bytes(data[offset + 6 : offset + 8], "little", signed=True)
        start, offset = offset + 8, offset + 8 + size
        if offset > len(data):
            raise FormatError(f"compressed lead {len(leads) + 1} ends too early; truncated?")
        packed = _unpack_lzw(data[start:offset], 2 * n_samples)
        if len(packed) != 2 * n_samples:
            raise FormatError(
                f"compressed lead {len(leads) + 1} holds {len(packed) // 2} samples, {n_samples} "
                "are needed; truncated?"
            )
        leads.append(_integrate(packed, first))
    return leads


def _unpack_lzw(data: bytes, limit: int) -> bytes:
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    n_codes = bits.size // _CODE_BITS
    weights = 1 << np.arange(_CODE_BITS - 1, -1, -1)
    codes = bits[: n_codes * _CODE_BITS].reshape(n_codes, _CODE_BITS) @ weights
    table = [bytes([value]) for value in range(256)]
    parts: list[bytes] = []
    size, previous = 0, b""
    for code in codes.tolist():
        if code == _END_CODE:
            break
        if code < len(table):
            entry = table[code]
        elif previous and code == len(table):
            entry = previous + previous[:1]
        else:
            raise FormatError("compressed data are damaged (unknown LZW code); copy the file again")
        if previous and len(table) < _END_CODE:
            table.append(previous + entry[:1])
        parts.append(entry)
        size += len(entry)
        if size > limit:
            raise FormatError(f"compressed data hold more than the {limit // 2} samples announced")
        previous = entry
    return b"".join(parts)


def _integrate(packed: bytes, first: int) -> Ints:
    """Undo the split of bytes and the second differences.

    With codes c, the samples are x0 = c0, x1 = c1, x2 = 2 x1 - x0 - first and, from there,
    x[n] = 2 x[n-1] - x[n-2] - (c[n-1] - 64).
    """
    half = len(packed) // 2
    split = np.frombuffer(packed, np.uint8).astype(np.int64)
    codes = ((split[:half] << 8 | split[half:]) ^ 0x8000) - 0x8000
    second = np.zeros(half, np.int64)
    second[2:3] = -first
    second[3:] = _BIAS - codes[2:-1]
    slope = np.cumsum(second[1:]) + codes[1] - codes[0]
    samples = np.concatenate([codes[:1], codes[0] + np.cumsum(slope)])
    if np.abs(samples).max() > 1 << 17:
        raise FormatError("compressed data are damaged (samples beyond 16 bits); copy it again")
    return samples
