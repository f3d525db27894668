"""Huffman coding and differences of SCP-ECG.

References:
    EN 1064:2005+A1:2007 (SCP-ECG), section 2 and annex C: the default table, code bits least
    significant first, prefixes that are followed by plain bits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dyssync.arrays import Floats
from dyssync.errors import FormatError, Words

DEFAULT_TABLES = 19999  # stands for "the default table" in section 2
_MAX_BITS = 32


@dataclass(frozen=True)
class Leaf:
    """What a prefix means: a value, `extra` plain bits, or a change of table (1 is the first)."""

    extra: int
    value: int
    table: int | None


Node: TypeAlias = "list[Node | Leaf | None]"


def default_table() -> Node:
    """Return the default table: unary codes for -8 to 8, escapes for 8 and 16 plain bits."""
    root: Node = [None, None]
    _insert(root, "0", Leaf(0, 0, None))
    for size in range(1, 9):
        ones = "1" * size
        _insert(root, f"{ones}00", Leaf(0, size, None))
        _insert(root, f"{ones}01", Leaf(0, -size, None))
    _insert(root, "1" * 9 + "0", Leaf(8, 0, None))
    _insert(root, "1" * 10, Leaf(16, 0, None))
    return root


def parse_tables(body: bytes) -> list[Node]:
    """Read section 2.

    Raises:
        FormatError: codes that are no prefix code, or a section cut short.
    """
    if len(body) < 2:
        raise FormatError("section 2 is empty; Huffman tables are needed")
    count = int.from_bytes(body[:2], "little")
    if count == DEFAULT_TABLES:
        return [default_table()]
    tables: list[Node] = []
    at = 2
    for _ in range(count):
        n_codes = int.from_bytes(body[at : at + 2], "little")
        at += 2
        if n_codes == 0 or at + 9 * n_codes > len(body):
            raise FormatError("section 2 ends within a Huffman table; truncated?")
        root: Node = [None, None]
        for _ in range(n_codes):
            first, second, mode, value, code = struct.unpack_from("<BBBhI", body, at)
            at += 9
            # The standard has the prefix first, BioSig the whole code; the prefix is the shorter.
            prefix, total = min(first, second), max(first, second)
            if not 1 <= prefix <= total <= _MAX_BITS:
                raise FormatError(
                    f"section 2: a code of {prefix:d} of {total:d} bits; 1 to 32 is needed"
                )
            bits = "".join(str(code >> i & 1) for i in range(prefix))
            _insert(root, bits, Leaf(total - prefix, value, None if mode else value))
        tables.append(root)
    if not tables:
        raise FormatError("section 2 holds no Huffman table")
    return tables


def _insert(root: Node, bits: str, leaf: Leaf) -> None:
    node = root
    for bit in bits[:-1]:
        child = node[int(bit)]
        if isinstance(child, Leaf):
            raise FormatError("section 2: a Huffman code is the start of another; damaged?")
        if child is None:
            child = [None, None]
            node[int(bit)] = child
        node = child
    if node[int(bits[-1])] is not None:
        raise FormatError("section 2: a Huffman code is there twice; damaged?")
    node[int(bits[-1])] = leaf


def decode(data: bytes, tables: list[Node], n_samples: int, what: Words) -> Floats:
    """Return `n_samples` values of one lead.

    Raises:
        FormatError: the bits end too early, or make no code.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).tobytes()
    values: list[int] = []
    at, end = 0, len(bits)
    table = node = tables[0]
    while len(values) < n_samples:
        if at >= end:
            raise FormatError(f"{what} ends after {len(values)} of {n_samples} samples; truncated?")
        child = node[bits[at]]
        at += 1
        if child is None:
            raise FormatError(f"{what}: unknown Huffman code at bit {at:d}; damaged?")
        if not isinstance(child, Leaf):
            node = child
            continue
        if child.table is not None:
            if not 1 <= child.table <= len(tables):
                raise FormatError(f"{what}: Huffman table {child.table} of {len(tables)}; damaged?")
            table = tables[child.table - 1]
        elif child.extra:
            if at + child.extra > end:
                raise FormatError(f"{what} ends within a sample; truncated?")
            values.append(_signed(bits[at : at + child.extra]))
            at += child.extra
        else:
            values.append(child.value)
        node = table
    return np.array(values, dtype=np.float64)


def _signed(bits: bytes) -> int:
    """Return the two's complement value of bits, most significant first."""
    value = int("".join(map(str, bits)), 2)
    return value - (bits[0] << len(bits))


def integrate(differences: Floats, order: int, what: Words) -> Floats:
    """Undo `order` differences (0, 1, 2); the first values stand as they are.

    Raises:
        FormatError: another order.
    """
    if order not in (0, 1, 2):
        raise FormatError(f"{what}: {order} differences; 0, 1 or 2 are known")
    if order == 0:
        return differences
    if order == 1 or len(differences) < 2:
        return np.cumsum(differences)
    slope = np.concatenate([[differences[1] - differences[0]], differences[2:]]).cumsum()
    return np.concatenate([differences[:1], differences[0] + slope.cumsum()])
