"""Pictures as bytes: PNG that knows its resolution, so that a print keeps its millimetres."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from dyssync.rendering.rendered import Rendered

MM_PER_METRE = 1000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = {2: 0, 3: 2}  # grey, RGB, by dimensions of the array (PNG section 11.2.1)
_UP = 2  # filter type (PNG section 9.2); a page differs little from row to row
_FAST = 2  # zlib level; 6 is a tenth smaller and three times slower on such pages


def encode_png(rendered: Rendered) -> bytes:
    """Return the picture as PNG with its resolution in a pHYs chunk (PNG section 11.3.4.3)."""
    image = rendered.image
    height, width = image.shape[:2]
    rows = image.reshape(height, -1)
    filtered = np.full((height, 1 + rows.shape[1]), _UP, np.uint8)
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    per_metre = round(rendered.px_per_mm * MM_PER_METRE)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPE[image.ndim], 0, 0, 0)
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),  # 1: the metre
            _chunk(b"IDAT", zlib.compress(filtered.data, _FAST)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
