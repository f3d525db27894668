"""The drawn numbers of one worn picture, and how they follow from a severity of 0 to 5."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from dyssync.errors import check_range
from dyssync.rendering.noise import NOISE_SIDE

Point: TypeAlias = tuple[float, float]
Uniform: TypeAlias = Callable[[float, float], float]  # of low and high

MAX_SEVERITY = 5.0
N_TEXTS = 64  # that can be printed on a page
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
    drawn = _numbers(rng)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * next(drawn)

    def happens() -> bool:
        return next(drawn) < 0.25 + 0.5 * level

    def strength(most: float) -> float:
        return uniform(0.2, 1.0) * most * level

    def several(most: int) -> int:
        return 1 + int(next(drawn) * (1 + round(most * level))) if happens() else 0

    return Wear(
        corners=_draw_corners(uniform, level),
        bend=strength(0.02) if happens() else 0.0,
        bend_phase=next(drawn),
        bend_waves=uniform(0.5, 2.0),
        desk=int(uniform(30, 220)),
        fade=strength(0.7) if happens() else 0.0,
        folds=tuple(
            (uniform(0.1, 0.9), next(drawn) < 0.6, strength(0.5)) for _ in range(several(2))
        ),
        stains=tuple(
            Stain(next(drawn), next(drawn), strength(0.2) + 0.02, strength(0.4))
            for _ in range(several(2))
        ),
        strokes=tuple(_draw_stroke(rng, uniform) for _ in range(several(4))),
        prints=tuple(_draw_print(uniform) for _ in range(several(4))),
        light=strength(0.5) if happens() else 0.0,
        light_angle=uniform(0, 2 * np.pi),
        shadow=(
            uniform(0, 2 * np.pi),
            uniform(-0.3, 0.3),
            strength(0.55) if happens() else 0.0,
            uniform(0.02, 0.2),
        ),
        blur=strength(0.0025) if happens() else 0.0,
        noise=strength(20.0) if happens() else 0.0,
        noise_at=(int(uniform(0, NOISE_SIDE)), int(uniform(0, NOISE_SIDE))),
        screen=strength(0.3) if next(drawn) < 0.3 * level else 0.0,
        screen_pitch=uniform(2.2, 6.0),
        screen_angle=uniform(-0.3, 0.3),
        jpeg=round(95 - strength(80)) if happens() else 0,
    )


def _numbers(rng: np.random.Generator) -> Iterator[float]:
    """Yield numbers in [0, 1); many a call, because a call takes as long as dozens of numbers."""
    while True:
        yield from rng.random(64).tolist()


def _draw_corners(uniform: Uniform, level: float) -> tuple[Point, Point, Point, Point]:
    """Turn, shift, scale and tilt the page: at severity 5 by up to 6 degrees and 6 %."""
    turn = math.radians(uniform(-6, 6)) * level
    scale = 1 + uniform(-0.08, 0.04) * level
    right, down = uniform(-0.03, 0.03) * level, uniform(-0.03, 0.03) * level
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)

    def shift(x: float, y: float) -> Point:
        return (
            cosine * x - sine * y - x + right + uniform(-0.06, 0.06) * level,
            sine * x + cosine * y - y + down + uniform(-0.06, 0.06) * level,
        )

    return shift(-0.5, -0.5), shift(0.5, -0.5), shift(0.5, 0.5), shift(-0.5, 0.5)


def _draw_stroke(rng: np.random.Generator, uniform: Uniform) -> tuple[Point, ...]:
    """Wander like a pen: the direction changes smoothly, the step is one letter's part."""
    x, y, step, turn = uniform(0, 0.9), uniform(0, 1), uniform(0.005, 0.03), 0.0
    points = []
    for change in rng.normal(0, 0.9, _STEPS).tolist():
        turn += change
        x += step * (0.4 + math.cos(turn))
        y += step * math.sin(turn)
        points.append((x, y))
    return tuple(points)


def _draw_print(uniform: Uniform) -> tuple[float, float, float, str]:
    text = _texts()[int(uniform(0, N_TEXTS))]
    return uniform(0, 0.8), uniform(0, 0.97), uniform(0.015, 0.035), text


@lru_cache(maxsize=1)
def _texts() -> tuple[str, ...]:
    """Return lines of one to four words of random letters; few, so that their ink can be kept."""
    rng = np.random.default_rng(0)

    def word() -> str:
        return "".join(rng.choice(_LETTERS, rng.integers(2, 9)))

    return tuple(" ".join(word() for _ in range(rng.integers(1, 5))) for _ in range(N_TEXTS))
