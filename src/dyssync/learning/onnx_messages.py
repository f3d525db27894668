"""The few messages of ONNX that a network of ours takes, as protobuf: written, and read back.

Ours, because the package `onnx` is not needed to predict, and because whoever reads a stranger's
file should know every byte of what it lets through.

References:
    onnx.proto of ONNX 1.12 (IR version 9 reads it), https://github.com/onnx/onnx;
    protobuf encoding, https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np

Attribute: TypeAlias = int | float | Sequence[int]
# A message with numbers in it: of a network they have 22 MB, and are checked far more often than
# they are written.
Pieces: TypeAlias = Sequence[bytes | memoryview]
FLOAT, INT, INTS = 1, 2, 7  # types of attributes
TYPES: Mapping[np.dtype[Any], int] = {  # of numbers
    np.dtype("<f4"): 1, np.dtype("<i1"): 3, np.dtype("<f2"): 10,
}  # fmt: skip
MOST_FIELDS = 2000  # of a message; a ResNet-18 has some 150 tensors
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5  # how a field is written
_FLOAT = struct.Struct("<f")


def varint(number: int) -> bytes:
    """Return a whole number, 0 or above."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def field(number: int, value: int | float | str | bytes) -> bytes:
    """Return one field of a message."""
    if isinstance(value, int):
        return varint(number << 3 | _VARINT) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | _FIXED_32) + _FLOAT.pack(value)
    held = value.encode() if isinstance(value, str) else value
    return b"".join([varint(number << 3 | _BYTES), varint(len(held)), held])


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Attribute) -> bytes:
    """Return a NodeProto."""
    parts = [*(field(1, name) for name in inputs), field(2, output), field(4, kind)]
    parts += [field(5, _attribute(name, attributes[name])) for name in sorted(attributes)]
    return b"".join(parts)


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, INT)
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, FLOAT)
    return b"".join([field(1, name), *(field(8, one) for one in value), field(20, INTS)])


def tensor(name: str, values: np.ndarray) -> Pieces:
    """Return a TensorProto of numbers of one of :data:`TYPES`, which are not copied."""
    kept = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    parts = [*(field(1, size) for size in kept.shape), field(2, TYPES[kept.dtype]), field(8, name)]
    return [*parts, *_wrapped(9, [kept.data.cast("B")])]


def _wrapped(number: int, message: Pieces) -> Pieces:
    """Return a field that holds a message."""
    return [varint(number << 3 | _BYTES) + varint(sum(map(len, message))), *message]


def floats(name: str, sizes: Sequence[int | str]) -> bytes:
    """Return the ValueInfoProto of an input or output of 32-bit numbers; a name is any size."""
    dims = [field(1, field(1 if isinstance(size, int) else 2, size)) for size in sizes]
    shaped = field(1, TYPES[np.dtype("<f4")]) + field(2, b"".join(dims))
    return field(1, name) + field(2, field(1, shaped))


def graph(
    name: str,
    nodes: Sequence[bytes],
    tensors: Sequence[Pieces],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
) -> Pieces:
    """Return a GraphProto of what the functions here made."""
    return [
        *(field(1, one) for one in nodes),
        field(2, name),
        *chain.from_iterable(_wrapped(5, one) for one in tensors),
        *(field(11, one) for one in inputs),
        *(field(12, one) for one in outputs),
    ]


def model(graph: Pieces, *, ir_version: int, opset: int, producer: str) -> Pieces:
    """Return a ModelProto, the file."""
    opsets = field(8, field(1, "") + field(2, opset))
    return [field(1, ir_version), field(2, producer), *_wrapped(7, graph), opsets]


def is_made_of(data: bytes, pieces: Pieces) -> bool:
    """Return whether a file is its pieces, one after the other, without joining them."""
    at = 0
    for piece in pieces:
        if not data.startswith(piece, at):
            return False
        at += len(piece)
    return at == len(data)


def tensors_of(data: bytes) -> dict[str, np.ndarray]:
    """Return the numbers that a file holds, by name; the file is not taken apart further.

    Raises:
        ValueError: it is none of what :func:`model` and :func:`tensor` write.
    """
    found: dict[str, np.ndarray] = {}
    for graph in _held(memoryview(data), 7):
        for one in _held(graph, 5):
            name, values = _numbers(one)
            found[name] = values
    return found


def _numbers(message: memoryview) -> tuple[str, np.ndarray]:
    sizes: list[int] = []
    kind, name, raw = 0, "", memoryview(b"")
    for number, value in _fields(message):
        if isinstance(value, int):
            if number == 1:
                sizes.append(value)
            kind = value if number == 2 else kind
        elif number == 8:
            name = str(value, "utf-8")
        elif number == 9:
            raw = value
    dtype = {code: dtype for dtype, code in TYPES.items()}.get(kind)
    if dtype is None:
        raise ValueError("numbers of another type")
    return name, np.frombuffer(raw, dtype).reshape(sizes)


def _held(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in _fields(message):
        if number == wanted and not isinstance(value, int):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field; of numbers of fixed size their bytes."""
    yield from islice(_all_fields(message), MOST_FIELDS)


def _all_fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size = {_FIXED_64: 8, _FIXED_32: 4}.get(key & 7)
        if key & 7 == _BYTES:
            size, at = _varint(message, at)
        if size is None or at + size > len(message):
            raise ValueError("no message")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for k, byte in enumerate(message[at : at + 10]):
        number |= (byte & 127) << 7 * k
        if byte < 128:
            return number, at + k + 1
    raise ValueError("no number")
