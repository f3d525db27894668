"""Traces that run into each other, letters between flanks, bars between columns."""

import cv2
import numpy as np
import pytest

from dyssync.errors import FormatError
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.pages.digitising.bars import Bar, find_bars
from dyssync.pages.digitising.digitise import digitise
from dyssync.pages.digitising.digitised import Stated
from dyssync.pages.digitising.runs import find_runs
from dyssync.pages.digitising.traced import trace_stretches
from dyssync.rendering import render_page

SIZE = (200, 240)  # px
SCALE = (8.0, 8.0)  # px/mm, of 200 dpi
PEN = 3
SHIFT = 4  # bits of a pixel that the drawing counts in


def drawn(*heights: np.ndarray) -> np.ndarray:
    """Return the cover of traces, (H, W) float32."""
    page = np.zeros(SIZE, np.uint8)
    for trace in heights:
        points = np.stack([np.arange(len(trace)) + 0.5, trace], axis=1) - 0.5
        fixed = np.rint(points * 2**SHIFT).astype(np.int32)
        cv2.polylines(page, [fixed], False, 255, PEN, cv2.LINE_AA, SHIFT)
    return page.astype(np.float32) / 255


def spike(line: float, tip: float, at: int = 120, half: int = 9) -> np.ndarray:
    x = np.arange(SIZE[1])
    return line + (tip - line) * np.clip(1 - np.abs(x - at) / half, 0, None)


def read(cover: np.ndarray, *lines: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return heights at whole columns, and confidence, of the traces that begin at `lines`."""
    spans = [(0.0, float(SIZE[1]))] * len(lines)
    found = trace_stretches(find_runs(cover, 0.4), lines, spans, SCALE)
    return [((h[::2] + h[1::2]) / 2, c[::2]) for _, h, c in found]


def test_a_level_trace_goes_on_through_the_spike_of_its_neighbour() -> None:
    level, tall = np.full(SIZE[1], 60.0), spike(150.0, 20.0)
    (upper, sure), (lower, _) = read(drawn(level, tall), 60.0, 150.0)
    assert np.abs(upper - level).max() < 2.5
    assert lower.min() == pytest.approx(20.0, abs=8)  # the tip is one column wide
    assert np.abs(lower - tall)[[105, 114, 126, 135]].max() < 8
    assert sure.min() == 0.5  # where both share ink, this is told
    assert (sure[:100] == 1).all()


def test_spikes_of_two_neighbours_cross() -> None:
    down, up = spike(60.0, 130.0, at=110), spike(150.0, 80.0, at=124)
    (upper, _), (lower, _) = read(drawn(down, up), 60.0, 150.0)
    assert upper.max() == pytest.approx(130, abs=8)
    assert lower.min() == pytest.approx(80, abs=8)
    assert np.median(np.abs(upper - down)) < 1
    assert np.median(np.abs(lower - up)) < 1


def test_a_letter_between_the_flanks_does_not_cut_off_a_tip() -> None:
    tall = spike(60.0, 180.0)
    cover = drawn(tall)
    cover[88:92, 114:126] = 1.0  # the foot of a letter, from flank to flank
    ((found, _),) = read(cover, 60.0)
    assert found.max() == pytest.approx(180, abs=8)


def test_bars_are_what_stands_beside_every_row_at_the_same_height() -> None:
    lines = [40.0, 100.0, 160.0]
    cover = drawn(*(np.full(SIZE[1], line) for line in lines))
    for line in lines:
        cover[int(line) - 16 : int(line) + 16, 119:122] = 1.0
    bars = find_bars(find_runs(cover, 0.4), lines, 120.0, SCALE)
    assert [bar.top for bar in bars] == [23, 83, 143]
    assert all(bar.left <= 119 and 122 <= bar.right < 126 for bar in bars)
    assert all(isinstance(bar, Bar) and bar.bottom - bar.top < 40 for bar in bars)


def test_complexes_at_a_border_are_no_bars() -> None:
    lines = [40.0, 100.0, 160.0]
    cover = drawn(*(spike(line, line - 30, half=5) for line in lines))
    assert find_bars(find_runs(cover, 0.4), lines, 120.0, SCALE) == []


def test_leads_that_run_into_each_other_are_refused() -> None:
    t = np.arange(5000) / 500
    beat = np.exp(-(((t % 0.8 - 0.3) / 0.012) ** 2))
    signal = np.array([a * beat for a in np.linspace(3.0, 4.0, 12)], np.float32)
    page = render_page(signal, 500.0, LAYOUTS["12x1"], dpi=150.0)
    with pytest.raises(FormatError, match="run into each other"):
        digitise(ECGImage(page.image), Stated(layout="12x1"))
