"""How Sierra XML writes samples: as text, base64 or hexadecimal, in words of some width.

References:
    SierraECGSchema 1.04.01, TYPEdataencoding and the attributes of parsedwaveforms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dyssync.arrays import Floats
from dyssync.errors import FormatError, Words
from dyssync.formats.reading.parsing import decode_base64, numbers, told
from dyssync.formats.reading.xml_tree import text_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: TID251 - the type only

_WIDTHS = {8: "i1", 16: "<i2", 32: "<i4"}


@dataclass(frozen=True)
class Stored:
    """Encoding, word size in bits and signedness of samples."""

    encoding: str
    bits: int
    signed: bool

    def unpack(self, text: str | None, what: Words) -> bytes:
        """Return the bytes of base64 or hexadecimal text.

        Raises:
            FormatError: another encoding, or damaged text.
        """
        if self.encoding == "Base64":
            return decode_base64(text, what)
        if self.encoding != "Hex":
            raise FormatError(
                f"unknown encoding of the data ({told(self.encoding)}); Base64, Hex or Plain"
            )
        try:
            return bytes.fromhex(text or "")
        except ValueError as error:
            raise FormatError(f"{what} is no hexadecimal text; truncated?") from error

    def samples(self, text: str | None, what: Words) -> Floats:
        """Return uncompressed samples, in steps.

        Raises:
            FormatError: another encoding or word size, or damaged text.
        """
        if self.encoding == "Plain":
            return numbers(text, what)
        if self.bits not in _WIDTHS:
            raise FormatError(f"{self.bits} bits a sample; 8, 16 or 32 are needed")
        data = self.unpack(text, what)
        kind = np.dtype(_WIDTHS[self.bits] if self.signed else _WIDTHS[self.bits].replace("i", "u"))
        if len(data) % kind.itemsize:
            raise FormatError(
                f"{what} has {len(data)} bytes; {kind.itemsize:d} a sample are needed. Truncated?"
            )
        return np.frombuffer(data, kind).astype(np.float64)


def stored_samples(waves: Element, signal: Element | None) -> Stored:
    """Return how the samples of `waves` are written; what it leaves out `signal` says.

    1.03 calls the word size nbitspersample. Signed words of 16 bits are the usual ones.
    """
    bits = waves.get("bitspersample") or waves.get("nbitspersample") or "16"
    signed = waves.get("signalsigned") or text_of(signal, "signalsigned") or "True"
    return Stored(
        encoding=waves.get("dataencoding") or "",
        bits=int(bits) if bits.strip().isdigit() and len(bits) < 4 else 0,
        signed=signed.strip().lower() != "false",
    )
