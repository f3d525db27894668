"""Pictures of ECG pages: PNG, JPEG, TIFF, BMP and WebP, through Pillow.

What Pillow leaves to libtiff is decoded apart, see :mod:`isolation`: libtiff writes what it thinks
of a damaged file to the terminal itself, in its own words and as many lines as it likes.
"""

from __future__ import annotations

import io
import struct
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dyssync.arrays import Bytes
from dyssync.errors import FormatError, TooLarge
from dyssync.formats.reading.apart import Limits, apart_already, serve
from dyssync.formats.reading.damage import refusing_damage
from dyssync.formats.reading.isolation import convert_apart
from dyssync.formats.reading.recording import Format, InputFile, ReadOptions
from dyssync.image import MAX_PIXELS, ECGImage, check_size

if TYPE_CHECKING:
    from PIL import Image

# the largest page has been decoded in 3 s; libtiff holds a strip of it, which may be all, once more
LIMITS = Limits(cpu_s=6, memory_bytes=430_000_000)
_ASKED = struct.Struct("<I")  # page, before the file
_DRAWN = struct.Struct("<2I")  # height, width, before the pixels
STRIP_PX = 256  # rows that are converted at a time
# The decoder of WebP holds a picture three times, those of the others once: A4 at 400 dpi.
MAX_WEBP_PIXELS = MAX_PIXELS // 2

_MARKS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"BM": "BMP",
}
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")


def parse(data: bytes, page: int = 1) -> ECGImage:
    """Decode one picture; EXIF rotation is applied, transparency becomes white paper.

    Args:
        data: the file.
        page: page of a multi-page TIFF, from 1.

    Raises:
        FormatError: damaged, of absurd size, or without that page.
    """
    from PIL import Image, ImageOps

    with warnings.catch_warnings(), refusing_damage("picture"):
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata; sizes are checked here
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                _check_size(image)
                _go_to(image, page)
                _check_size(image)
                if _by_libtiff(image) and not apart_already():
                    pixels = _unpacked(convert_apart(__name__, _ASKED.pack(page) + data))
                else:
                    image.load()
                    ImageOps.exif_transpose(image, in_place=True)
                    pixels = _rgb(image)
                return ECGImage(pixels, notes=_page_note(data, page))
        except Image.DecompressionBombError as error:
            raise TooLarge("picture of absurd size; scale it down") from error


def convert(asked: bytes) -> list[bytes | memoryview]:
    """Return a page as pixels; runs in the process of its own.

    Raises:
        FormatError: see :func:`parse`.
    """
    (page,) = _ASKED.unpack_from(asked)
    pixels = parse(asked[_ASKED.size :], page).pixels
    return [_DRAWN.pack(*pixels.shape[:2]), pixels.data]


def _unpacked(drawn: bytes) -> Bytes:
    height, width = _DRAWN.unpack_from(drawn)
    return np.frombuffer(drawn, np.uint8, offset=_DRAWN.size).reshape(height, width, 3)


def _by_libtiff(image: Image.Image) -> bool:
    """Say whether Pillow has another library decode a picture that is open, but not loaded."""
    return any(tile[0] == "libtiff" for tile in getattr(image, "tile", ()))


def _check_size(image: Image.Image) -> None:
    check_size(*image.size)
    if image.format == "WEBP" and image.width * image.height > MAX_WEBP_PIXELS:
        raise TooLarge(
            f"WebP of {image.width:d} x {image.height:d} px; at most {MAX_WEBP_PIXELS / 1e6:.0f} "
            "million pixels are read. Save it as PNG"
        )


def _go_to(image: Image.Image, page: int) -> None:
    if page == 1:
        return
    try:
        image.seek(page - 1)
    except EOFError as error:
        raise FormatError(f"has no page {page}; choose an earlier one") from error


def _page_note(data: bytes, page: int) -> dict[str, str]:
    """Say that there are more pages; counting them all would read them all."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=_FORMATS) as again:
        try:
            again.seek(page)
        except EOFError:
            return {} if page == 1 else {"page": f"{page}, the last"}
    return {"page": f"{page}, more follow"}


def _rgb(image: Image.Image) -> Bytes:
    """Return (height, width, 3) uint8; strip by strip, so that a large page is there only twice."""
    wide = image.mode.startswith(("I", "F"))  # 16 or 32 bits of grey
    scale = 255.0 / (65535.0 if wide and float(image.getextrema()[1]) > 255 else 255.0)  # type: ignore[arg-type]
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for at in range(0, image.height, STRIP_PX):
        strip = image.crop((0, at, image.width, min(at + STRIP_PX, image.height)))
        if wide:
            grey = np.nan_to_num(np.asarray(strip, dtype=np.float64)) * scale
            pixels[at : at + STRIP_PX] = np.clip(grey, 0, 255).astype(np.uint8)[:, :, None]
        else:
            pixels[at : at + STRIP_PX] = _on_paper(strip)
    return pixels


def _on_paper(image: Image.Image) -> Bytes:
    """Return RGB; what is transparent shows white paper."""
    from PIL import Image

    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        colour = image.convert("RGBA")
        image = Image.new("RGB", colour.size, "white")
        image.paste(colour, mask=colour.getchannel("A"))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` has the mark of a picture format."""
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return webp or any(head.startswith(mark) for mark in _MARKS)


def read(file: InputFile, options: ReadOptions) -> ECGImage:
    """Read a picture; see :func:`parse`."""
    return parse(file.data, options.page)


FORMAT = Format(
    name="picture",
    description="PNG, JPEG, TIFF (choose a page), BMP, WebP; for models that take pictures",
    suffixes=(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"),
    sniff=sniff,
    read=read,
)


def main() -> int:
    """Serve until the input is closed; return the exit code."""
    from PIL import Image

    Image.init()  # what decodes is imported now: a file may open none
    return serve(convert, ("PIL.ImageOps",), LIMITS)


if __name__ == "__main__":
    sys.exit(main())
