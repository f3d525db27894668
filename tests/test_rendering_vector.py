"""SVG and PDF show the same page as the pixels."""

import re

import cv2
import numpy as np
import pypdfium2
import pytest
from defusedxml import ElementTree

from dyssync.ecg import Signal
from dyssync.layouts import LAYOUTS
from dyssync.rendering import STYLES, PageOptions, render_page, render_pdf, render_svg

HOSTILE = PageOptions(header=("<script>alert(1)</script> & \\ ) (", "Müller \x00\x07 李", ""))


@pytest.fixture
def heartbeat() -> Signal:
    """12 leads of smooth beats, (12, 2500) mV at 250 Hz."""
    phase = np.mod(np.arange(2500) / 250, 0.8)
    beat = np.exp(-(((phase - 0.3) / 0.025) ** 2)) + 0.2 * np.exp(-(((phase - 0.55) / 0.06) ** 2))
    return (np.linspace(0.2, 1.3, 12)[:, None] * beat).astype(np.float32)


@pytest.mark.parametrize("style", ["plain", "pink", "blue"])
def test_pdf_page_equals_the_raster_page(style: str, heartbeat: Signal) -> None:
    heartbeat[:, 700:800] = np.nan
    layout = LAYOUTS["3x4+II"]
    raster = render_page(heartbeat, 250, layout, dpi=100, style=style)
    document = pypdfium2.PdfDocument(render_pdf(heartbeat, 250, layout, style=style))
    assert document[0].get_size() == pytest.approx(tuple(72 / 25.4 * mm for mm in layout.page_mm))
    vector = document[0].render(scale=100 / 72).to_numpy()
    # Same ink at the same place: blurred by 2 px, the two differ by less than a thin line.
    soft = [
        cv2.GaussianBlur(np.min(p[:850, :1100], axis=2), (0, 0), 2.0)
        for p in (raster.image, vector)
    ]
    ink = [255.0 - picture for picture in soft]
    assert np.corrcoef(ink[0].ravel(), ink[1].ravel())[0, 1] > 0.95


@pytest.mark.parametrize("style", STYLES.names())
def test_svg_is_well_formed_offline_and_in_millimetres(style: str, heartbeat: Signal) -> None:
    svg = render_svg(heartbeat, 250, LAYOUTS["3x4+3R"], style=style, options=HOSTILE)
    root = ElementTree.fromstring(svg)
    assert root.attrib["width"] == "279.4mm"
    assert root.attrib["viewBox"] == "0 0 279.4 215.9"
    assert not re.search(r"<script|href|url\(", svg)
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "<script>alert(1)</script> & \\ ) (" in texts


def test_pdf_takes_any_header(heartbeat: Signal) -> None:
    data = render_pdf(heartbeat, 250, LAYOUTS["3x4"], options=HOSTILE)
    page = pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()
    assert "<script>alert(1)</script> & \\ ) (" in page
    assert "Müller" in page
