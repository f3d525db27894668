"""Names of leads are found wherever they stand on a page, and nothing else is taken for one."""

import hashlib
from importlib.resources import files

import cv2
import numpy as np
import pytest

from dyssync.ecg import LEADS
from dyssync.pages.digitising.spotter import NETWORK, SYMMETRIC, spot_names
from dyssync.pages.digitising.words import Word

# of the network that `make names` made; another training is another network
SHA256 = "a60062c8578896afa3154ce55a4cd54c1b5adb0e9a4c562d094af3bfcc382ace"


def page_with(texts: list[str], px_per_mm: float) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return ink of words, three mm high, across four rows of lines, and where they stand."""
    page = np.zeros((round(80 * px_per_mm), round(200 * px_per_mm)), np.uint8)
    pen = max(round(0.3 * px_per_mm), 1)
    places = []
    for k, text in enumerate(texts):
        x, y = (10 + 45 * (k % 4)) * px_per_mm, (20 + 18 * (k // 4)) * px_per_mm
        size = 3.0 * px_per_mm / 21  # the font's capitals are 21 px high
        at = round(x), round(y)
        cv2.putText(page, text, at, cv2.FONT_HERSHEY_DUPLEX, size, 255, pen, cv2.LINE_AA)
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, pen)
        line = round(y)  # through the feet of the letters, as traces run
        cv2.line(page, (0, line), (page.shape[1], line), 255, pen, cv2.LINE_AA)
        places.append((x + width / 2, y - height / 2))
    return page.astype(np.float32) / 255, places


def read_at(words: tuple[Word, ...], place: tuple[float, float], px_per_mm: float) -> str:
    near = [
        word
        for word in words
        if abs((word.left + word.right) / 2 - place[0]) < 3 * px_per_mm
        and abs(word.middle - place[1]) < 2 * px_per_mm
    ]
    return max(near, key=lambda word: word.alike).text if near else ""


@pytest.mark.parametrize("px_per_mm", [4.0, 5.0, 9.0])
def test_names_are_read_though_traces_run_through_them(px_per_mm: float) -> None:
    # nine of twelve at the bound from which a name counts: layouts need three
    page, places = page_with(list(LEADS), px_per_mm)
    words = spot_names(page, (px_per_mm, px_per_mm))
    read = [read_at(words, place, px_per_mm) for place in places]
    assert sum(a == b for a, b in zip(read, LEADS, strict=True)) >= 9
    assert len(words) <= 13


def test_upside_down_only_strokes_are_names() -> None:
    page, _ = page_with(list(LEADS), 5.0)
    words = spot_names(np.ascontiguousarray(page[::-1, ::-1]), (5.0, 5.0))
    assert {word.text for word in words} <= set(SYMMETRIC)


def test_other_words_and_bare_traces_are_no_names() -> None:
    others = ["25mm/s", "Name", "1842", "QRS", "bpm", "10mm/mV"]
    others += ["axes", "Hz", "62", "male", "of", "PR"]
    page, _ = page_with(others, 5.0)
    assert len(spot_names(page, (5.0, 5.0))) <= 1
    bare, _ = page_with([" "] * 12, 5.0)
    assert spot_names(bare, (5.0, 5.0)) == ()


def test_the_network_is_the_one_that_was_measured() -> None:
    data = files("dyssync.pages.digitising").joinpath(NETWORK).read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
