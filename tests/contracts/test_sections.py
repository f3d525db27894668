"""What every section of the report must do: be listed, be explained, show what it draws."""

import re
from pathlib import Path

import pytest

from dyssync.figures.plate import Plate
from dyssync.report import sections
from dyssync.report.document import draw_plates, gather_facts, render_html
from dyssync.report.overview import look_over
from dyssync.report.section import Plates, no_plates
from dyssync.report.sections import SECTIONS
from dyssync.study.results import StudyResults

DOCS = Path(__file__).parents[2] / "docs" / "reading-the-report.md"
FOLDER = Path(sections.__file__).parent


@pytest.fixture(scope="module")
def plates(golden_run: StudyResults) -> dict[str, Plates]:
    study = look_over(golden_run)
    return dict(draw_plates(study, gather_facts(study)))


@pytest.fixture(scope="module")
def bodies(golden_run: StudyResults, plates: dict[str, Plates]) -> dict[str, str]:
    """What the page of a real run says below the heading of each section."""
    study = look_over(golden_run)
    page = render_html(study, gather_facts(study), plates)
    found = re.findall(r'<section id="([^"]+)".*?</h2>(.*?)</section>', page, re.DOTALL)
    return dict(found)


def test_every_module_of_the_folder_is_a_section() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert modules == set(SECTIONS), (
        f"sections/__init__.py: SECTIONS lacks {sorted(modules - set(SECTIONS))}"
    )


def test_docs_explain_every_section_in_its_order() -> None:
    rows = re.findall(r"^\| ([^|]+?) +\|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    titles = [SECTIONS[name].title for name in SECTIONS]
    missing = [title for title in titles if title not in rows]
    assert not missing, f"docs/{DOCS.name}: the table of sections lacks {missing}"
    assert [row for row in rows if row in titles] == titles


@pytest.mark.parametrize("name", SECTIONS)
def test_section_says_something_of_a_real_run(name: str, bodies: dict[str, str]) -> None:
    text = re.sub(r"<[^>]*>", " ", bodies[name])
    assert len(text.split()) >= 4, f"{name}: nothing is said"
    assert not re.search(r"\b(nan|None)\b", text), f"{name}: a value that is no text"


@pytest.mark.parametrize("name", SECTIONS)
def test_every_figure_of_a_section_is_shown_once(
    name: str, plates: dict[str, Plates], bodies: dict[str, str]
) -> None:
    assert bool(plates[name]) == (SECTIONS[name].draw is not no_plates), f"{name}: nothing drawn"
    shown = re.findall(r'<img src="([^"]+)"', bodies[name])
    assert sorted(shown) == sorted(plate.data_uri for plate in plates[name].values())


def test_no_two_figures_are_one_file(plates: dict[str, Plates]) -> None:
    drawn: list[Plate] = [plate for held in plates.values() for plate in held.values()]
    assert len({plate.name for plate in drawn}) == len(drawn)
