"""What checksums of 16 bits have in common."""

from __future__ import annotations


def swapped(checksum: int) -> int:
    """Return a 16-bit checksum with its bytes swapped; writers disagree on their order.

    >>> hex(swapped(0x12AB))
    '0xab12'
    """
    return (checksum & 0xFF) << 8 | checksum >> 8
