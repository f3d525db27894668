"""Pages for people: true to the millimetre, readable back to millivolt."""

import gc
import io
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dyssync.ecg import LEADS, Signal
from dyssync.errors import ConfigError
from dyssync.layouts import LAYOUTS, Layout, Panel
from dyssync.rendering import LeadBox, PageOptions, Rendered, encode_png, render_page
from dyssync.rendering.paper import STYLES

MM_PER_INCH = 25.4
SPACED = replace(LAYOUTS["3x4"], row_mm=60.0)  # no trace reaches its neighbour


@pytest.fixture
def heartbeat() -> Signal:
    """12 leads of smooth beats, (12, 5000) mV at 500 Hz."""
    phase = np.mod(np.arange(5000) / 500, 0.8)
    beat = np.exp(-(((phase - 0.3) / 0.025) ** 2)) + 0.2 * np.exp(-(((phase - 0.55) / 0.06) ** 2))
    return (np.linspace(0.2, 1.3, 12)[:, None] * beat).astype(np.float32)


def column_at(box: LeadBox, seconds: float) -> int:
    """Return the column of the picture that shows a time of the recording."""
    return int(box.x0 + (seconds - box.start_s) * box.px_per_s)


def read_back(page: Rendered, box: LeadBox) -> tuple[npt.NDArray[np.float64], ...]:
    """Return time (s) and voltage (mV) at the middle of the ink of each column of a lead."""
    reach = 25 * page.px_per_mm
    rows = slice(max(int(box.baseline_px - reach), 0), int(box.baseline_px + reach))
    columns = np.arange(int(np.ceil(box.x0)), int(box.x1))
    dark = 255.0 - page.image[rows, columns, 0]
    columns, dark = columns[dark.any(axis=0)], dark[:, dark.any(axis=0)]
    centre = np.arange(rows.start, rows.start + len(dark)) + 0.5
    return box.seconds_at(columns + 0.5), box.millivolts_at(centre @ dark / dark.sum(axis=0))


@pytest.mark.parametrize("dpi", [100, 200, 300, 600])
def test_one_millivolt_is_ten_mm_and_one_second_25_mm(dpi: int) -> None:
    layout = Layout("one", (Panel("I", 0, 0),), seconds=4.0, row_mm=60.0)
    steps = np.zeros((12, 4000), np.float32)
    steps[0, 1000:3000] = 1.0  # up at 1 s, down at 3 s
    page = render_page(steps, 1000, layout, dpi=dpi, style="plain")
    (box,) = page.boxes
    after_name = round(box.x0 + 10 * page.px_per_mm)
    dark = 255.0 - page.image[: round(80 * page.px_per_mm), after_name:, 0]
    px_per_mm = dpi / MM_PER_INCH
    ink = dark.sum(axis=0)
    upright = np.flatnonzero(ink > 2 * px_per_mm * 255)
    groups = np.split(upright, np.flatnonzero(np.diff(upright) > 3) + 1)
    flanks = [np.average(group, weights=ink[group]) for group in groups]
    rest, top = dark[:, 9], dark[:, int(sum(flanks) / 2)]
    low, high = ((np.arange(len(dark)) + 0.5) @ column / column.sum() for column in (rest, top))
    assert len(flanks) == 2
    assert flanks[1] - flanks[0] == pytest.approx(2 * 25 * px_per_mm, abs=0.5)
    assert low - high == pytest.approx(10 * px_per_mm, abs=0.5)


@pytest.mark.real_data
def test_signal_read_back_from_a_200_dpi_page_is_within_20_microvolt(shared_data: Path) -> None:
    errors = []
    for path in sorted((shared_data / "ludb" / "records").glob("*.dat"))[::16]:
        # 12 channels, 16 bit, 1000 steps a mV, 500 Hz (the .hea beside it)
        signal = np.fromfile(path, "<i2").reshape(-1, 12).T.astype(np.float32) / 1000
        page = render_page(signal, 500, SPACED, dpi=200, style="bare")
        for box in page.boxes:
            seconds, millivolts = read_back(page, box)
            truth = np.interp(seconds * 500, np.arange(5000), signal[LEADS.index(box.lead)])
            errors.append(millivolts - truth)
    assert np.sqrt(np.mean(np.square(np.concatenate(errors)))) < 0.020


def test_inverted_lead_reads_back_with_its_own_sign(heartbeat: Signal) -> None:
    page = render_page(heartbeat, 500, LAYOUTS["6x2-cabrera"], dpi=200, style="bare")
    (box,) = [box for box in page.boxes if box.lead == "aVR"]
    _, millivolts = read_back(page, box)
    assert np.max(millivolts) == pytest.approx(heartbeat[3].max(), abs=0.05)
    assert box.px_per_mv < 0


