"""Pictures of ECG pages: PNG, JPEG, TIFF, BMP and WebP, through Pillow."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dyssync.ecg import Source
from dyssync.errors import FormatError
from dyssync.formats.recording import Format, InputFile, ReadOptions

if TYPE_CHECKING:
    from PIL import Image

# A4 at 600 dpi has 34.8 million pixels; each costs about 12 bytes while it is decoded.
MAX_PIXELS = 36_000_000
MIN_SIDE_PX = 32  # smaller is an icon
MAX_SIDE_PX = 30_000
STRIP_PX = 256  # rows that are converted at a time

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
_PILLOW_ERRORS = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class ECGImage:
    """A picture of an ECG page; an input in its own right.

    Attributes:
        pixels: (height, width, 3) uint8, RGB, read-only; upright as its EXIF data say.
        patient_id: whose; a picture does not say, a cohort table does.
        source: file name, format and digest.
        notes: what the reader wants to say (page of how many).
    """

    pixels: npt.NDArray[np.uint8]
    patient_id: str | None = None
    source: Source = field(default_factory=Source)
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pixels = np.ascontiguousarray(self.pixels, dtype=np.uint8)
        if pixels.ndim != 3 or pixels.shape[2] != 3:
            raise FormatError(f"picture has shape {pixels.shape}; (height, width, 3) is needed")
        check_size(pixels.shape[1], pixels.shape[0])
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)


def check_size(width: int, height: int) -> None:
    """Refuse sizes that no ECG page has, before any pixel is decoded.

    Raises:
        FormatError: too small, too long, or too many pixels.
    """
    if min(width, height) < MIN_SIDE_PX:
        raise FormatError(f"picture is {width} x {height} px; at least {MIN_SIDE_PX} px are needed")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise FormatError(
            f"picture is {width} x {height} px; at most {MAX_PIXELS / 1e6:.0f} million pixels are "
            "read. Scan it at 300 dpi, or scale it down"
        )


def parse(data: bytes, page: int = 1) -> ECGImage:
    """Decode one picture; EXIF rotation is applied, transparency becomes white paper.

    Args:
        data: the file.
        page: page of a multi-page TIFF, from 1.

    Raises:
        FormatError: damaged, of absurd size, or without that page.
    """
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata; sizes are checked here
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                check_size(*image.size)
                _go_to(image, page)
                check_size(*image.size)
                image.load()
                ImageOps.exif_transpose(image, in_place=True)
                return ECGImage(_rgb(image), notes=_page_note(data, page))
        except FormatError:
            raise
        except Image.DecompressionBombError as error:
            raise FormatError(f"picture of absurd size ({error}); scale it down") from error
        except _PILLOW_ERRORS as error:
            reason = " ".join(str(error).split())
            raise FormatError(f"damaged picture ({reason:.120}); copy or scan it again") from error


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


def _rgb(image: Image.Image) -> npt.NDArray[np.uint8]:
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


def _on_paper(image: Image.Image) -> npt.NDArray[np.uint8]:
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
