"""A user's own picture: ECG pages pass, other pictures are refused with what was seen."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from dyssync.errors import FormatError
from dyssync.formats import read_ecg, read_input
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.pages.evening import flatten_paper, prepare_picture
from dyssync.pages.evidence import check_is_ecg_page
from dyssync.pages.likeness import look_of
from dyssync.rendering import Rendered, render_page
from dyssync.rendering.wear import apply_wear, draw_wear


def page(style: str) -> Rendered:
    phase = np.mod(np.arange(2500) / 250, 0.8)
    beat = np.exp(-(((phase - 0.3) / 0.025) ** 2))
    signal = (np.linspace(0.2, 1.3, 12)[:, None] * beat).astype(np.float32)
    return render_page(signal, 250, LAYOUTS["3x4+II"], dpi=110, style=style)


@pytest.mark.parametrize("style", ["red", "plain", "grey", "brown"])
def test_drawn_pages_pass_on_paper_and_on_a_dark_monitor(style: str) -> None:
    pixels = page(style).image
    assert check_is_ecg_page(pixels) is pixels
    check_is_ecg_page(255 - pixels)


@pytest.mark.real_data
def test_real_pages_pass(shared_data: Path) -> None:
    paths = sorted((shared_data / "images" / "pages").iterdir())[::5]
    assert len(paths) > 5
    for path in paths:
        check_is_ecg_page(cv2.imread(str(path))[:, :, ::-1])


def test_other_pictures_are_refused() -> None:
    rng = np.random.default_rng(0)
    text = np.full((900, 700, 3), 255, np.uint8)
    for y in range(40, 880, 18):
        words = "".join(rng.choice(list("abcdefghij klmno pqrstu"), 80))
        cv2.putText(text, words, (40, y), 0, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    empty = np.full((600, 800, 3), 250, np.uint8)
    empty[::20] = empty[:, ::20] = (250, 180, 180)
    noise = rng.integers(0, 255, (600, 800, 3)).astype(np.uint8)
    photos = [load_sample_image(name) for name in ("flower.jpg", "china.jpg")]
    for other in (text, noise, np.full_like(noise, 255), *photos):
        with pytest.raises(FormatError, match="no ECG page as far as can be seen"):
            check_is_ecg_page(other)
    with pytest.raises(FormatError, match="it is empty"):
        check_is_ecg_page(empty)


def test_prepared_picture_keeps_aspect_ratio_and_thin_lines() -> None:
    prepared = prepare_picture(page("brown").image, (160, 160))
    assert prepared.shape == (160, 160)
    assert np.median(prepared) == 255
    assert (prepared[:15] == 255).all()  # a page is wider than high
    rhythm = prepared[95:130, 20:140]
    assert (rhythm.min(axis=0) < 140).mean() > 0.9  # the strip runs through


@pytest.mark.parametrize("size", [(128, 160), (223, 211), (700, 1000)])
def test_a_shadow_is_evened_out_and_a_thin_line_stays(size: tuple[int, int]) -> None:
    height, width = size
    light = np.linspace(240, 120, width) * np.linspace(1, 0.8, height)[:, None]
    page = light.astype(np.uint8)[:, :, None]
    page[height // 2, :] //= 4
    flat = flatten_paper(page)
    assert np.delete(flat, height // 2, axis=0).min() > 240
    assert abs(flat[height // 2].astype(float) - 255 / 4).max() < 8


def test_tiny_pictures_are_judged_without_a_crash() -> None:
    for shape in ((1, 1, 3), (2, 500, 3), (500, 2, 3)):
        with pytest.raises(FormatError, match="no ECG page"):
            check_is_ecg_page(np.full(shape, 255, np.uint8))


@pytest.mark.real_data
def test_pages_of_another_template_are_odd_and_those_of_the_same_are_not(shared_data: Path) -> None:
    records = sorted((shared_data / "ludb" / "records").glob("*.hea"))

    def scan(number: int) -> np.ndarray:
        ecg = read_ecg(records[number])
        page = render_page(ecg.signal, ecg.fs, LAYOUTS["3x4+II"], dpi=60)
        return apply_wear(page, draw_wear(np.random.default_rng(number), 1.0)).image

    look = look_of([scan(number) for number in range(40)])
    assert sum(look.oddness(scan(number)) > 1 for number in range(40, 60)) <= 1
    foreign = sorted((shared_data / "images" / "pages").iterdir())[:20]
    pages = [x for x in map(read_input, foreign) if isinstance(x, ECGImage)]
    assert sum(look.oddness(page.pixels) > 1 for page in pages) >= 19
