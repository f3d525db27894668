"""The drawn numbers of one worn picture, and how they follow from a severity of 0 to 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dyssync.errors import check_range
from dyssync.rendering.noise import NOISE_SIDE

Point: TypeAlias = tuple[float, float]

MAX_SEVERITY = 5.0
_STEPS = 12  # points of one pen stroke
_LETTERS = np.array(list("abcdefghiklmnoprstuvwxyzABDEHKLMPRST0123456789.:/-"))


@dataclass(frozen=True)
class Stain:
    """A soft dark patch: centre and radius as shares of the width, depth 0-1."""

    x: float
    y: float
    radius: float
    depth: float


@dataclass(frozen=True)
class Wear:
    """Everything that was drawn to wear one picture; the defaults change nothing.

    Lengths are shares of the picture's width (x) or height (y), so a wear fits any size.

    Attributes:
        corners: shift of the corners of the page (upper left, upper right, lower right, lower
            left): rotation, perspective, crop.
        bend: height of the waves of a page that does not lie flat.
        bend_phase: where they start, 0-1; `bend_waves` how many there are.
        desk: grey value of what lies beside the page.
        fade: lost contrast of the ink, 0-1.
        folds: (place, upright, depth) of creases; depth 0-1.
        stains: dark patches.
        strokes: pen lines, each a row of (x, y).
        prints: printed lines (x, y, height, text).
        light: change of brightness from one side to the other, 0-1; `light_angle` its direction.
        shadow: (angle, place, depth, softness) of a shadow's edge; depth 0 is none.
        blur: SD of the lens blur, share of the width.
        noise: SD, grey values; `noise_at` its place in the noise field, px.
        screen: depth of the stripes of a photographed monitor, 0-1; `screen_pitch` their distance
            in px and `screen_angle` their direction.
        jpeg: quality 1-100; 0 is no compression.
    """

    corners: tuple[Point, Point, Point, Point] = ((0.0, 0.0),) * 4
    bend: float = 0.0
    bend_phase: float = 0.0
    bend_waves: float = 1.0
    desk: int = 128
    fade: float = 0.0
    folds: tuple[tuple[float, bool, float], ...] = ()
    stains: tuple[Stain, ...] = ()
    strokes: tuple[tuple[Point, ...], ...] = ()
    prints: tuple[tuple[float, float, float, str], ...] = ()
    light: float = 0.0
    light_angle: float = 0.0
    shadow: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.1)
    blur: float = 0.0
    noise: float = 0.0
    noise_at: tuple[int, int] = (0, 0)
    screen: float = 0.0
    screen_pitch: float = 3.0
    screen_angle: float = 0.0
    jpeg: int = 0


def draw_wear(rng: np.random.Generator, severity: float) -> Wear:
    """Draw the wear of one picture.

    Args:
        rng: source of all numbers.
        severity: 0 (as drawn) to 5 (a person reads it with effort); sets how likely each defect is
            and how strong.

    Raises:
        ConfigError: the severity is out of range.
    """
    level = check_range("severity", severity, 0.0, MAX_SEVERITY) / MAX_SEVERITY
    if level == 0:
        return Wear()

    def happens() -> bool:
        return bool(rng.random() < 0.25 + 0.5 * level)

    def strength(most: float) -> float:
        return float(rng.uniform(0.2, 1.0) * most * level)

    def several(most: int) -> int:
        return int(rng.integers(1, 2 + round(most * level))) if happens() else 0

    return Wear(
        corners=_draw_corners(rng, level),
        bend=strength(0.02) if happens() else 0.0,
        bend_phase=float(rng.random()),
        bend_waves=float(rng.uniform(0.5, 2.0)),
        desk=int(rng.integers(30, 220)),
        fade=strength(0.7) if happens() else 0.0,
        folds=tuple(
            (float(rng.uniform(0.1, 0.9)), bool(rng.random() < 0.6), strength(0.5))
            for _ in range(several(2))
        ),
        stains=tuple(
            Stain(float(rng.random()), float(rng.random()), strength(0.2) + 0.02, strength(0.4))
            for _ in range(several(2))
        ),
        strokes=tuple(_draw_stroke(rng) for _ in range(several(4))),
        prints=tuple(_draw_print(rng) for _ in range(several(4))),
        light=strength(0.5) if happens() else 0.0,
        light_angle=float(rng.uniform(0, 2 * np.pi)),
        shadow=(
            float(rng.uniform(0, 2 * np.pi)),
            float(rng.uniform(-0.3, 0.3)),
            strength(0.55) if happens() else 0.0,
            float(rng.uniform(0.02, 0.2)),
        ),
        blur=strength(0.0025) if happens() else 0.0,
        noise=strength(20.0) if happens() else 0.0,
        noise_at=(int(rng.integers(NOISE_SIDE)), int(rng.integers(NOISE_SIDE))),
        screen=strength(0.3) if rng.random() < 0.3 * level else 0.0,
        screen_pitch=float(rng.uniform(2.2, 6.0)),
        screen_angle=float(rng.uniform(-0.3, 0.3)),
        jpeg=round(95 - strength(80)) if happens() else 0,
    )


def _draw_corners(rng: np.random.Generator, level: float) -> tuple[Point, Point, Point, Point]:
    """Turn, shift, scale and tilt the page: at severity 5 by up to 6 degrees and 6 %."""
    turn = np.deg2rad(rng.uniform(-6, 6)) * level
    scale = 1 + rng.uniform(-0.08, 0.04) * level
    shift = rng.uniform(-0.03, 0.03, 2) * level
    tilt = rng.uniform(-0.06, 0.06, (4, 2)) * level
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    moved = scale * square @ rotation + shift + tilt - square
    a, b, c, d = ((float(x), float(y)) for x, y in moved)
    return a, b, c, d


def _draw_stroke(rng: np.random.Generator) -> tuple[Point, ...]:
    """Wander like a pen: the direction changes smoothly, the step is one letter's part."""
    turn = np.cumsum(rng.normal(0, 0.9, _STEPS))
    step = rng.uniform(0.005, 0.03)
    x = rng.uniform(0, 0.9) + np.cumsum(step * (0.4 + np.cos(turn)))
    y = rng.uniform(0, 1) + np.cumsum(step * np.sin(turn))
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))


def _draw_print(rng: np.random.Generator) -> tuple[float, float, float, str]:
    words = ("".join(rng.choice(_LETTERS, rng.integers(2, 9))) for _ in range(rng.integers(1, 5)))
    return (
        float(rng.uniform(0, 0.8)),
        float(rng.uniform(0, 0.97)),
        float(rng.uniform(0.015, 0.035)),
        " ".join(words),
    )
