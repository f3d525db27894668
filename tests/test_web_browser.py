"""The page in a real browser: upload, calipers by mouse and by keys, scale on screen and paper."""

import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dyssync.ecg import ECG, LEADS
from dyssync.formats.wfdb import write_wfdb
from dyssync.inspection.page import PageKind
from dyssync.rendering import PageOptions

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("web"),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]

GOLDEN = Path(__file__).parent / "golden" / "formats"
AXE = Path(__file__).parent.parent / "build" / "axe" / "package" / "axe.min.js"
PX_PER_MM = 96 / 25.4  # of CSS
FS = 500.0
PEN_MM = 2 * 0.28  # what a PDF counts to the bounds of a path
# a pulse of 1 mV and 200 ms in lead II, in the row of the strip; edges in s
ON_S, OFF_S = 4.0, 4.2


@pytest.fixture(scope="module")
def address(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: object, address: str) -> Iterator[object]:
    """A fresh page that may say nothing wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})  # type: ignore[attr-defined]
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    elsewhere: list[str] = []
    opened.on("request", lambda asked: elsewhere.append(asked.url))
    opened.goto(address)
    yield opened
    context.close()
    # a refusal is an answer, though the browser counts its status as a fault
    assert [one for one in faults if "status of 4" not in one] == []
    assert all(one.startswith(address) for one in elsewhere)


@pytest.fixture(scope="module")
def ruler(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A record with narrow beats and one pulse of known size in every lead but III."""
    t = np.arange(5000) / FS
    signal = np.zeros((12, 5000), np.float32)
    for beat in np.arange(0.5, 10, 1.0):
        signal += np.exp(-0.5 * ((t - beat) / 0.02) ** 2).astype(np.float32) * 0.8
    pulse = (t >= ON_S) & (t < OFF_S)
    signal[:, pulse] += 1.0
    signal[2] = signal[1] - signal[0]
    signal[3:6] = -(signal[0] + signal[1]) / 2, signal[0] - signal[1] / 2, signal[1] - signal[0] / 2
    folder = tmp_path_factory.mktemp("ruler")
    write_wfdb(ECG(signal, FS), folder, "ruler")
    return [str(folder / "ruler.hea"), str(folder / "ruler.dat")]


def send(page: object, *files: str) -> None:
    page.set_input_files("#file", list(files))  # type: ignore[attr-defined]
    page.get_by_role("button", name="Read this ECG").click()  # type: ignore[attr-defined]
    page.wait_for_selector("#answer section")  # type: ignore[attr-defined]


def read(page: object, part: int = 0) -> tuple[float, float]:
    """Return ms and mV as the calipers say them."""
    words = page.locator("output.caliper-text").nth(part).inner_text()  # type: ignore[attr-defined]
    found = re.fullmatch(r"(\d+) ms(?: · \d+/min)? · (−?[\d.]+) mV", words)
    assert found is not None, words
    return float(found[1]), float(found[2].replace("−", "-"))


def place_of(page: object, seconds: float, mv: float) -> tuple[float, float]:
    """Return where a point of the strip of lead II is seen, px, from what is drawn of it."""
    corner = page.evaluate(  # type: ignore[attr-defined]
        """([t, mv]) => {
          const paths = [...document.querySelectorAll("#tracing .sheet .traces path.trace")];
          const strip = paths.filter((path) => path.getBBox().width > 240)[0];
          const corners = strip.getAttribute("d").slice(1).split("L");
          const [x, y] = corners[Math.round(t * 500)].split(" ").map(Number);
          const point = new DOMPoint(x, y).matrixTransform(strip.getScreenCTM());
          return [point.x, point.y];
        }""",
        [seconds, mv],
    )
    return corner[0], corner[1]


def test_calipers_by_mouse_read_a_pulse_of_200_ms_and_1_mv(page: object, ruler: list[str]) -> None:
    send(page, *ruler)
    page.get_by_text("50 mm/s").first.click()  # type: ignore[attr-defined]
    page.get_by_role("button", name="20 mm/mV").first.click()  # type: ignore[attr-defined]
    page.get_by_role("button", name="snap").first.click()  # type: ignore[attr-defined]
    page.locator("svg.sheet").first.scroll_into_view_if_needed()  # type: ignore[attr-defined]
    for seconds in (ON_S - 0.002, OFF_S - 0.002):  # the last sample before each edge
        x, y = place_of(page, seconds, 0)
        page.mouse.click(x, y)  # type: ignore[attr-defined]
    ms, mv = read(page)
    assert abs(ms - 200) <= 2
    assert abs(mv - 1) <= 0.01


