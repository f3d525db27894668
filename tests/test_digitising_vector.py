"""Pages drawn in lines: every sample comes back as it was written, or the page is a picture."""

import re
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError
from dyssync.formats import read_input
from dyssync.image import Drawing, ECGImage, PrintedWord
from dyssync.layouts import LAYOUTS
from dyssync.pages.digitising.digitise import digitise
from dyssync.pages.digitising.digitised import Digitised, Stated
from dyssync.pages.digitising.drawn_scale import find_drawn_scale
from dyssync.pages.digitising.vector import read_drawing
from dyssync.rendering import STYLES, PageOptions, render_pdf
from dyssync.rendering.page import Text
from dyssync.rendering.pdf import pdf_file, written

pytest.importorskip("pypdfium2")
FS = 500.0
RECORDINGS = [name for name in LAYOUTS if LAYOUTS[name].source == "rhythm"]


@pytest.fixture(scope="module")
def ecg(toy: tuple[list[ECG], np.ndarray]) -> ECG:
    """A formula ECG at the rate of what is read, so that no sample lies between two."""
    slow = toy[0][1].signal
    t = np.arange(5000) / 2
    rows = [np.interp(t, np.arange(slow.shape[1]), row) for row in slow]
    return ECG(np.array(rows, np.float32), FS)


def page_of(data: bytes, folder: Path) -> ECGImage:
    (folder / "page.pdf").write_bytes(data)
    image = read_input(folder / "page.pdf")
    assert isinstance(image, ECGImage)
    return image


def drawn(ecg: ECG, layout: str, folder: Path, style: str = "red", **options: object) -> ECGImage:
    asked = PageOptions(**options)  # type: ignore[arg-type]
    page = render_pdf(ecg.signal, ecg.fs, LAYOUTS[layout], style=style, options=asked)
    return page_of(page, folder)


def noise_of(read: Digitised, ecg: ECG) -> float:
    """Return the largest error of any sample that was read, mV; zero lines are free."""
    worst = 0.0
    seconds = LAYOUTS[read.layout].seconds
    for part in read.parts:
        simultaneous = LAYOUTS[read.layout].simultaneous and not part.rhythm
        start = part.start_s - part.column * seconds * simultaneous
        times = start + np.arange(len(part.millivolts)) / FS
        true = np.interp(times * FS, np.arange(5000), ecg[part.lead].astype(np.float64))
        gap = part.millivolts - true
        worst = max(worst, float(np.abs(gap - np.median(gap)).max()))
    return worst


@pytest.mark.parametrize(
    ("layout", "style"),
    [(name, list(STYLES)[k % len(STYLES)]) for k, name in enumerate(RECORDINGS)],
)
def test_every_sample_comes_back(ecg: ECG, layout: str, style: str, tmp_path: Path) -> None:
    if STYLES[style].names == "none":
        pytest.skip("no names on it")
    read = digitise(drawn(ecg, layout, tmp_path, style))
    assert read.exact
    assert {part.lead for part in read.parts} == set(LEADS)
    # columns of one time look like columns one after the other
    assert read.layout == layout.removesuffix("-simultaneous")
    if not LAYOUTS[layout].simultaneous:
        assert noise_of(read, ecg) < 2e-4


def test_gains_and_speed_are_those_of_the_words(ecg: ECG, tmp_path: Path) -> None:
    odd = {"speed_mm_s": 50.0, "limb_gain_mm_mv": 20.0, "chest_gain_mm_mv": 5.0}
    read = digitise(drawn(ecg, "12x1", tmp_path, **odd))
    assert (read.scale.speed_mm_s, read.scale.speed_from) == (50.0, "printed")
    assert noise_of(read, ecg) < 4e-4
    assert "chest leads are drawn at 5 mm/mV" in read.warnings[0]
    with pytest.raises(FormatError, match=r"speed 25 mm/s is stated, 50 mm/s is printed"):
        digitise(drawn(ecg, "12x1", tmp_path, **odd), Stated(speed_mm_s=25.0))


def test_a_page_that_was_shrunk_is_measured_by_its_grid(ecg: ECG, tmp_path: Path) -> None:
    page = render_pdf(ecg.signal, ecg.fs, LAYOUTS["3x4+II"])
    content = re.search(rb"/FlateDecode >>\nstream\n(.*?)\nendstream", page, re.DOTALL)
    assert content is not None
    small = zlib.compress(b"0.85 0 0 0.85 30 40 cm\n" + zlib.decompress(content[1]))
    length = b"<< /Length %d /Filter" % len(small)
    shrunk = page.replace(content[1], small).replace(
        b"<< /Length %d /Filter" % len(content[1]), length
    )
    read = digitise(page_of(shrunk, tmp_path))
    assert read.exact
    assert noise_of(read, ecg) < 4e-4


def test_traces_that_are_written_piece_by_piece_in_turn_are_whole(ecg: ECG, tmp_path: Path) -> None:
    image = drawn(ecg, "3x4+II", tmp_path)
    assert image.drawing is not None
    traces = [line for line in image.drawing.lines if len(line) > 1000]
    others = [line for line in image.drawing.lines if len(line) <= 1000]
    pieces = [line[k : k + 101] for k in range(0, 1200, 100) for line in traces]
    pieces += [line[1200:] for line in traces]
    strokes = "0.2 w 0 0 0 RG\n" + "\n".join(
        " l ".join(f"{x:.4f} {y:.4f}" for x, y in line).replace(" l ", " m ", 1) + " l S"
        for line in [*others, *pieces]
    )
    words = written(
        (
            Text(w.left, w.bottom - 0.8 * (w.bottom - w.top), w.bottom - w.top, w.text, own=True)
            for w in image.drawing.words
        ),
        (0, 0, 0),
    )
    read = digitise(page_of(pdf_file(image.drawing.size_mm, f"{strokes}\n{words}"), tmp_path))
    assert read.exact
    assert read.layout == "3x4+II"
    assert noise_of(read, ecg) < 2e-4


