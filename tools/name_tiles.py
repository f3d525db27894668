"""Pieces of made pages with names of leads on them, for `tools/learn_names.py` to learn from.

Nothing of a patient: traces are sums of bumps, names are drawn in free fonts, and a page is what
`pages.digitising.ink` makes of one, the share of ink with all that is left of the grid.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import files
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dyssync.arrays import Floats, Singles
from dyssync.ecg import LEADS
from dyssync.pages.digitising.spotter import CELL_PX, PX_PER_MM, SYMMETRIC

Generator = np.random.Generator

HEIGHT, WIDTH = 224, 352  # px of a tile, 45 x 70 mm
# All chosen: wider than what recorders print, so that a page is nothing new.
NATIVE = (3.4, 11.0)  # px a mm of the page before it comes to PX_PER_MM
LETTER_MM = (1.4, 5.5)  # height of capitals
SYSTEM_FONTS = Path("/usr/share/fonts/truetype/liberation")  # Debian's fonts-liberation
PLOTTING_FONTS = (
    "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf",
    "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", "STIXGeneral.ttf", "STIXGeneralBol.ttf",
    "cmss10.ttf", "cmr10.ttf", "cmtt10.ttf",
)  # fmt: skip
STROKED = (  # what plotters write: strokes without width
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX,
)  # fmt: skip
FONT_PX = 64
MOST_WORDS = 24  # of a tile, far more than a page has; each is an example
OTHER_WORDS = (
    "V7", "V8", "V9", "V3R", "V4R", "X", "Y", "Z", "IV", "VI", "25mm/s", "10mm/mV", "0.05-150 Hz",
    "bpm", "ms", "PR", "QRS", "QT/QTc", "Name", "ID", "Sinus", "HR", "A", "V", "aV", "VR", "1mV",
    "50Hz", "LBBB", "mV", "sec", "P", "T", "axes", "1", "11", "111", "l", "ll", "H", "L", "F",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Tile:
    """A piece of a page.

    Attributes:
        cover: (HEIGHT, WIDTH) float32 share of ink.
        heat: (leads, rows, columns) how near the middle of a name is, 1 at it.
        known: (rows, columns) 0 where nobody can say, as where a name is cut.
        sizes: (2, rows, columns) half width and half height of the name there, mm.
    """

    cover: Singles
    heat: Singles
    known: Singles
    sizes: Singles


@dataclass(frozen=True)
class _Placed:
    lead: int  # -1: another word
    x: float
    y: float
    half_width: float
    half_height: float


def make_tile(rng: Generator) -> Tile:
    """Return one tile; the numbers of `rng` decide everything."""
    native = float(np.exp(rng.uniform(*np.log(NATIVE))))
    scale = native / PX_PER_MM
    shape = round(HEIGHT * scale), round(WIDTH * scale)
    ink = np.zeros(shape, np.float32)
    _draw_marks(ink, native, rng)
    lines = _draw_traces(ink, native, rng)
    upside_down = rng.random() < 0.2
    placed = _write(ink, native, lines, rng)
    page = np.maximum(ink * rng.uniform(0.65, 1.0), _grid(shape, native, rng))
    page = _worn(page, native, rng)
    if upside_down:
        page = page[::-1, ::-1]
        placed = [_turned(word, shape) for word in placed]
    how = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(page), (WIDTH, HEIGHT), interpolation=how)
    cover = np.clip(small, 0, 1).astype(np.float32)
    return Tile(cover, *_targets(placed, native, scale))


def _turned(word: _Placed, shape: tuple[int, int]) -> _Placed:
    """Return a word of a page that lies upside down: only what looks the same is still a name."""
    same = word.lead >= 0 and LEADS[word.lead] in SYMMETRIC
    lead = word.lead if same else -1
    return _Placed(
        lead, shape[1] - 1 - word.x, shape[0] - 1 - word.y, word.half_width, word.half_height
    )


def _targets(
    placed: list[_Placed], native: float, scale: float
) -> tuple[Singles, Singles, Singles]:
    rows, columns = HEIGHT // CELL_PX, WIDTH // CELL_PX
    heat = np.zeros((len(LEADS), rows, columns), np.float32)
    known = np.ones((rows, columns), np.float32)
    sizes = np.zeros((2, rows, columns), np.float32)
    y_cells, x_cells = np.mgrid[:rows, :columns]
    for word in placed:
        if word.lead < 0:
            continue
        x = word.x / scale / CELL_PX - 0.5
        y = word.y / scale / CELL_PX - 0.5
        half = word.half_width / scale / CELL_PX
        cut = x - half < -1 or x + half > columns or not 0 <= y <= rows - 1
        if cut:
            low, high = max(int(x - half) - 1, 0), min(int(x + half) + 3, columns)
            known[max(int(y) - 3, 0) : max(int(y) + 5, 0), low:high] = 0
            continue
        near = np.exp(-(np.square(x_cells - x) + np.square(y_cells - y)) / (2 * 0.8**2))
        here = heat[word.lead]
        np.maximum(here, near.astype(np.float32), out=here)
        j, i = min(round(y), rows - 1), min(max(round(x), 0), columns - 1)
        here[j, i] = 1
        inside = (np.abs(x_cells - x) <= 1.5) & (np.abs(y_cells - y) <= 1.5)
        sizes[0][inside] = word.half_width / native
        sizes[1][inside] = word.half_height / native
    return heat, known, sizes


def _write(ink: Singles, native: float, lines: list[float], rng: Generator) -> list[_Placed]:
    """Write names and other words; return where they stand, in px of `ink`."""
    height, width = ink.shape
    placed: list[_Placed] = []
    fonts = [_font_of(rng) for _ in range(3)]
    spacing = float(rng.choice([0, 0, 0, rng.uniform(0, 0.4)]))
    for _ in range(MOST_WORDS):
        is_lead = rng.random() < 0.8
        lead = int(rng.integers(len(LEADS))) if is_lead else -1
        text = _spelt(LEADS[lead], rng) if is_lead else _other_word(rng)
        letter = float(np.exp(rng.uniform(*np.log(LETTER_MM)))) * native
        word = _drawn(text, fonts[int(rng.integers(3))], letter, spacing, rng)
        if word.shape[0] >= height or word.shape[1] >= width:
            continue
        near = lines[int(rng.integers(len(lines)))] if lines and rng.random() < 0.8 else None
        y = rng.uniform(0, height) if near is None else near + rng.normal(0, 3.5) * native
        x = rng.uniform(-0.02, 1) * width
        mine = _Placed(
            lead, x + word.shape[1] / 2, y + word.shape[0] / 2, word.shape[1] / 2, word.shape[0] / 2
        )
        if any(_overlap(mine, other, native) for other in placed):
            continue
        if _stamp(ink, word * rng.uniform(0.75, 1.0), round(x), round(y)):
            placed.append(mine)
    return placed


def _overlap(one: _Placed, other: _Placed, native: float) -> bool:
    across = one.half_width + other.half_width + native
    down = one.half_height + other.half_height + 0.5 * native
    return abs(one.x - other.x) < across and abs(one.y - other.y) < down


def _spelt(lead: str, rng: Generator) -> str:
    """Return a name as pages have it: aVR, AVR, -aVR, with a colon or an asterisk."""
    text = lead
    if lead.startswith("a"):
        text = str(rng.choice([lead, lead, lead.upper()]))
        if lead == "aVR" and rng.random() < 0.1:
            text = f"-{text}"
    return text + str(rng.choice(["", "", "", "", "", ":", "*"]))


def _other_word(rng: Generator) -> str:
    kind = rng.random()
    if kind < 0.5:
        return str(rng.choice(OTHER_WORDS))
    letters = string.digits if kind < 0.75 else string.ascii_letters
    return "".join(rng.choice(list(letters), int(rng.integers(1, 9))))


def _font_of(rng: Generator) -> int:
    return int(rng.integers(len(_fonts()) + len(STROKED)))


@lru_cache(maxsize=1)
def _fonts() -> list[ImageFont.FreeTypeFont]:
    """Return the fonts.

    Raises:
        FileNotFoundError: Debian's fonts-liberation is not installed.
    """
    there = {path.name: path for path in files("matplotlib") or ()}
    paths = [str(there[name].locate()) for name in PLOTTING_FONTS]
    liberation = sorted(SYSTEM_FONTS.glob("*.ttf"))
    if not liberation:
        raise FileNotFoundError(f"{SYSTEM_FONTS}: install the package fonts-liberation")
    return [ImageFont.truetype(path, FONT_PX) for path in [*paths, *map(str, liberation)]]


def _drawn(text: str, font: int, capital: float, spacing: float, rng: Generator) -> Singles:
    """Return a word as ink, its capitals `capital` px high."""
    parts = [_letters(part, font) for part in (text if spacing else [text])]
    gap = round(spacing * FONT_PX)
    base = max(part.shape[0] for part in parts)
    word = np.zeros((base, sum(part.shape[1] + gap for part in parts)), np.float32)
    at = 0
    for part in parts:
        word[base - part.shape[0] :, at : at + part.shape[1]] = part
        at += part.shape[1] + gap
    factor = capital / _capital(font)
    across = factor * rng.uniform(0.8, 1.2)
    slant = rng.normal(0, 0.08) if rng.random() < 0.5 else 0.0
    size = max(round(word.shape[1] * across), 2), max(round(word.shape[0] * factor), 2)
    if font >= len(_fonts()) or rng.random() < 0.2:
        thick = max(round(0.1 * rng.uniform(0.5, 1.5) * FONT_PX), 1)
        word = cv2.dilate(word, np.ones((thick, thick), np.uint8)).astype(np.float32)
    small = cv2.resize(word, size, interpolation=cv2.INTER_AREA)
    lean = np.array([[1, slant, max(-slant, 0) * size[1]], [0, 1, 0]], np.float64)
    whole = size[0] + round(abs(slant) * size[1])
    turned = cv2.warpAffine(small, lean, (whole, size[1])).astype(np.float32)
    return _cut(np.clip(turned * 1.15, 0, 1).astype(np.float32))


def _cut(word: Singles) -> Singles:
    rows, columns = np.flatnonzero(word.max(axis=1) > 0.2), np.flatnonzero(word.max(axis=0) > 0.2)
    if not len(rows) or not len(columns):
        return word
    return word[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@cache
def _capital(font: int) -> float:
    return float(_letters("V", font).shape[0])


@lru_cache(maxsize=4000)
def _letters(text: str, font: int) -> Singles:
    if font >= len(_fonts()):
        face = STROKED[font - len(_fonts())]
        (width, height), base = cv2.getTextSize(text, face, 2.0, 2)
        canvas = np.zeros((height + base + 8, width + 12), np.uint8)
        cv2.putText(canvas, text, (6, height + 4), face, 2.0, 255, 2, cv2.LINE_AA)
        return _cut((canvas / 255).astype(np.float32))
    drawn = _fonts()[font]
    left, top, right, bottom = drawn.getbbox(text)
    picture = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8), 0)
    ImageDraw.Draw(picture).text((4 - left, 4 - top), text, fill=255, font=drawn)
    return _cut((np.asarray(picture) / 255).astype(np.float32))


def _stamp(ink: Singles, word: Singles, left: int, top: int) -> bool:
    height, width = ink.shape
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + word.shape[0], height), min(left + word.shape[1], width)
    if y0 >= y1 or x0 >= x1:
        return False
    here = ink[y0:y1, x0:x1]
    np.maximum(here, word[y0 - top : y1 - top, x0 - left : x1 - left], out=here)
    return True


def _draw_traces(ink: Singles, native: float, rng: Generator) -> list[float]:
    """Draw up to four rows of beats; return their zero lines, px."""
    height, width = ink.shape
    canvas = np.zeros(ink.shape, np.uint8)
    n = int(rng.integers(0, 5))
    lines = sorted(rng.uniform(0.05, 0.95, n) * height)
    x = np.arange(0, width, max(native / 8, 0.4))
    for line in lines:
        y = line - _beats(x / native, rng) * native
        points = np.round(np.stack([x, y], axis=1) * 16).astype(np.int32)
        pieces = np.split(points, sorted(rng.integers(0, len(x), int(rng.integers(0, 3)))))
        thick = max(round(native * rng.uniform(0.12, 0.5)), 1)
        for piece in pieces:
            shift = int(rng.normal(0, 0.5 * native) * 16) if rng.random() < 0.5 else 0
            cv2.polylines(canvas, [piece + np.array([0, shift])], False, 255, thick, cv2.LINE_AA, 4)
    np.maximum(ink, canvas.astype(np.float32) / 255, out=ink)
    return [float(line) for line in lines]


def _beats(x_mm: Floats, rng: Generator) -> Floats:
    """Return heights (mm) of a row of beats: bumps, a slow wave and muscle noise."""
    period = rng.uniform(8, 30)
    phase = (x_mm + rng.uniform(0, period)) % period
    y = np.zeros_like(x_mm)
    tall = float(rng.lognormal(np.log(5), 0.8))
    for centre, width, height in (
        (0.2, 1.2, 0.12), (0.44, 0.35, -0.2), (0.47, 0.4, 1.0), (0.5, 0.4, -0.5), (0.75, 2.0, 0.25)
    ):  # fmt: skip
        size = tall * height * rng.normal(1, 0.6)
        y += size * np.exp(-np.square((phase - centre * period) / (width * rng.uniform(0.6, 1.8))))
    y += rng.uniform(0, 2) * np.sin(x_mm / rng.uniform(10, 40) + rng.uniform(0, 6))
    rough = rng.normal(0, 1, len(x_mm)) * rng.choice([0.02, 0.1, 0.5])
    heights: Floats = y * float(rng.choice([-1, 1, 1])) + rough
    return heights


def _draw_marks(ink: Singles, native: float, rng: Generator) -> None:
    """Draw bars between columns, pulses and smears, as pages have them."""
    height, width = ink.shape
    canvas = np.zeros(ink.shape, np.uint8)
    for _ in range(int(rng.integers(0, 5))):
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        thick = max(round(native * rng.uniform(0.1, 0.6)), 1)
        kind = rng.random()
        long = int(native * rng.uniform(2, 25))
        if kind < 0.4:
            cv2.line(canvas, (x, y), (x, y + long), 255, thick, cv2.LINE_AA)
        elif kind < 0.6:
            for dot in range(y, height, max(round(native * 0.8), 2)):
                cv2.line(canvas, (x, dot), (x, dot + thick), 255, thick, cv2.LINE_AA)
        elif kind < 0.85:
            w, h = int(5 * native), int(10 * native)
            corners = np.array([[x - w, y], [x, y], [x, y - h], [x + w, y - h], [x + w, y]])
            cv2.polylines(canvas, [corners.astype(np.int32)], False, 255, thick, cv2.LINE_AA)
        else:
            cv2.line(canvas, (x, y), (x + long, y), 255, thick, cv2.LINE_AA)
    np.maximum(ink, canvas.astype(np.float32) / 255, out=ink)


def _grid(shape: tuple[int, int], native: float, rng: Generator) -> Singles:
    """Return what is left of the grid: lines, dots or nothing."""
    grid = np.zeros(shape, np.float32)
    kind = rng.random()
    if kind < 0.3:
        return grid
    fine, coarse = rng.uniform(0.02, 0.45), rng.uniform(0.05, 0.6)
    if kind > 0.9:
        fine, coarse = fine * 1.5, coarse * 1.4
    dotted = rng.random() < 0.3
    pitch = native * rng.uniform(0.97, 1.03)
    first = rng.uniform(0, 5 * pitch, 2)
    for step, depth in ((pitch, fine), (5 * pitch, coarse)):
        thick = max(round(native * rng.uniform(0.08, 0.25)), 1)
        down = np.round(np.arange(first[0] % step, shape[0] - 1, step)).astype(int)
        across = np.round(np.arange(first[1] % step, shape[1] - 1, step)).astype(int)
        for k in range(thick):
            if dotted and step == pitch:
                rows, columns = np.meshgrid(down + k, across + k, indexing="ij")
                grid[np.minimum(rows, shape[0] - 1), np.minimum(columns, shape[1] - 1)] = depth
                continue
            grid[np.minimum(down + k, shape[0] - 1)] = depth
            column = grid[:, np.minimum(across + k, shape[1] - 1)]
            grid[:, np.minimum(across + k, shape[1] - 1)] = np.maximum(column, depth)
    if rng.random() < 0.3:
        mottle = rng.normal(1, 0.5, (shape[0] // 3 + 1, shape[1] // 3 + 1)).astype(np.float32)
        grid *= cv2.resize(mottle, (shape[1], shape[0])).clip(0, 2)
    return grid


def _worn(page: Singles, native: float, rng: Generator) -> Singles:
    """Bend, blur and soil a page."""
    height, width = page.shape
    if rng.random() < 0.6:
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        moved = corners + rng.normal(0, 0.8 * native, (4, 2)).astype(np.float32)
        bend = cv2.getPerspectiveTransform(corners, moved)
        page = cv2.warpPerspective(page, bend, (width, height)).astype(np.float32)
    if rng.random() < 0.6:
        blurred = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.3, 0.16 * native + 0.4))
        page = np.asarray(blurred, np.float32) * rng.uniform(1.0, 1.5)
    if rng.random() < 0.4:
        page = page + rng.normal(0, rng.uniform(0.01, 0.15), page.shape).astype(np.float32)
    if rng.random() < 0.3:
        ramp = np.linspace(rng.uniform(0.5, 1), rng.uniform(0.5, 1), width, dtype=np.float32)
        page = page * ramp
    lift = rng.choice([0.0, 0.0, rng.uniform(0, 0.25)])
    soiled: Singles = np.clip(page * (1 - lift) + lift * rng.random(), 0, 1).astype(np.float32)
    return soiled
