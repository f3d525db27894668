"""Leave out of a DICOM file what would only cost time.

A cart writes the marks of every beat and lead as annotations, hundreds of nested items, which take
nine tenths of the time that pydicom needs to read an ECG. Those that carry neither a number nor a
text are of no use here.

References:
    DICOM PS3.5 7.1.2 (explicit VR), 7.5 (sequences of items).
"""

from __future__ import annotations

_EXPLICIT_LITTLE_ENDIAN = b"1.2.840.10008.1.2.1\0"
_PREAMBLE = 132
# Of these types the length has four bytes, after two that are reserved.
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_ANNOTATIONS = b"\x40\x00\x20\xb0"
_WAVEFORM_GROUP = b"\x00\x54"
_NUMERIC_VALUE = b"\x40\x00\x0a\xa3"
_FREE_TEXT = b"\x70\x00\x06\x00"
_ITEM = b"\xfe\xff\x00\xe0"
_ITEM_END = b"\xfe\xff\x0d\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"
_UNDEFINED = 0xFFFFFFFF
_MAX_DEPTH = 16


class _UnusualError(Exception):
    """The bytes are not what the walk expects; pydicom shall see them as they are."""


def without_marks(data: bytes) -> bytes:
    """Return the file without those annotations that hold neither a number nor a text.

    A file that is not explicit little endian, has no annotations or is damaged comes back as it is.
    """
    if data[_PREAMBLE - 4 : _PREAMBLE] != b"DICM" or _EXPLICIT_LITTLE_ENDIAN not in data[:1024]:
        return data
    try:
        at = _PREAMBLE
        while data[at : at + 4] != _ANNOTATIONS:
            if data[at : at + 2] == _WAVEFORM_GROUP:  # which comes after the annotations
                return data
            at = _end_of_element(data, at, 0)
        return _shortened(data, at)
    except _UnusualError:
        return data


def _shortened(data: bytes, start: int) -> bytes:
    """Return `data` with the sequence at `start` cut to the items that are of use."""
    kept = []
    end = _end_of_element(data, start, 0)
    at = start + 12
    while at + 8 <= end and data[at : at + 4] == _ITEM:
        after = _end_of_item(data, at, 0)
        item = data[at:after]
        if _NUMERIC_VALUE in item or _FREE_TEXT in item:
            kept.append(item)
        at = after
    head = data[start : start + 8] + b"\xff\xff\xff\xff"
    return b"".join([data[:start], head, *kept, _SEQUENCE_END, b"\0\0\0\0", data[end:]])


def _end_of_element(data: bytes, at: int, depth: int) -> int:
    kind = data[at + 4 : at + 6]
    if kind in _LONG:
        start = at + 12
        length = int.from_bytes(data[at + 8 : start], "little")
    elif kind.isalpha() and kind.isupper():
        start = at + 8
        length = int.from_bytes(data[at + 6 : start], "little")
    else:
        raise _UnusualError
    if length != _UNDEFINED:
        return _within(data, start + length)
    if kind != b"SQ" or depth > _MAX_DEPTH:
        raise _UnusualError
    while data[start : start + 4] == _ITEM:
        start = _end_of_item(data, start, depth)
    if data[start : start + 4] != _SEQUENCE_END:
        raise _UnusualError
    return _within(data, start + 8)


def _end_of_item(data: bytes, at: int, depth: int) -> int:
    length = int.from_bytes(data[at + 4 : at + 8], "little")
    at += 8
    if length != _UNDEFINED:
        return _within(data, at + length)
    while data[at : at + 4] != _ITEM_END:
        at = _end_of_element(data, at, depth + 1)
    return _within(data, at + 8)


def _within(data: bytes, end: int) -> int:
    if end > len(data):
        raise _UnusualError
    return end
