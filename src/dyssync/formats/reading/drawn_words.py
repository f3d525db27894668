"""Words of a PDF page with their places, by PDFium's raw interface; see :mod:`.drawn_lines`."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from typing import Any

MOST_LETTERS = 20_000
WORD_GAP = 0.25  # of the height of letters, between those of two words


def words_of(pdfium: Any, sheet: Any) -> Iterator[tuple[str, list[float]]]:
    """Yield words with left, bottom, right, top in points."""
    page = pdfium.FPDFText_LoadPage(sheet)
    try:
        edges = [ctypes.c_double() for _ in range(4)]  # left, right, bottom, top
        loose = pdfium.FS_RECTF()
        text, box = "", [0.0] * 4
        for i in range(min(pdfium.FPDFText_CountChars(page), MOST_LETTERS)):
            code = pdfium.FPDFText_GetUnicode(page, i)
            letter = chr(code) if code <= sys.maxunicode else " "
            pdfium.FPDFText_GetCharBox(page, i, *edges)
            _, _, bottom, top = (edge.value for edge in edges)
            # from where the letter before it ends to where the next begins
            pdfium.FPDFText_GetLooseCharBox(page, i, loose)
            left, right = loose.left, loose.right
            height = max(box[3] - box[1], top - bottom)
            apart = left - box[2] > WORD_GAP * height or left < box[0] or abs(top - box[3]) > height
            if text and (letter.isspace() or apart):
                yield text, box
                text = ""
            if letter.isspace() or not letter.isprintable():
                continue
            if text:
                box = [box[0], min(box[1], bottom), max(box[2], right), max(box[3], top)]
            else:
                box = [left, bottom, right, top]
            text += letter
        if text:
            yield text, box
    finally:
        pdfium.FPDFText_ClosePage(page)
