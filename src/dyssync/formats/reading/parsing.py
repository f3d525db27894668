"""Numbers, lists of numbers and bytes out of texts and fields, whatever the format."""

from __future__ import annotations

import base64
import binascii

import numpy as np

from dyssync.arrays import Floats
from dyssync.errors import FormatError

MAX_NUMBERS = 2_000_000  # of one text, 60 bytes each while they are read: 44 minutes at 750 Hz


def number(text: str | None, what: str) -> float:
    """Return `text` as a finite number.

    Raises:
        FormatError: it is missing or no number; `what` names it.
    """
    try:
        value = float(text or "")
    except ValueError as error:
        raise FormatError(f"{what} is no number; one is needed") from error
    if not np.isfinite(value):
        raise FormatError(f"{what} is not finite; a finite number is needed")
    return value


def numbers(text: str | None, what: str, separator: str | None = None) -> Floats:
    """Return a list of numbers in a text as float64.

    Raises:
        FormatError: one of them is no number, or there are absurdly many.
    """
    if sum((text or "").count(mark) for mark in separator or " \t\r\n") > MAX_NUMBERS:
        raise FormatError(f"{what}: more than {MAX_NUMBERS / 1e6:.0f} million numbers; too long")
    parts = (text or "").split(separator)
    try:
        return np.array(parts if (text or "").strip() else [], dtype=np.float64)
    except ValueError as error:
        raise FormatError(f"{what} holds what is no number; plain numbers are needed") from error


def decode_base64(text: str | None, what: str) -> bytes:
    """Return the bytes of base64 text.

    Raises:
        FormatError: it is no base64.
    """
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"{what} is no valid base64 ({error}); truncated?") from error


def int16_samples(data: bytes, what: str) -> Floats:
    """Return little-endian 16-bit samples.

    Raises:
        FormatError: an odd number of bytes.
    """
    if len(data) % 2:
        raise FormatError(f"{what} has {len(data)} bytes; two a sample are needed. Truncated?")
    return np.frombuffer(data, "<i2").astype(np.float64)
