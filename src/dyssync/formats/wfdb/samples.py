"""Sample formats of WFDB signal files (signal(5) of the WFDB applications guide)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Ints32


@dataclass(frozen=True)
class SampleFormat:
    """How one integer format is stored.

    Attributes:
        n_bytes: bytes that hold n samples.
        decode: (bytes, n) to (n,) int32; at least `n_bytes(n)` bytes must be there.
        invalid: the value that stands for "no sample".
    """

    n_bytes: Callable[[int], int]
    decode: Callable[[bytes, int], Ints32]
    invalid: int


def _plain(dtype: str, offset: int = 0) -> Callable[[bytes, int], Ints32]:
    def decode(data: bytes, n: int) -> Ints32:
        return np.frombuffer(data, dtype, n).astype(np.int32) - np.int32(offset)

    return decode


def _decode_24(data: bytes, n: int) -> Ints32:
    triple = np.frombuffer(data, np.uint8, 3 * n).reshape(n, 3)
    words = np.zeros((n, 4), np.uint8)
    words[:, 1:] = triple  # the upper three bytes, so that the shift brings the sign down
    return words.view("<i4").ravel() >> np.int32(8)


def _decode_212(data: bytes, n: int) -> Ints32:
    pairs = (n + 1) // 2
    raw = np.zeros(3 * pairs, np.uint8)
    have = np.frombuffer(data, np.uint8, min(len(data), 3 * pairs))
    raw[: have.size] = have
    b = raw.reshape(pairs, 3).astype(np.int32)
    out = np.empty((pairs, 2), np.int32)
    out[:, 0] = b[:, 0] | (b[:, 1] & 0x0F) << 8
    out[:, 1] = b[:, 2] | (b[:, 1] & 0xF0) << 4
    return _signed(out.ravel()[:n], 12)


def _decode_310(data: bytes, n: int) -> Ints32:
    words = _words(data, "<u2", 2 * ((n + 2) // 3)).reshape(-1, 2).astype(np.int32)
    out = np.empty((len(words), 3), np.int32)
    out[:, 0] = words[:, 0] >> 1 & 0x3FF
    out[:, 1] = words[:, 1] >> 1 & 0x3FF
    out[:, 2] = words[:, 0] >> 11 | (words[:, 1] >> 11) << 5
    return _signed(out.ravel()[:n], 10)


def _decode_311(data: bytes, n: int) -> Ints32:
    words = _words(data, "<u4", (n + 2) // 3).astype(np.int64)
    out = np.stack([words & 0x3FF, words >> 10 & 0x3FF, words >> 20 & 0x3FF], axis=1)
    return _signed(out.astype(np.int32).ravel()[:n], 10)


def _words(data: bytes, dtype: str, n: int) -> npt.NDArray[np.unsignedinteger]:
    size = n * np.dtype(dtype).itemsize  # the last group may be cut short: pad with zeros
    padded = data[:size].ljust(size, b"\0")
    words: npt.NDArray[np.unsignedinteger] = np.frombuffer(padded, dtype, n)
    return words


def _signed(values: Ints32, bits: int) -> Ints32:
    half = np.int32(1 << (bits - 1))
    signed: Ints32 = (values ^ half) - half
    return signed


SAMPLE_FORMATS: Mapping[str, SampleFormat] = {
    "16": SampleFormat(lambda n: 2 * n, _plain("<i2"), -(1 << 15)),
    "24": SampleFormat(lambda n: 3 * n, _decode_24, -(1 << 23)),
    "32": SampleFormat(lambda n: 4 * n, _plain("<i4"), -(1 << 31)),
    "61": SampleFormat(lambda n: 2 * n, _plain(">i2"), -(1 << 15)),
    "80": SampleFormat(lambda n: n, _plain("u1", 128), -(1 << 7)),
    "160": SampleFormat(lambda n: 2 * n, _plain("<u2", 1 << 15), -(1 << 15)),
    "212": SampleFormat(lambda n: (3 * n + 1) // 2, _decode_212, -(1 << 11)),
    "310": SampleFormat(lambda n: 4 * (n // 3) + 2 * (n % 3), _decode_310, -(1 << 9)),
    "311": SampleFormat(lambda n: 4 * ((n + 2) // 3), _decode_311, -(1 << 9)),
}


def n_samples_in(fmt: SampleFormat, n_bytes: int) -> int:
    """Return the largest number of samples that `n_bytes` bytes hold."""
    low, high = 0, 2 * n_bytes + 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fmt.n_bytes(middle) <= n_bytes else (low, middle - 1)
    return low