def test_a_page_that_another_program_drew(ecg: ECG, tmp_path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    width, height, left, column = 280.0, 200.0, 15.0, 62.5  # mm
    figure = Figure(figsize=(width / 25.4, height / 25.4))
    FigureCanvasPdf(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.vlines(np.arange(0, width + 1, 5), 0, height, "pink", linewidth=0.3)
    axes.hlines(np.arange(0, height + 1, 5), 0, width, "pink", linewidth=0.3)
    strip = [("II", 3, 0, 5000)]
    for lead, row, at, n in [*((x, k % 3, k // 3, 1250) for k, x in enumerate(LEADS)), *strip]:
        start, level = left + at * column, 30 + 40.0 * row
        values = ecg[lead][at * 1250 :][:n]
        axes.plot(start + np.arange(n) / 20, level - 10 * values, "k", linewidth=0.8)
        axes.text(start + 1, level - 10, lead, fontsize=9)
    axes.text(left, 190, "25 mm/s  10 mm/mV  0.05-150 Hz")
    with rc_context({"path.simplify": False}):
        figure.savefig(tmp_path / "drawn.pdf")
    read = digitise(page_of((tmp_path / "drawn.pdf").read_bytes(), tmp_path))
    assert (read.layout, read.exact, read.warnings) == ("3x4+II", True, ())
    assert noise_of(read, ecg) < 2e-4


def test_a_pulse_that_is_one_line_with_its_trace_is_no_beat(ecg: ECG, tmp_path: Path) -> None:
    image = drawn(ecg, "3x4+II", tmp_path)
    assert image.drawing is not None
    lines = []
    for line in image.drawing.lines:
        x, y = line[0]
        if len(line) < 1000 or x > 20:  # of the leads on the left each begins with one
            lines.append(line)
            continue
        pulse = [(x - 8, y), (x - 6, y), (x - 6, y - 10), (x - 1, y - 10), (x - 1, y)]
        lines.append(np.concatenate([pulse, line]))
    read = digitise(replace(image, drawing=replace(image.drawing, lines=tuple(lines))))
    whole = digitise(image)
    for one, other in zip(read.parts, whole.parts, strict=True):
        assert one.lead == other.lead
        n = min(len(one.millivolts), len(other.millivolts))
        assert np.ptp(one.millivolts) == pytest.approx(np.ptp(other.millivolts), abs=0.01)
        assert abs(len(one.millivolts) - n) <= 25  # from the fall of the pulse on


def test_without_a_grid_the_pulse_is_the_scale_and_without_both_there_is_none(
    ecg: ECG, tmp_path: Path
) -> None:
    image = drawn(ecg, "3x4+II", tmp_path, "plain")
    assert image.drawing is not None
    read = digitise(image)
    assert read.exact
    assert noise_of(read, ecg) < 2e-4
    assert "the calibration pulse alone" in read.warnings[0]
    bare = tuple(line for line in image.drawing.lines if len(line) > 400)
    assert read_drawing(replace(image.drawing, lines=bare), 8.0, Stated()) is None
    small = tuple(0.5 * line for line in image.drawing.lines)
    assert read_drawing(replace(image.drawing, lines=small), 8.0, Stated()) is None


def test_lines_without_names_are_read_as_a_picture(ecg: ECG, tmp_path: Path) -> None:
    image = drawn(ecg, "3x4+II", tmp_path)
    assert image.drawing is not None
    unnamed = tuple(w for w in image.drawing.words if w.text not in LEADS)
    read = digitise(replace(image, drawing=replace(image.drawing, words=unnamed)))
    assert not read.exact
    swapped = tuple(
        replace(w, text={"I": "II", "II": "I"}.get(w.text, w.text)) for w in image.drawing.words
    )
    with pytest.raises(FormatError, match="limb leads contradict each other"):
        digitise(replace(image, drawing=replace(image.drawing, words=swapped)))


def test_parts_of_which_nothing_is_left_are_read_as_a_picture(ecg: ECG, tmp_path: Path) -> None:
    drawing = drawn(ecg, "3x4+II", tmp_path).drawing
    assert drawing is not None
    whole = read_drawing(drawing, 8.0, Stated())
    assert whole is not None
    mm_per_mv = whole.scale.gain_mm_mv
    for kept in (slice(0, 0), slice(0, 3)):  # behind a pulse
        lines = []
        for line in drawing.lines:
            x, y = line[0]
            if len(line) < 1000 or x > 20:
                lines.append(line)
                continue
            top = np.stack([np.linspace(x, x + 5, 60), np.full(60, y - mm_per_mv)], axis=1)
            rest = np.array([[x + 15, y], [x + 16, y], [x + 17, y]])
            lines.append(np.concatenate([[(x - 1, y)], top, rest[kept]]))
        short = replace(drawing, lines=tuple(lines))
        assert read_drawing(short, 8.0, Stated()) is None


@pytest.mark.parametrize("piece", ["1", "limb 10 mm/mV "])
def test_a_long_text_takes_no_time_to_be_searched_for_scales(piece: str) -> None:
    text = PrintedWord(piece * (100_000 // len(piece)), 0.0, 0.0, 1.0, 1.0)
    began = time.process_time()
    find_drawn_scale(Drawing((297.0, 210.0), (), (text,)), Stated())
    assert time.process_time() - began < 0.5