@pytest.mark.parametrize("style", STYLES.names())
def test_every_style_shows_ink_darker_than_its_paper(style: str, heartbeat: Signal) -> None:
    page = render_page(heartbeat, 500, LAYOUTS["3x4+3R"], dpi=60, style=style)
    assert page.image.shape == (510, 660, 3)
    assert page.image.min() < 100 < 200 < np.median(page.image)


def test_speed_and_gain_apply_to_limb_and_chest_apart(heartbeat: Signal) -> None:
    options = PageOptions(speed_mm_s=50, limb_gain_mm_mv=20, chest_gain_mm_mv=5)
    page = render_page(heartbeat, 500, LAYOUTS["3x4"], dpi=100, options=options)
    boxes = {box.lead: box for box in page.boxes}
    assert boxes["I"].px_per_s == pytest.approx(50 * page.px_per_mm)
    assert boxes["I"].px_per_mv == pytest.approx(20 * page.px_per_mm)
    assert boxes["V1"].px_per_mv == pytest.approx(5 * page.px_per_mm)
    assert boxes["I"].stop_s - boxes["I"].start_s == pytest.approx(1.25)


def test_png_knows_its_resolution_and_keeps_its_pixels(heartbeat: Signal) -> None:
    page = render_page(heartbeat, 500, LAYOUTS["3x4"], dpi=150)
    with Image.open(io.BytesIO(encode_png(page))) as image:
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.05)
        assert np.array_equal(np.asarray(image), page.image)
    grey = Rendered(page.image[:, :, 0], px_per_mm=4.0)
    with Image.open(io.BytesIO(encode_png(grey))) as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), grey.image)


def test_header_with_any_text_stays_on_the_page(heartbeat: Signal) -> None:
    header = ("Müller — 李", "x" * 500, "", *("line",) * 50)
    page = render_page(heartbeat, 500, LAYOUTS["3x4"], dpi=60, options=PageOptions(header=header))
    assert page.image.shape == (510, 660, 3)


def test_pages_of_gaps_short_signals_and_huge_voltages_are_drawn(heartbeat: Signal) -> None:
    heartbeat[:, 500:750] = np.nan
    page = render_page(heartbeat, 500, LAYOUTS["12x1"], style="bare")
    box = page.boxes[0]
    assert page.image[: int(box.y1), column_at(box, 1.05) : column_at(box, 1.45)].min() == 255
    short = render_page(heartbeat[:, 1000:2000], 500, LAYOUTS["12x1"], style="bare")
    assert short.image[:, : column_at(box, 1.9)].min() < 100
    assert short.image[: int(box.y1), column_at(box, 2.1) :].min() == 255  # nothing is made up
    tall = render_page(15 * heartbeat, 500, LAYOUTS["3x4"], style="bare")
    assert all(0 <= b.y0 < b.y1 <= tall.image.shape[0] for b in tall.boxes)


def test_names_of_leads_have_the_height_of_technical_lettering() -> None:
    page = render_page(np.full((12, 500), np.nan, np.float32), 500, LAYOUTS["12x1"], style="plain")
    box = page.boxes[0]
    left = int(box.x0 + page.px_per_mm)  # right of the calibration pulse
    cell = page.image[int(box.y0) : int(box.y1), left : left + round(10 * page.px_per_mm), 0]
    rows = np.flatnonzero((cell < 100).any(axis=1))
    assert 2.5 <= len(rows) / page.px_per_mm <= 3.5  # capitals, mm: the usual sizes of ISO 3098


def test_unusable_page_options_are_refused(heartbeat: Signal) -> None:
    with pytest.raises(ConfigError, match="dpi is 0"):
        render_page(heartbeat, 500, LAYOUTS["3x4"], dpi=0)
    with pytest.raises(ConfigError, match=r"unknown style 'rde'.*Nearest: red"):
        render_page(heartbeat, 500, LAYOUTS["3x4"], style="rde")
    with pytest.raises(ConfigError, match="gain is 0"):
        PageOptions(limb_gain_mm_mv=0)


class Name(str):
    """Text that can be watched: a plain str takes no weak reference."""


def test_nothing_of_a_header_is_kept_after_the_page(heartbeat: Signal) -> None:
    name = Name("Jane Doe 1931-04-02.xml")
    watched = weakref.ref(name)
    for style in ("red", "plain"):
        render_page(
            heartbeat, 500, LAYOUTS["3x4"], style=style, options=PageOptions(header=(name,))
        )
    del name
    gc.collect()
    assert watched() is None
