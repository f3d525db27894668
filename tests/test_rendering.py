"""Geometry, determinism and bad input of the training views."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.ecg import LEADS, Signal
from dyssync.errors import ConfigError, FormatError
from dyssync.layouts import LAYOUTS
from dyssync.rendering import LeadBox, View, ViewConfig, apply_view, draw_view, loops


def heartbeats(fs: float, seconds: float = 10.0) -> Signal:
    """12 leads of smooth beats, (12, n) mV, known at any rate."""
    t = np.arange(round(seconds * fs)) / fs
    phase = np.mod(t, 0.8)
    qrs = np.exp(-(((phase - 0.3) / 0.025) ** 2))
    wave = 0.2 * np.exp(-(((phase - 0.55) / 0.06) ** 2))
    return np.stack([(0.2 + 0.1 * i) * qrs + wave for i in range(12)]).astype(np.float32)


def column_at(box: LeadBox, seconds: float) -> int:
    """Return the column of the picture that shows a time of the recording."""
    return int(box.x0 + (seconds - box.start_s) * box.px_per_s)


@pytest.mark.parametrize("name", LAYOUTS.names())
@pytest.mark.parametrize("size", [(128, 160), (224, 224), (512, 640)])
def test_boxes_hold_all_ink_and_carry_the_scale(name: str, size: tuple[int, int]) -> None:
    layout, signal = LAYOUTS[name], heartbeats(500)
    full = apply_view(signal, 500, View(name), size, boxes=True)
    assert [box.lead for box in full.boxes] == [panel.lead for panel in layout.panels]
    for box in full.boxes:
        assert box.px_per_s == pytest.approx(layout.speed_mm_s * full.px_per_mm)
        assert abs(box.px_per_mv) == pytest.approx(layout.gain_mm_mv * full.px_per_mm)
        assert box.stop_s - box.start_s == pytest.approx((box.x1 - box.x0) / box.px_per_s)
        others = tuple(lead for lead in LEADS if lead != box.lead)
        alone = apply_view(signal, 500, View(name, hidden=others), size, boxes=True)
        rows, columns = np.nonzero(alone.image < 250)
        mine = [b for b in alone.boxes if b.lead == box.lead]
        assert min(b.y0 for b in mine) <= rows.min() + 1
        assert max(b.y1 for b in mine) >= rows.max()
        assert min(b.x0 for b in mine) <= columns.min() + 1
        assert max(b.x1 for b in mine) >= columns.max()


def test_picture_does_not_depend_on_the_sampling_rate() -> None:
    views = [apply_view(heartbeats(fs), fs, View(), (224, 224)).image for fs in (250, 500, 1000)]
    for view in views[:2]:
        # float: uint8 differences would wrap
        apart = np.abs(view.astype(float) - views[2])
        assert np.mean(apart > 64) < 0.002


def test_narrow_peak_keeps_its_height_in_a_small_view() -> None:
    signal = np.zeros((12, 5000), np.float32)
    signal[1, 2001] = 1.0  # one sample, 2 ms; a pixel is 62 ms
    drawn = apply_view(signal, 500, View(), (128, 160), boxes=True)
    (strip,) = [box for box in drawn.boxes if box.rhythm]
    column = drawn.image[int(strip.y0) :, column_at(strip, 4.002)]
    top = strip.y0 + np.flatnonzero(column < 250)[0]
    assert strip.millivolts_at(top + 0.5) == pytest.approx(1.0, abs=1.0 / strip.px_per_mv)


def test_one_view_repeats_and_two_seeds_differ() -> None:
    signal = heartbeats(500)
    config = ViewConfig(layouts=("3x4", "3x4+II", "6x2", "12x1"))
    drawn = [draw_view(np.random.default_rng(seed), config) for seed in (1, 1, 2)]
    images = [apply_view(signal, 500, view, (128, 160)).image for view in drawn]
    assert drawn[0] == drawn[1]
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_neutral_view_is_black_on_white_and_drawn_parts_can_be_taken_away() -> None:
    signal = heartbeats(500)
    plain = apply_view(signal, 500, View(), (128, 160)).image
    assert plain.min() == 0
    assert plain.max() == 255
    assert plain.dtype == np.uint8
    blank = apply_view(signal, 500, View(hidden=LEADS, text=True), (128, 160)).image
    assert blank.min() == 255
    with_all = View(grid=0.3, text=True, noise=5.0, ink=40, paper=240)
    assert apply_view(signal, 500, with_all, (128, 160)).image.std() > 0


def test_names_are_as_dark_as_the_ink_and_no_darker() -> None:
    leads = tuple(lead for lead in LEADS if lead != "aVR")
    blank = np.full((12, 5000), np.nan, np.float32)
    named = apply_view(blank, 500, View(text=True, ink=31, hidden=leads), (512, 640)).image
    rows, columns = np.nonzero(named < 255)
    assert 31 <= named.min() < 60
    assert columns.min() > 160  # second column
    assert rows.max() < 128  # first row


def test_gap_is_drawn_as_a_gap() -> None:
    signal = heartbeats(500)
    signal[:, 2000:2500] = np.nan
    drawn = apply_view(signal, 500, View("12x1"), (512, 640), boxes=True)
    box = drawn.boxes[0]
    assert drawn.image[:, column_at(box, 4.1) : column_at(box, 4.9)].min() == 255
    assert drawn.image[:, column_at(box, 5.1) : column_at(box, 5.9)].min() < 50


def test_short_signal_leaves_no_lead_empty() -> None:
    drawn = apply_view(heartbeats(500, 2.0), 500, View("3x4+II"), (512, 640), boxes=True)
    for box in drawn.boxes:
        cell = drawn.image[int(box.y0) : int(box.y1), int(box.x0) : column_at(box, 1.9)]
        assert cell.min() < 50
    assert drawn.boxes[-1].start_s == 0


def test_two_samples_are_a_line_and_one_is_refused() -> None:
    one = np.full((12, 2), 0.5, np.float32)
    assert apply_view(one, 50, View("12x1"), (512, 640)).image.min() < 50
    with pytest.raises(FormatError, match="n of 2 or more"):
        apply_view(one[:, :1], 50, View("12x1"), (512, 640))


def test_large_voltages_stay_inside_the_picture() -> None:
    signal = heartbeats(500) * 50
    drawn = apply_view(signal, 500, View(), (128, 160), boxes=True)
    assert drawn.image.min() == 0
    assert all(0 <= box.y0 < box.y1 <= 128 for box in drawn.boxes)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), width=st.integers(1, 300), height=st.integers(1, 300))
def test_any_drawn_view_fits_any_picture(seed: int, width: int, height: int) -> None:
    config = ViewConfig(layouts=("3x4+3R", "4x3", "12x1-cabrera"), hide_share=0.5)
    view = draw_view(np.random.default_rng(seed), config)
    drawn = apply_view(heartbeats(250, 4.0), 250, view, (height, width), boxes=True)
    assert drawn.image.shape == (height, width)
    assert all(0 <= box.x0 <= box.x1 <= width for box in drawn.boxes)


def test_impossible_pictures_and_signals_are_refused() -> None:
    signal = heartbeats(500)
    with pytest.raises(ConfigError, match="at least 1 x 1"):
        apply_view(signal, 500, View(), (0, 0))
    with pytest.raises(ConfigError, match="million pixels"):
        apply_view(signal, 500, View(), (100_000, 100_000))
    with pytest.raises(FormatError, match="a row a lead"):
        apply_view(signal[:8], 500, View(), (128, 160))
    with pytest.raises(ConfigError, match="unknown layout"):
        apply_view(signal, 500, replace(View(), layout="3x5"), (128, 160))
    with pytest.raises(ConfigError, match="unknown layout"):
        ViewConfig(layouts=("nonsense",))


@settings(deadline=None)  # the first call compiles
@given(seed=st.integers(0, 2**32), share=st.floats(0.0, 1.0), most=st.sampled_from([1, 3, 256]))
def test_grey_at_a_share_is_that_of_numpys_counts(seed: int, share: float, most: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, most, rng.integers(1, 40, 2), dtype=np.uint8)
    darker = np.bincount(image.ravel(), minlength=256).cumsum()
    assert loops.grey_at_share(image, share) == np.searchsorted(darker, share * image.size)


@settings(deadline=None)  # the first call compiles
@given(x=st.integers(-12, 12), y=st.integers(-12, 12))
def test_a_stamp_darkens_the_part_of_the_picture_that_it_covers(x: int, y: int) -> None:
    rng = np.random.default_rng(0)
    image, mask = (rng.integers(0, 256, size, dtype=np.uint8) for size in ((9, 7), (5, 6)))
    shades = np.arange(255, -1, -1, dtype=np.uint8)
    wide = np.pad(image, 12, constant_values=255)
    part = wide[12 + y : 17 + y, 12 + x : 18 + x]
    part[:] = np.minimum(part, (255 - mask)[: part.shape[0], : part.shape[1]])
    loops.stamp(image, mask, x, y, shades)
    np.testing.assert_array_equal(image, wide[12:-12, 12:-12])


def test_loops_are_compiled_even_where_machine_code_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def njit(function: object = None, *, cache: bool = False) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    monkeypatch.setattr(loops.numba, "njit", njit)
    assert loops.compiled(len) is len