def test_calipers_by_keys_alone_read_the_same(page: object, ruler: list[str]) -> None:
    send(page, *ruler)
    sheet = page.locator("svg.sheet").first  # type: ignore[attr-defined]
    sheet.focus()
    page.keyboard.press("Enter")  # type: ignore[attr-defined]
    for _ in range(20):
        page.keyboard.press("ArrowUp")  # type: ignore[attr-defined]
    ms, mv = read(page)
    assert (ms, mv) == (200, 1.0)  # 5 mm at 25 mm/s, 10 mm at 10 mm/mV
    page.keyboard.press("Shift+ArrowRight")  # type: ignore[attr-defined]
    assert read(page)[0] == 400
    page.keyboard.press("Escape")  # type: ignore[attr-defined]
    assert "click twice" in page.locator("output").first.inner_text()  # type: ignore[attr-defined]


def test_calipers_snap_to_the_marks_of_the_median_beat(page: object, toy_cohort: Path) -> None:
    send(page, *(str(toy_cohort / f"rec01.{end}") for end in ("hea", "dat")))
    part = page.locator(".tracing-part").nth(1)  # type: ignore[attr-defined]
    name = part.locator("text.name.qrs").text_content()
    sheet = part.locator("svg.sheet")
    sheet.scroll_into_view_if_needed()
    frame = part.locator("rect.wave.qrs").bounding_box()
    for x in (frame["x"] + 2, frame["x"] + frame["width"] - 2):
        page.mouse.click(x, frame["y"] + frame["height"] / 2)  # type: ignore[attr-defined]
    assert f"QRS {read(page, 1)[0]:.0f} ms" == name


def test_the_paper_is_true_on_the_screen_and_in_print(page: object, ruler: list[str]) -> None:
    send(page, *ruler)
    sheet = page.locator("svg.sheet").first  # type: ignore[attr-defined]
    box, units = sheet.bounding_box(), sheet.get_attribute("viewBox").split()
    assert box["width"] / PX_PER_MM == pytest.approx(float(units[2]), rel=0.01)
    assert box["height"] / PX_PER_MM == pytest.approx(float(units[3]), rel=0.01)
    printed = page.pdf(prefer_css_page_size=True)  # type: ignore[attr-defined]
    sizes = path_sizes_mm(printed)
    # the pulse in front of a row: 1 mV is 10 mm, 200 ms and its feet are 7 mm, and the pen around
    assert any(
        abs(high - PEN_MM - 10) < 0.1 and abs(wide - PEN_MM - 7) < 0.1 for wide, high in sizes
    )


def path_sizes_mm(pdf: bytes) -> list[tuple[float, float]]:
    """Return width and height of every path of a PDF, mm."""
    import pypdfium2
    from pypdfium2 import raw

    found = []
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    for sheet in document:
        for one in sheet.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=5):
            left, bottom, right, top = one.get_bounds()
            found.append(((right - left) * 25.4 / 72, (top - bottom) * 25.4 / 72))
    document.close()
    return found


def test_layouts_explanation_and_leads_are_drawn(page: object, toy_cohort: Path) -> None:
    send(page, *(str(toy_cohort / f"rec01.{end}") for end in ("hea", "dat")))
    for name, rows in (("12x1", 12), ("6x2", 12), ("Cabrera", 12), ("3x4+II", 13)):
        page.get_by_role("button", name=name, exact=True).click()  # type: ignore[attr-defined]
        labels = page.locator(".sheet").first.locator("text.lead").all_text_contents()  # type: ignore[attr-defined]
        assert len(labels) == rows
        shown = {label.removeprefix("-") for label in labels}
        assert shown == set(LEADS), name
    assert page.locator(".explanation rect").count() == 0  # type: ignore[attr-defined]
    page.get_by_role("button", name="explanation").click()  # type: ignore[attr-defined]
    assert page.locator(".explanation rect").count() > 10  # type: ignore[attr-defined]


def test_other_models_are_asked_when_their_fold_is_opened(page: object, toy_cohort: Path) -> None:
    send(page, *(str(toy_cohort / f"rec01.{end}") for end in ("hea", "dat")))
    fold = page.locator("#others")  # type: ignore[attr-defined]
    assert fold.locator("tbody tr").count() == 0
    said = page.locator("#said .sentence").inner_text()  # type: ignore[attr-defined]
    # the form may hold something else by now: what was read is what is asked about
    page.set_input_files("#file", str(GOLDEN / "golden.png"))  # type: ignore[attr-defined]
    fold.locator("summary").click()
    fold.locator("tbody tr").first.wait_for()
    assert fold.locator("tbody tr").count() == 2  # of three models, one answers
    assert page.locator("#said .sentence").inner_text() == said  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("golden.muse.xml", "muse-xml"), ("golden.sierra.xml", "sierra-xml"),
        ("golden.dcm", "dicom"), ("golden.scp", "scp-ecg"), ("golden.png", "picture"),
    ],
)  # fmt: skip
def test_uploads_of_every_kind_are_accepted(page: object, name: str, words: str) -> None:
    send(page, str(GOLDEN / name))
    assert words in page.locator("section.verdict").inner_text()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory, toy: tuple[list[ECG], np.ndarray]) -> Path:
    """A picture of a page that lies on its side."""
    drawn = PageKind(dpi=100).draw(toy[0][0], PageOptions())
    path = tmp_path_factory.mktemp("paper") / "page.png"
    Image.open(io.BytesIO(drawn)).rotate(90, expand=True).save(path)
    return path


