"""Wear: replayable, graded by one number, and the boxes follow the page."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.errors import ConfigError
from dyssync.layouts import LAYOUTS
from dyssync.rendering import LeadBox, Rendered, View, apply_view, render_page
from dyssync.rendering.wear import Wear, apply_wear, draw_wear, warp_points

SIZE = (300, 400)


def page(channels: int = 1) -> Rendered:
    phase = np.mod(np.arange(2500) / 250, 0.8)
    beat = np.exp(-(((phase - 0.3) / 0.025) ** 2))
    signal = (np.linspace(0.2, 1.3, 12)[:, None] * beat).astype(np.float32)
    if channels == 3:
        return render_page(signal, 250, LAYOUTS["3x4"], dpi=40, style="pink")
    return apply_view(signal, 250, View(), SIZE, boxes=True)


def dots(points: list[tuple[float, float]]) -> Rendered:
    """A white page with a black disc around each point, and a box around all."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    image = np.full(SIZE, 255, np.uint8)
    for px, py in points:
        image[(x - px) ** 2 + (y - py) ** 2 < 9] = 0
    a, b = np.array(points).min(axis=0) - 4, np.array(points).max(axis=0) + 4
    box = LeadBox("I", *a, *b, 0.0, 1.0, (b[0] - a[0]), 10.0, (a[1] + b[1]) / 2)
    return Rendered(image, (box,))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("severity", [0.0, 1.0, 5.0])
def test_wear_replays_and_two_seeds_differ(severity: float, channels: int) -> None:
    clean = page(channels)
    drawn = [draw_wear(np.random.default_rng(seed), severity) for seed in (1, 1, 2)]
    worn = [apply_wear(clean, wear) for wear in drawn]
    assert drawn[0] == drawn[1]
    assert np.array_equal(worn[0].image, worn[1].image)
    assert worn[0].boxes == worn[1].boxes
    assert worn[0].image.shape == clean.image.shape
    assert np.array_equal(worn[0].image, worn[2].image) == (severity == 0)


def test_no_severity_leaves_the_picture_and_more_changes_more() -> None:
    clean = page()
    change = []
    for severity in (0, 1, 3, 5):
        wears = [draw_wear(np.random.default_rng(seed), severity) for seed in range(30)]
        worn = [apply_wear(clean, wear).image.astype(float) for wear in wears]
        change.append(np.mean([np.abs(image - clean.image).mean() for image in worn]))
    assert change[0] == 0
    assert change == sorted(change)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), severity=st.floats(0.5, 5))
def test_points_and_boxes_follow_the_warp(seed: int, severity: float) -> None:
    drawn = draw_wear(np.random.default_rng(seed), severity)
    wear = Wear(corners=drawn.corners, bend=0.015, bend_phase=drawn.bend_phase, desk=255)
    points = [(100.0, 80.0), (300.0, 220.0)]
    worn = apply_wear(dots(points), wear)
    y, x = np.nonzero(worn.image < 128)
    for point in warp_points(wear, SIZE, points):
        near = np.hypot(x + 0.5 - point[0], y + 0.5 - point[1]) < 8
        assert (x[near] + 0.5).mean() == pytest.approx(point[0], abs=0.6)
        assert (y[near] + 0.5).mean() == pytest.approx(point[1], abs=0.6)
    (box,) = worn.boxes
    assert box.x0 - 1 <= x.min() < x.max() + 1 <= box.x1 + 1
    assert box.y0 - 1 <= y.min() < y.max() + 1 <= box.y1 + 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), width=st.integers(8, 90), height=st.integers(8, 90))
def test_worst_wear_fits_any_picture(seed: int, width: int, height: int) -> None:
    signal = np.random.default_rng(seed).normal(0, 0.3, (12, 500)).astype(np.float32)
    clean = apply_view(signal, 250, View("12x1"), (height, width), boxes=True)
    worn = apply_wear(clean, draw_wear(np.random.default_rng(seed), 5.0))
    assert worn.image.shape == (height, width)
    assert all(0 <= box.x0 <= box.x1 <= width for box in worn.boxes)


def test_faded_ink_and_shadow_do_what_they_say() -> None:
    clean = page()
    assert apply_wear(clean, Wear(fade=0.5)).image.min() == pytest.approx(128, abs=1)
    shadow = apply_wear(clean, Wear(shadow=(0.0, 0.0, 0.5, 0.05))).image
    assert np.median(shadow[:, :50]) == 255
    assert np.median(shadow[:, -50:]) == pytest.approx(128, abs=3)


def test_severity_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="severity is 6"):
        draw_wear(np.random.default_rng(0), 6)
