"""PDF pages, vector or scanned, drawn by PDFium (package pypdfium2).

A damaged page may keep it busy for long: it runs apart, see :mod:`isolation`.
"""

from __future__ import annotations

import importlib.util
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dyssync.errors import FormatError
from dyssync.formats.reading.apart import Limits, serve
from dyssync.formats.reading.drawn_lines import packed_lines, unpack_lines
from dyssync.formats.reading.isolation import convert_apart
from dyssync.formats.reading.recording import Format, InputFile, ReadOptions
from dyssync.image import MAX_PIXELS, ECGImage, check_size

LIMITS = Limits(cpu_s=2, opens_files=True)  # PDFium looks for fonts of the system
DPI = 200.0  # a small square of 1 mm is 7.9 px, a 0.1 mV step 7.9 px
POINTS_PER_INCH = 72.0
INSTALL = "pip install pypdfium2"
_ASKED = struct.Struct("<I")  # page, before the file
_DRAWN = struct.Struct("<3I")  # pages, height, width, before the pixels


def parse(data: bytes, page: int = 1) -> ECGImage:
    """Draw one page at 200 dpi, less where the page is very large; keep its lines and words.

    Raises:
        FormatError: pypdfium2 is missing, the file is damaged or locked, or has no such page.
    """
    if importlib.util.find_spec("pypdfium2") is None:
        raise FormatError(f"PDF pages need pypdfium2: {INSTALL}")
    drawn = convert_apart(__name__, _ASKED.pack(page) + data)
    n_pages, height, width = _DRAWN.unpack_from(drawn)
    pixels = np.frombuffer(drawn, np.uint8, height * width * 3, _DRAWN.size)
    pixels = pixels.reshape(height, width, 3)
    drawing = unpack_lines(memoryview(drawn)[_DRAWN.size + pixels.nbytes :])
    return ECGImage(pixels, notes={"page": f"{page} of {n_pages}"}, drawing=drawing)


def convert(asked: bytes) -> list[bytes | memoryview]:
    """Return a page as pixels, with its lines and words; runs in the process of its own.

    Raises:
        FormatError: damaged or locked, or without that page.
    """
    import pypdfium2

    (page,) = _ASKED.unpack_from(asked)
    try:
        document = pypdfium2.PdfDocument(asked[_ASKED.size :])
    except pypdfium2.PdfiumError as error:
        raise FormatError("damaged or locked PDF; print it to PDF again") from error
    n_pages = len(document)
    if not 1 <= page <= n_pages:
        raise FormatError(f"has {n_pages} pages, page {page:d} is asked for; choose one of them")
    try:
        sheet = document[page - 1]
        pixels, lines = _draw(sheet), packed_lines(sheet)
    except (pypdfium2.PdfiumError, OverflowError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"page {page:d} of the PDF cannot be drawn") from error
    return [_DRAWN.pack(n_pages, *pixels.shape[:2]), pixels.data, lines]


def _draw(sheet: Any) -> np.ndarray:  # pypdfium2 has no types
    """Return (height, width, 3) uint8."""
    width, height = sheet.get_size()
    scale = DPI / POINTS_PER_INCH
    if width * height * scale**2 > MAX_PIXELS:
        scale = (MAX_PIXELS / (width * height)) ** 0.5 * 0.999
    check_size(int(width * scale), int(height * scale))
    bitmap = sheet.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
    return np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` has the PDF mark within its first kilobyte, where readers look for it."""
    return b"%PDF-" in head[:1024]


def read(file: InputFile, options: ReadOptions) -> ECGImage:
    """Read a page of a PDF; see :func:`parse`."""
    return parse(file.data, options.page)


FORMAT = Format(
    name="pdf",
    description="a page of a PDF (needs pypdfium2); for models that take pictures",
    suffixes=(".pdf",),
    sniff=sniff,
    read=read,
)


if __name__ == "__main__":
    sys.exit(serve(convert, ("pypdfium2",), LIMITS))