def test_what_was_read_of_a_picture_lies_on_its_ink(page: object, paper: Path) -> None:
    send(page, str(paper))
    page.wait_for_selector("#picture canvas")  # type: ignore[attr-defined]
    on_ink = page.evaluate(  # type: ignore[attr-defined]
        """() => {
          const canvas = document.querySelector("#picture canvas");
          const pen = canvas.getContext("2d");
          const box = document.querySelector("#picture svg").viewBox.baseVal;
          const found = [];
          for (const path of document.querySelectorAll("#picture path")) {
            for (const corner of path.getAttribute("d").split(/[ML]/).filter(Boolean)) {
              const [x, y] = corner.split(" ").map(Number);
              const [at, down] = [x * canvas.width / box.width, y * canvas.height / box.height];
              const seen = pen.getImageData(Math.round(at) - 1, Math.round(down) - 1, 3, 3).data;
              found.push(Math.min(...seen.filter((_, i) => i % 4 === 0)) < 128);
            }
          }
          return found.filter(Boolean).length / found.length;
        }"""
    )
    assert on_ink > 0.9
    button = page.get_by_role("button", name="what was read")  # type: ignore[attr-defined]
    button.click()
    assert not page.locator("#picture svg").is_visible()  # type: ignore[attr-defined]
    assert button.get_attribute("aria-pressed") == "false"


def test_a_broken_file_is_refused_on_the_page_and_the_form_stays(
    page: object, tmp_path: Path, ruler: list[str]
) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text("<RestingECG><x>")
    page.fill("#lvef", "24")  # type: ignore[attr-defined]
    send(page, str(broken))
    assert "Not accepted" in page.get_by_role("alert").inner_text()  # type: ignore[attr-defined]
    assert page.input_value("#lvef") == "24"  # type: ignore[attr-defined]
    send(page, *ruler)
    page.wait_for_selector("svg.sheet")  # type: ignore[attr-defined]


def test_several_recordings_become_a_table_and_a_csv(
    page: object, address: str, toy_cohort: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "=broken.xml"
    broken.write_text("<RestingECG><x>")
    records = [str(toy_cohort / f"rec0{i}.{end}") for i in range(2) for end in ("hea", "dat")]
    page.goto(f"{address}batch")  # type: ignore[attr-defined]
    page.set_input_files("#files", [*records, str(broken)])  # type: ignore[attr-defined]
    page.get_by_role("button", name="Read these ECGs").click()  # type: ignore[attr-defined]
    page.get_by_text("3 of 3 answered").wait_for()  # type: ignore[attr-defined]
    with page.expect_download() as waiting:  # type: ignore[attr-defined]
        page.get_by_role("button", name="Save as CSV").click()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8"))))
    found = {row["file"]: row for row in rows}
    assert list(found) == ["rec00", "rec01", "'=broken.xml"]  # no formula for a spreadsheet
    assert "not well-formed" in found["'=broken.xml"]["problem"]
    assert 0 <= int(found["rec00"]["of_100"]) <= 100
    assert found["rec00"]["p_ridge"]


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core: make axe")
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("shown", ["signal", "picture", "several"])
def test_the_pages_have_no_barrier_that_axe_finds(
    browser: object, address: str, ruler: list[str], paper: Path, shown: str, width: int
) -> None:
    context = browser.new_context(  # type: ignore[attr-defined]
        viewport={"width": width, "height": 900},
        bypass_csp=True,  # axe comes into the page as a script
    )
    page = context.new_page()
    if shown == "several":
        page.goto(f"{address}batch")
        page.set_input_files("#files", [*ruler, str(paper)])
        page.get_by_role("button", name="Read these ECGs").click()
        page.get_by_text("2 of 2 answered").wait_for()
    else:
        page.goto(address)
        send(page, *(ruler if shown == "signal" else [str(paper)]))
        page.wait_for_selector("svg.sheet" if shown == "signal" else "#picture canvas")
    for fold in page.locator("details").all():
        fold.evaluate("fold => { fold.open = true; }")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    call = "rules => axe.run(document, {runOnly: rules})"
    found = page.evaluate(call, RULES)["violations"]
    assert [(one["id"], one["help"]) for one in found] == []
    context.close()


def test_no_page_is_wider_than_a_telephone(
    browser: object, address: str, ruler: list[str], paper: Path
) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800})  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(address)
    for sent, drawn in ((ruler, "svg.sheet"), ([str(paper)], "#picture canvas")):
        send(page, *sent)
        page.wait_for_selector(drawn)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
    context.close()
