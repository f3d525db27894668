"""From pages back to millivolt: what our renderer drew is read again, or refused."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dyssync.ecg import LEADS
from dyssync.errors import FormatError
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.pages.digitising.columns import Extent, refine_extent
from dyssync.pages.digitising.digitise import digitise
from dyssync.pages.digitising.digitised import Digitised, Part, Stated
from dyssync.pages.digitising.edges import without_edges
from dyssync.pages.digitising.flat import FlatPage
from dyssync.pages.digitising.heights import find_heights
from dyssync.pages.digitising.ink import Ink, above_grid, off_grid
from dyssync.pages.digitising.overlay import draw_overlay
from dyssync.pages.digitising.physics import limb_residual, same_lead
from dyssync.pages.digitising.pulses import Pulse
from dyssync.pages.digitising.reading import Reading, read_page
from dyssync.pages.digitising.rows import Row, find_rows
from dyssync.pages.digitising.runs import find_runs
from dyssync.pages.digitising.scaling import find_scale
from dyssync.pages.digitising.traced import Trace
from dyssync.pages.digitising.words import PrintedScale
from dyssync.pages.digitising.writing import samples_csv
from dyssync.rendering import PageOptions, Rendered, render_page
from dyssync.rendering.wear import Wear, apply_wear

FS = 500.0


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    """Ten seconds of beats with P, QRS and T; limb leads obey Einthoven and Goldberger."""
    t = np.arange(5000) / FS
    rng = np.random.default_rng(5)

    def lead(*waves: tuple[float, float, float]) -> np.ndarray:
        beat = t % 0.83
        return sum(a * np.exp(-(((beat - at) / width) ** 2)) for a, at, width in waves)

    chest = [
        lead((0.1, 0.15, 0.03), (0.3 + 0.2 * k, 0.3, 0.015), (0.2 * k - 1.2, 0.335, 0.015),
             (0.1 + 0.05 * k, 0.6, 0.06))
        for k in range(6)
    ]  # fmt: skip
    one = lead((0.1, 0.15, 0.03), (0.9, 0.31, 0.015), (-0.2, 0.34, 0.012), (0.25, 0.6, 0.06))
    two = lead((0.15, 0.15, 0.03), (0.6, 0.315, 0.018), (-0.3, 0.35, 0.012), (0.3, 0.6, 0.06))
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    made: np.ndarray = np.array([*limb, *chest], np.float32)
    return made + rng.normal(0, 0.004, made.shape).astype(np.float32)


def drawn(signal: np.ndarray, layout: str, *, dpi: float = 150.0, **options: object) -> Rendered:
    return render_page(signal, FS, LAYOUTS[layout], dpi=dpi, **options)  # type: ignore[arg-type]


def error_of(part: Part, rendered: Rendered, layout: str, signal: np.ndarray) -> float:
    """Return the noise of a part over the signal, RMS, at the best shift of up to 20 ms."""
    panels = LAYOUTS[layout].panels
    at = next(i for i, p in enumerate(panels) if (p.row, p.column) == (part.row, part.column))
    assert panels[at].lead == part.lead
    start = round(rendered.boxes[at].start_s * FS)
    true = signal[LEADS.index(part.lead), start : start + len(part.millivolts)]
    read = part.millivolts[: len(true)]
    known = np.isfinite(read)
    assert known.mean() > 0.97
    errors = []
    for lag in range(-10, 11):
        gap = np.roll(np.where(known, read, 0), lag)[10:-10] - true[10:-10]
        errors.append(np.std(gap[known[10:-10]]))
    return float(min(errors) / np.std(true))


@pytest.mark.parametrize(
    ("layout", "dpi"), [("3x4+II", 100.0), ("3x4-cabrera", 300.0), ("6x2", 150.0), ("12x1", 150.0)]
)
def test_what_was_drawn_is_read_again(signal: np.ndarray, layout: str, dpi: float) -> None:
    rendered = drawn(signal, layout, dpi=dpi)
    read = digitise(ECGImage(rendered.image))
    assert read.layout == layout
    assert (read.scale.speed_mm_s, read.scale.gain_mm_mv) == (25.0, 10.0)
    errors = [error_of(part, rendered, layout, signal) for part in read.parts]
    # edges are means over a column: taken for extremes, 100 dpi was read at .14
    assert np.median(errors) < 0.07  # 23 dB
    # columns are never put side by side in time: each part has its own length and beginning
    seconds = [len(part.millivolts) / read.fs for part in read.parts if not part.rhythm]
    assert np.allclose(seconds, LAYOUTS[layout].seconds, atol=0.02)


@pytest.mark.parametrize(
    ("layout", "style", "dpi"),
    [
        ("6x2", "plain", 100.0),
        ("3x4+II", "plain", 150.0),
        ("6x2", "plain", 200.0),
        ("3x4-cabrera", "dots", 200.0),
    ],
)
def test_white_paper_has_no_grid_and_dots_of_a_grid_are_no_ink(
    signal: np.ndarray, layout: str, style: str, dpi: float
) -> None:
    rendered = drawn(signal, layout, dpi=dpi, style=style)
    read = digitise(ECGImage(rendered.image))
    assert read.layout == layout
    errors = [error_of(part, rendered, layout, signal) for part in read.parts]
    # rows say how long a second is: by the pulse alone, a pixel too wide, this was .3 to 1.3
    assert np.median(errors) < 0.14  # 17 dB


@pytest.mark.parametrize("layout", ["3x4+II", "6x2"])
def test_leads_begin_where_they_were_drawn(signal: np.ndarray, layout: str) -> None:
    rendered = drawn(signal, layout, dpi=200.0)
    reading = read_page(rendered.image)
    assert reading.best is not None
    # the first inked pixel is known at once; where in it the ink begins is not
    assert reading.best.left == pytest.approx(rendered.boxes[0].x0, abs=0.3)


def test_white_paper_that_lies_turned_is_set_straight_or_refused(signal: np.ndarray) -> None:
    rendered = drawn(signal, "3x4+II", style="plain")
    height, width = rendered.image.shape[:2]

    def turned(degrees: float) -> ECGImage:
        how = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        white = (255, 255, 255)
        return ECGImage(
            np.asarray(cv2.warpAffine(rendered.image, how, (width, height), borderValue=white))
        )

    read = digitise(turned(0.8))
    errors = [error_of(part, rendered, "3x4+II", signal) for part in read.parts]
    assert np.median(errors) < 0.14
    with pytest.raises(FormatError, match=r"leans by 0\.\d degrees"):
        digitise(turned(1.5))


def test_turned_pages_are_read_as_well(signal: np.ndarray) -> None:
    rendered = drawn(signal, "3x4+II")
    upside_down = ECGImage(np.ascontiguousarray(rendered.image[::-1, ::-1]))
    read = digitise(upside_down)
    assert read.geometry.turned == pytest.approx(180, abs=1)
    tilted = apply_wear(
        rendered, Wear(corners=((0.01, 0.0), (0.02, 0.03), (-0.01, 0.02), (0.0, -0.01)), bend=0.004)
    )
    flat = digitise(ECGImage(tilted.image))
    assert flat.layout == "3x4+II"
    errors = [error_of(part, rendered, "3x4+II", signal) for part in flat.parts]
    assert np.median(errors) < 0.12


def test_a_page_may_lie_on_either_side(signal: np.ndarray) -> None:
    corners = ((0.01, 0.0), (0.02, 0.03), (-0.01, 0.02), (0.0, -0.01))
    tilted = apply_wear(drawn(signal, "3x4+II"), Wear(corners=corners)).image
    upright = digitise(ECGImage(tilted))
    for quarters in (1, 3):
        read = digitise(ECGImage(np.ascontiguousarray(np.rot90(tilted, quarters))))
        assert round(read.geometry.turned / 90) == 4 - quarters
        # what was read lies where it lies on the page the right way up
        assert [part.lead for part in read.parts] == [part.lead for part in upright.parts]
        for part, other in zip(read.parts, upright.parts, strict=True):
            assert (
                np.abs(part.trace[0, 0] - other.trace[0, 0]) < 2
            )  # px; they begin as they are seen
            known = np.isfinite(other.trace[:, 1])
            there = np.interp(part.trace[:, 0], *other.trace[known].T)
            assert np.nanmedian(np.abs(part.trace[:, 1] - there)) < 0.3


def test_a_page_seen_at_an_angle_is_brought_back_as_a_plane(signal: np.ndarray) -> None:
    corners = ((0.01, 0.0), (0.02, 0.03), (-0.01, 0.02), (0.0, -0.01))
    tilted = apply_wear(drawn(signal, "3x4+II", dpi=200.0), Wear(corners=corners))
    page = read_page(tilted.image).page
    height, width = page.cover.shape
    x, y = (
        at.ravel().astype(np.float64)
        for at in np.meshgrid(np.arange(60, width - 60, 7), np.arange(60, height - 60, 7))
    )
    flat, picture = np.stack([x, y], axis=1), np.stack(page.in_picture(x, y), axis=1)
    matrix, _ = cv2.findHomography(flat, picture)
    seen = cv2.perspectiveTransform(flat[None], matrix)[0]
    # a wave of the map from mesh to mesh, or of the surface, bends traces as noise would
    assert np.abs(seen - picture).max() < 0.05


def test_an_edge_of_the_paper_is_no_row() -> None:
    pixels = np.full((200, 400, 3), 240, np.uint8)
    pixels[150:] = 180  # the desk
    pixels[80:82] = 20  # a trace
    page = FlatPage(np.zeros((200, 400), np.float32), (4.0, 4.0), 1.0, 0.0, 0.0)
    trace, edge = Row(81.0, 0.0, 400.0, 1.0), Row(150.0, 0.0, 400.0, 1.0)
    assert without_edges((trace, edge), page, pixels) == (trace,)


def test_a_blue_pen_is_ink_beside_a_black_one(signal: np.ndarray) -> None:
    rendered = drawn(signal, "3x4+II", dpi=200.0)
    page = rendered.image.copy()
    right = page[:, page.shape[1] // 3 :]
    right[right.max(axis=2) < 100, 2] = 180
    read = digitise(ECGImage(page))
    errors = [error_of(part, rendered, "3x4+II", signal) for part in read.parts]
    assert max(errors) < 0.2


def test_a_thin_stroke_is_seen_between_the_lines_of_a_dark_grid() -> None:
    rng = np.random.default_rng(8)
    cover = np.clip(rng.normal(0.02, 0.01, (400, 800)), 0, 1).astype(np.float32)
    cover[::20] = cover[:, ::20] = 0.55
    cover[200:204] = 1.0  # a level trace, on a line and beside it
    cover[90:200, 410] += 0.4 * (1 - cover[90:200, 410])  # and its spike, thinner than a pixel
    ink = Ink(cover, 255.0, 0.6, 0.75)
    assert above_grid(cover, ink) > 0.4
    rest, levels = off_grid(cover, ink, (4.0, 4.0))
    least = above_grid(rest, levels)
    assert least < 0.3
    assert (rest[90:204, 410] >= least).all()
    assert rest[200:204].min() > 0.9
    rest[200:204], rest[:, 410] = 0, 0
    assert rest.max() < least


def test_letters_side_by_side_are_no_row() -> None:
    cover = np.zeros((600, 1200), np.float32)  # 10 px a mm
    cover[150:153, 100:1100] = 1  # a trace
    for x in range(100, 1100, 14):  # letters of a millimetre
        cover[400:403, x : x + 10] = 1
    rows = find_rows(find_runs(cover, 0.5), 600, (10.0, 10.0))
    assert [round(row.line) for row in rows] == [152]


def test_a_restless_trace_is_a_row() -> None:
    rng = np.random.default_rng(3)
    cover = np.zeros((600, 1200), np.float32)  # 10 px a mm
    cover[150:153, 100:1100] = 1
    heights = 400 + np.rint(rng.normal(0, 6, 1001)).astype(int)
    for x in range(100, 1100):  # up or down by more than its own thickness, mostly
        one, two = sorted(heights[x - 100 : x - 98])
        cover[one - 2 : two + 2, x] = 1
    rows = find_rows(find_runs(cover, 0.5), 600, (10.0, 10.0))
    assert [round(row.line / 10) for row in rows] == [15, 40]


def test_where_both_ends_were_seen_columns_do_not_move() -> None:
    row = Row(100.0, 0.0, 1000.0, 1.0)
    # bars join the leads at their borders; by chance the ink has gaps 2.5 mm further on
    breaks = np.array([260, 510, 760], np.int64)
    trace = Trace(row, 0, np.full(2000, 100.0), breaks, 4.0)
    seen, guessed = (Extent(0.0, 1000.0, settled) for settled in (True, False))
    assert refine_extent(seen, 4, [trace], 4.0)[0].left == pytest.approx(0, abs=2.1)
    assert refine_extent(guessed, 4, [trace], 4.0)[0].left == pytest.approx(10, abs=2)


def test_paper_that_lay_askew_is_told_by_leads_of_one_moment(signal: np.ndarray) -> None:
    rendered = drawn(signal, "3x4+II", style="plain")  # squares would tell the shear before
    size = rendered.image.shape[1], rendered.image.shape[0]
    shear = np.array([[1.0, 0.012, 0.0], [0.0, 1.0, 0.0]])
    askew = cv2.warpAffine(rendered.image, shear, size, borderValue=(255, 255, 255))
    read = digitise(ECGImage(askew))  # or the limb leads contradict each other
    assert read.layout == "3x4+II"
    assert read.quality.limb_residual < 0.2


def test_scale_is_read_not_assumed(signal: np.ndarray) -> None:
    options = PageOptions(limb_gain_mm_mv=5.0, chest_gain_mm_mv=5.0)
    rendered = drawn(signal, "3x4+II", options=options)
    read = digitise(ECGImage(rendered.image))
    assert read.scale.gain_mm_mv == 5.0
    assert read.scale.gain_from in {"printed", "pulse"}
    with pytest.raises(FormatError, match=r"gain 10 mm/mV is stated, 5 mm/mV"):
        digitise(ECGImage(rendered.image), Stated(gain_mm_mv=10.0))


def test_pages_without_a_scale_or_with_few_leads_are_refused(signal: np.ndarray) -> None:
    with pytest.raises(FormatError, match=r"cannot be digitised|no ECG page|how large 1 mV"):
        digitise(ECGImage(drawn(signal, "3x4+II", style="bare").image))
    rendered = drawn(signal, "3x4+II")
    strip = rendered.image[: rendered.image.shape[0] // 3].copy()
    with pytest.raises(FormatError, match="cannot be digitised"):
        digitise(ECGImage(strip))


def test_leads_under_wrong_names_contradict_each_other(signal: np.ndarray) -> None:
    leads = {lead: signal[i].astype(np.float64) for i, lead in enumerate(LEADS[:6])}
    assert limb_residual(leads) < 0.05
    swapped = {**leads, "III": leads["aVR"], "aVR": leads["III"]}
    assert limb_residual(swapped) > 0.5
    assert np.isnan(limb_residual({"I": leads["I"], "V1": leads["II"]}))


def test_a_spike_keeps_its_height_and_gets_no_wider_than_it_was() -> None:
    x = np.arange(400) / 4  # px, four places a column
    true = 50 - 20 * np.exp(-(((x - 50) / 1.5) ** 2))
    pen = 3.0
    top, bottom = np.empty(100), np.empty(100)
    for column in range(100):
        inked = []
        for at in range(4 * column, 4 * column + 4):
            near = np.abs(x - x[at]) <= pen / 2
            cap = np.sqrt(np.maximum((pen / 2) ** 2 - (x[near] - x[at]) ** 2, 0))
            inked.append(((true[near] - cap).min(), (true[near] + cap).max()))
        top[column], bottom[column] = min(a for a, _ in inked), max(b for _, b in inked)
    found = find_heights(top, bottom, pen, 1.0)
    assert found.min() == pytest.approx(true.min(), abs=0.7)
    middle = (np.arange(200) + 0.5) / 2
    width = np.ptp(middle[found < 40])
    assert width == pytest.approx(np.ptp(x[true < 40]), abs=1.3)


def test_unread_samples_are_left_out_of_the_table(signal: np.ndarray) -> None:
    rendered = drawn(signal, "3x4+II")
    read = digitise(ECGImage(rendered.image))
    gone = read.parts[0].millivolts.copy()
    gone[100:200] = np.nan
    holed: Digitised = replace(read, parts=(replace(read.parts[0], millivolts=gone),))
    rows = samples_csv(holed).splitlines()
    assert len(rows) == 1 + int(np.isfinite(gone).sum())
    assert not any("nan" in row for row in rows)
    assert draw_overlay(rendered.image, read).shape == rendered.image.shape


@pytest.mark.real_data
def test_foreign_pages_are_read_better_than_by_their_own_reader(shared_data: Path) -> None:
    from digitiser_pages import foreign_pages
    from digitiser_scores import compare

    for _, (page, peer) in zip(range(2), foreign_pages(shared_data / "digitising"), strict=False):
        read = digitise(page.image)
        found = {(p.row, p.column, p.rhythm): p.millivolts.astype(float) for p in read.parts}
        ours = compare(page.parts, [found[p.row, p.column, p.rhythm] for p in page.parts])
        theirs = compare(
            page.parts,
            [
                peer[p.lead][0 if p.rhythm else 1250 * p.column :][: len(p.millivolts)]
                for p in page.parts
            ],
        )
        assert ours[0] > theirs[0] - 1.0


def test_rows_too_short_for_columns_have_no_extent() -> None:
    from dyssync.pages.digitising.columns import find_extents

    row = Row(50.0, 10.0, 110.0, 0.9)
    short = Trace(row, 10, np.full(200, 50.0), np.zeros(0, np.int64), 5.0)
    extents = find_extents(np.array([short.ends]), [], 5.0, has_grid=True)
    assert all(extent.right - extent.left >= 300 for extent in extents)


def test_what_a_page_was_cut_off_is_not_known(signal: np.ndarray) -> None:
    whole = drawn(signal, "3x4+II")
    width = whole.image.shape[1]
    cut = digitise(ECGImage(np.ascontiguousarray(whole.image[:, : int(0.88 * width)])))
    strip = next(part for part in cut.parts if part.rhythm)
    beyond = strip.start_s + np.arange(len(strip.millivolts)) / cut.fs > 9.5
    assert beyond.any()
    assert np.isnan(strip.millivolts[beyond]).all()
    assert not strip.confidence[beyond].any()
    assert cut.quality.seen < 0.97


def test_without_a_grid_what_is_stated_must_agree_with_what_is_printed() -> None:
    paper = FlatPage(np.zeros((2, 2), np.float32), (7.0, 7.0), 0.0, np.nan, 0.0)
    pulse = Pulse(row=0, rise=10.0, fall=35.0, height=50.0)  # 5 px/mm at 25 mm/s, 10 mm/mV
    reading = Reading(paper, False, 0.5, (), (pulse,), (), PrintedScale(gain=10.0), None)
    scale, px_per_mm, warnings = find_scale(reading, Stated(speed_mm_s=25.0))
    assert px_per_mm == pytest.approx((5.0, 5.0))
    assert (scale.speed_from, scale.gain_from) == ("stated", "printed")
    assert warnings
    with pytest.raises(FormatError, match=r"gain 20 mm/mV is stated, 10 mm/mV is printed"):
        find_scale(reading, Stated(speed_mm_s=50.0, gain_mm_mv=20.0))


def test_rows_that_belong_to_no_lead_are_told(signal: np.ndarray) -> None:
    rendered = drawn(signal, "3x4+II")
    read = digitise(ECGImage(rendered.image), Stated(layout="3x4"))
    assert read.warnings == ("row 4 of 4 left out: no lead of 3x4 stands there",)


def test_stretches_that_cannot_be_compared_are_not_known_to_differ(signal: np.ndarray) -> None:
    lead = signal[0].astype(np.float64)
    assert same_lead(lead, lead, 2) == pytest.approx(1)
    assert np.isnan(same_lead(lead, np.full_like(lead, np.nan), 2))
    assert np.isnan(same_lead(np.zeros(100), np.zeros(100), 2))
