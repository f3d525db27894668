"""Pictures and pages in all their encodings, turned as they say, the page that was asked for."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, parse_input
from dyssync.image import ECGImage

PAGE = np.full((60, 90, 3), 255, np.uint8)
PAGE[:20, :30] = 40  # dark corner, top left
GREY = PAGE[:, :, 0]


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return stream.getvalue()


def picture(data: bytes, page: int = 1) -> ECGImage:
    read = parse_input("scan", data, ReadOptions(page=page))
    assert isinstance(read, ECGImage)
    return read


RGB = Image.fromarray(PAGE)
INK = Image.fromarray(np.where(GREY > 99, 0, 255).astype(np.uint8))
ON_GLASS = Image.merge("RGBA", [*RGB.split(), INK])
ENCODED = {
    "png": saved(RGB, "PNG"),
    "jpeg": saved(RGB, "JPEG", quality=95),
    "bmp": saved(RGB, "BMP"),
    "webp": saved(RGB, "WEBP", lossless=True),
    "tiff": saved(RGB, "TIFF"),
    "bigtiff": saved(RGB, "TIFF", big_tiff=True),
    "tiff-fax": saved(RGB.convert("1"), "TIFF", compression="group4"),
    "tiff-lzw": saved(RGB, "TIFF", compression="tiff_lzw"),
    "palette": saved(RGB.convert("P"), "PNG"),
    "cmyk": saved(RGB.convert("CMYK"), "JPEG"),
    "16-bit": saved(Image.fromarray(GREY.astype(np.uint16) * 257), "PNG"),
    "transparent": saved(ON_GLASS, "PNG"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODED)
def test_every_encoding_gives_the_page(name: str) -> None:
    pixels = picture(ENCODED[name]).pixels
    assert pixels.shape == (60, 90, 3)
    assert pixels[10, 10].max() < 60
    assert pixels[50, 80].min() > 250


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone(kind: str, orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = RGB.transpose(undo[orientation]) if orientation > 1 else RGB
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = picture(saved(stored, kind, exif=exif)).pixels
    assert pixels.shape == (60, 90, 3)
    assert pixels[5, 5].max() < 100
    assert pixels[50, 80].min() > 240


def test_a_pdf_page_is_drawn_at_200_dpi() -> None:  # as docs/formats.md promises
    page = Image.fromarray(np.full((300, 450), 128, np.uint8))
    assert picture(saved(page, "PDF", resolution=150.0)).pixels.shape == (400, 600, 3)


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_the_page_asked_for_is_drawn(kind: str) -> None:
    pages = [Image.fromarray(np.full((60, 90), grey, np.uint8)) for grey in (250, 128, 10)]
    data = saved(pages[0], kind, save_all=True, append_images=pages[1:])
    for number, grey in enumerate((250, 128, 10), start=1):
        read = picture(data, number)
        assert abs(int(read.pixels[30, 30, 0]) - grey) < 4
        assert read.notes["page"].startswith(f"{number}")
    with pytest.raises(FormatError, match="page 4"):
        picture(data, 4)


@pytest.mark.slow  # starts a process
@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg", "group4", "tiff_adobe_deflate"])
def test_no_library_says_on_the_terminal_what_it_thinks_of_a_damaged_tiff(
    compression: str, capfd: pytest.CaptureFixture[str]
) -> None:
    grey = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
    mode = "1" if compression == "group4" else "L"
    whole = saved(Image.fromarray(grey).convert(mode), "TIFF", compression=compression)
    said = []
    for at in range(150, len(whole) - 8, max(1, len(whole) // 20)):
        try:
            picture(whole[:at] + b"\x7f\xff\x00\xff\x13\x80\x01\xfe" + whole[at + 8 :])
        except FormatError as error:
            said.append(str(error))
    assert said  # some damage cannot be seen
    assert "\n" not in "".join(said)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow  # starts a process
def test_no_library_logs_on_the_terminal_what_it_thinks_of_a_damaged_tiff(tmp_path: Path) -> None:
    data = saved(RGB, "TIFF")
    count = b"\x15\x01\x03\0\x01\0\0\0"  # samples a pixel
    assert data.count(count + b"\x03\0") == 1
    (tmp_path / "page.tif").write_bytes(data.replace(count + b"\x03\0", count + b"\x00\x7f"))
    call = [sys.executable, "-m", "dyssync", "inspect", str(tmp_path / "page.tif")]
    said = subprocess.run(call, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stderr.startswith("error: ")
    assert said.stderr.count("\n") == 1
