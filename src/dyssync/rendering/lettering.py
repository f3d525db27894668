"""Text on pictures, in a font that comes with a dependency: the same on every machine.

The ink of the program's own words (names of leads, lines of invented letters) is kept for the next
picture. Whatever a user brings, such as the name of a file, is drawn anew each time: a process that
answers many people keeps nothing of them.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import files

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dyssync.arrays import Singles
from dyssync.rendering.rendered import Picture

MIN_FONT_PX, MAX_FONT_PX = 4, 400  # below, nothing of a letter is left; a title at 1200 dpi
KEPT = 2048  # lines of own words; 64 invented ones in some thirty heights are the most

# Pillow's own font knows no letter beyond ASCII; names of people and hospitals do.
FONT_FILE = "DejaVuSans.ttf"


@lru_cache(maxsize=32)
def _font(height_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    found = [path for path in files("matplotlib") or () if path.name == FONT_FILE]
    if not found:
        return ImageFont.load_default(size=height_px)
    return ImageFont.truetype(str(found[0].locate()), height_px)


def _text_mask(text: str, height_px: int) -> Picture:
    """Return the ink of one line of text, (h, w) uint8, 255 where it is full."""
    font = _font(height_px)
    _, _, right, bottom = font.getbbox(text)
    mask = Image.new("L", (max(int(right) + 1, 1), max(int(bottom) + 1, 1)), 0)
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    return np.array(mask)


def _text_cover(text: str, height_px: int) -> Singles:
    """Return the ink of one line of text, (h, w, 1) float32, 0-1."""
    return _text_mask(text, height_px)[:, :, None].astype(np.float32) / np.float32(255)


@lru_cache(maxsize=KEPT)
def _kept_mask(text: str, height_px: int) -> Picture:
    mask = _text_mask(text, height_px)
    mask.flags.writeable = False
    return mask


@lru_cache(maxsize=KEPT)
def _kept_cover(text: str, height_px: int) -> Singles:
    cover = _text_cover(text, height_px)
    cover.flags.writeable = False
    return cover


def _font_px(height_px: int) -> int:
    return min(max(height_px, MIN_FONT_PX), MAX_FONT_PX)


def write_text(
    image: Picture,
    text: str,
    corner: tuple[float, float],
    height_px: int,
    colour: tuple[int, ...],
    *,
    own: bool = False,
) -> None:
    """Write one line on a picture, in place; what does not fit is cut.

    Args:
        image: (H, W, channels) uint8.
        text: one line.
        corner: x, y of the upper left end of the line, px.
        height_px: height of the line.
        colour: a value a channel.
        own: the text is one of the program's own, and its ink may be kept.
    """
    cover = (_kept_cover if own else _text_cover)(text, _font_px(height_px))
    x, y = round(corner[0]), round(corner[1])
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + cover.shape[1], image.shape[1]), min(y + cover.shape[0], image.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    below = image[y0:y1, x0:x1]
    full = np.array(colour, np.float32)  # not int: NumPy would count in uint8
    image[y0:y1, x0:x1] = below + (full - below) * cover[y0 - y : y1 - y, x0 - x : x1 - x]


def ink_shades(paper: int, ink: int) -> Picture:
    """Return the grey values (256,) uint8 of ink that covers 0 to 255 parts of a pixel of paper."""
    shades: Picture = np.rint(paper + (ink - paper) * np.arange(256) / 255).astype(np.uint8)
    return shades


def stamp_text(
    image: Picture, text: str, corner: tuple[float, float], height_px: int, shades: Picture
) -> None:
    """Write an own word on a grey picture, in place; the darker of text and paper stays.

    Half the time of :func:`write_text`, which training views need.

    Args:
        image: (H, W) uint8.
        text: the name of a lead or another of the program's own words; its ink is kept.
        corner: x, y of the upper left end of the line, px.
        height_px: height of the line.
        shades: of :func:`ink_shades`.
    """
    from dyssync.rendering.loops import stamp

    stamp(image, _kept_mask(text, _font_px(height_px)), round(corner[0]), round(corner[1]), shades)
