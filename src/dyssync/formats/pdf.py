"""PDF pages, vector or scanned, drawn by PDFium (package pypdfium2)."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from dyssync.errors import FormatError
from dyssync.formats.picture import MAX_PIXELS, ECGImage, check_size
from dyssync.formats.recording import Format, InputFile, ReadOptions

DPI = 200.0  # a small square of 1 mm is 7.9 px, a 0.1 mV step 7.9 px
POINTS_PER_INCH = 72.0
INSTALL = "pip install pypdfium2"
_PDFIUM_LOCK = threading.Lock()  # PDFium is not thread-safe; the web page reads in threads


def parse(data: bytes, page: int = 1) -> ECGImage:
    """Draw one page at 200 dpi, less where the page is very large.

    Raises:
        FormatError: pypdfium2 is missing, the file is damaged or locked, or has no such page.
    """
    try:
        import pypdfium2
    except ImportError as error:
        raise FormatError(f"PDF pages need pypdfium2: {INSTALL}") from error

    with _PDFIUM_LOCK:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            raise FormatError(f"damaged or locked PDF ({error}); print it to PDF again") from error
        try:
            return _draw(document, page)
        except (pypdfium2.PdfiumError, OverflowError, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"page {page} of the PDF cannot be drawn ({error})") from error
        finally:
            document.close()


def _draw(document: object, page: int) -> ECGImage:
    n_pages = len(document)  # type: ignore[arg-type]  # pypdfium2 has no types
    if not 1 <= page <= n_pages:
        raise FormatError(f"has {n_pages} pages, page {page} is asked for; choose one of them")
    sheet = document[page - 1]  # type: ignore[index]
    try:
        width, height = sheet.get_size()
        scale = DPI / POINTS_PER_INCH
        if width * height * scale**2 > MAX_PIXELS:
            scale = (MAX_PIXELS / (width * height)) ** 0.5 * 0.999
        check_size(int(width * scale), int(height * scale))
        bitmap = sheet.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
        pixels = np.array(bitmap.to_numpy()[:, :, :3])
        bitmap.close()
    finally:
        sheet.close()
    return ECGImage(pixels, notes={"page": f"{page} of {n_pages}"})


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
