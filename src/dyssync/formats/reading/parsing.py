"""Numbers, lists of numbers and bytes out of texts and fields, whatever the format."""

from __future__ import annotations

import base64
import binascii

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import lead_name
from dyssync.errors import FormatError, Vetted, Words, counted

MAX_NUMBERS = 2_000_000  # of one text, 60 bytes each while they are read: 44 minutes at 750 Hz


def told(text: str | bytes | None) -> Words:
    """Say what a text of a file is without quoting it: it may be anybody's name.

    >>> told("Smith"), told(""), told(None)
    ('5 characters', 'empty', 'missing')
    """
    if text is None:
        return "missing"
    return "empty" if not text else counted(len(text), "character")


def called(name: str | None) -> Words:
    """Return what a lead is called in a message: its standard name, else nothing of the file's.

    >>> called("MDC_ECG_LEAD_V1"), called("Smith")
    ('lead V1', 'a lead of another name (5 characters)')
    """
    standard: Vetted | None = lead_name(name or "")  # a word of ours
    return f"lead {standard}" if standard else f"a lead of another name ({told(name)})"


def number(text: str | None, what: Words) -> float:
    """Return `text` as a finite number.

    Raises:
        FormatError: it is missing or no number; `what` names it.
    """
    try:
        value = float(text or "")
    except ValueError as error:
        raise FormatError(f"{what} is no number ({told(text)}); one is needed") from error
    if not np.isfinite(value):
        raise FormatError(f"{what} is {value:g}; a finite number is needed")
    return value


def numbers(text: str | None, what: Words, separator: str | None = None) -> Floats:
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
        raise FormatError(f"{what}: not all are numbers; plain ones are needed") from error


def decode_base64(text: str | None, what: Words) -> bytes:
    """Return the bytes of base64 text.

    Raises:
        FormatError: it is no base64.
    """
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"{what} is no valid base64; truncated?") from error


def int16_samples(data: bytes, what: Words) -> Floats:
    """Return little-endian 16-bit samples.

    Raises:
        FormatError: an odd number of bytes.
    """
    if len(data) % 2:
        raise FormatError(f"{what} has {len(data)} bytes; two a sample are needed. Truncated?")
    return np.frombuffer(data, "<i2").astype(np.float64)
