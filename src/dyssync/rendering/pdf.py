"""Pages as PDF (ISO 32000-1), for printers: in mm, true to scale, text in Helvetica.

Letters that Helvetica's WinAnsi encoding does not have are written as "?".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from dyssync.ecg import Signal
from dyssync.layouts import Layout
from dyssync.rendering.page import DEFAULT_OPTIONS, PageOptions, Text
from dyssync.rendering.paper import Colour
from dyssync.rendering.vector import CAP_SHARE, VectorPage, plan_vector, printable

POINTS_PER_MM = 72 / 25.4  # the unit of PDF
PLAIN, BOLD = "F", "B"  # names of the two fonts
# Widths of the letters of Helvetica from " " to "~", in thousandths of the height of a line (Adobe
# Core 14 font metrics).
WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
OTHER_WIDTH = 667  # of letters with accents and the rest: none of those in use is wider
BOLD_WIDER = 1.08  # most that a line is wider in bold letters


def render_pdf(
    signal: Signal,
    fs: float,
    layout: Layout,
    *,
    style: str = "red",
    options: PageOptions = DEFAULT_OPTIONS,
) -> bytes:
    """Return the page as a PDF of one page.

    Arguments and errors as in :func:`dyssync.rendering.page.render_page`.
    """
    page = plan_vector(signal, fs, layout, style, options)
    return pdf_file(layout.page_mm, drawn_page(page))


def pdf_file(size_mm: tuple[float, float], drawing: str, title: str = "") -> bytes:
    """Return a PDF of one page.

    Args:
        size_mm: width and height.
        drawing: operators whose unit is 1 mm from the upper left corner, y down.
        title: of the document, where it has one.
    """
    width, height = (side * POINTS_PER_MM for side in size_mm)
    k = POINTS_PER_MM
    whole = f"{k:.6f} 0 0 {-k:.6f} 0 {height:.6f} cm 1 j\n{drawing}"
    content = zlib.compress(whole.encode("cp1252", "replace"))
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.3f %.3f] /Contents 4 0 R "
        b"/Resources << /Font << /F 5 0 R /B 6 0 R >> >> >>" % (width, height),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content),
        font % b"Helvetica",
        font % b"Helvetica-Bold",
        b"<< /Title (%s) /Producer (dyssync) >>" % _string(title).encode("cp1252", "replace"),
    ]
    data = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\n" % (len(objects) + 1)
    data += b"startxref\n%d\n%%%%EOF\n" % table
    return bytes(data)


def drawn_page(page: VectorPage, down_mm: float = 0.0) -> str:
    """Return the operators that draw an ECG page, moved down by so much."""
    width, height = page.layout.page_mm
    left, top, right, bottom = (0.0, 0.0, width, height) if page.style.full_page else page.plan.area
    lines = [
        f"q 1 0 0 1 0 {down_mm:g} cm",
        f"{_rgb(page.style.paper)} rg {left:g} {top:g} {right - left:g} {bottom - top:g} re f",
    ]
    for strokes in page.strokes:
        lines.append(f"{_rgb(strokes.colour)} RG {strokes.width:g} w")
        for line in strokes.lines:
            first, *rest = (_point(x, y) for x, y in line)
            lines.append(f"{first} m " + " ".join(f"{point} l" for point in rest))
        lines.append("S")
    lines.append(f"{_rgb(page.style.ink)} rg")
    lines += [f"{a:.2f} {b:.2f} {c - a:.2f} {d - b:.2f} re f" for a, b, c, d in page.plan.bars]
    return "\n".join([*lines, written(page.plan.texts, page.style.text), "Q"])


def written(texts: Iterable[Text], colour: Colour, font: str = PLAIN) -> str:
    """Return the operators that write lines of text."""
    lines = [f"{_rgb(colour)} rg BT"]
    for text in texts:
        y = text.y + CAP_SHARE * text.height
        # -1: letters stand upright although y runs down
        place = f"1 0 0 -1 {text.x:.2f} {y:.2f} Tm"
        lines.append(f"/{font} {text.height:g} Tf {place} ({_string(text.line)}) Tj")
    return "\n".join([*lines, "ET"])


def width_of(line: str, height: float) -> float:
    """Return how wide a line is in Helvetica of a height; both in the same unit."""
    places = (ord(letter) - ord(" ") for letter in line)
    widths = (WIDTHS[k] if 0 <= k < len(WIDTHS) else OTHER_WIDTH for k in places)
    return sum(widths) * height / 1000


def wrapped(line: str, height: float, width: float) -> list[str]:
    """Return a text as lines that are not wider than `width`; a longer word stands alone."""
    lines = [""]
    for word in line.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if not lines[-1] or width_of(longer, height) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _string(line: str) -> str:
    shown = printable(line)
    for letter in "\\()":
        shown = shown.replace(letter, "\\" + letter)
    return shown


def _point(x: float, y: float) -> str:
    """Return a point of a line, mm to four digits: who reads the page back finds each sample."""
    return f"{x:.4f}".rstrip("0").rstrip(".") + " " + f"{y:.4f}".rstrip("0").rstrip(".")


def _rgb(colour: Colour) -> str:
    return " ".join(f"{value / 255:.3f}" for value in colour)
