"""What the documents beside a report must hold: every item of TRIPOD+AI, and nothing made up."""

import re
from pathlib import Path

import pytest

from dyssync.report import write_report
from dyssync.report.documents import DOCUMENTS
from dyssync.report.documents.tripod import ITEMS, TO_WRITE
from dyssync.report.documents.tripod_answers import answers
from dyssync.report.overview import look_over
from dyssync.report.sections import SECTIONS
from dyssync.study.results import StudyResults

N_ITEMS = 27  # Collins GS et al. BMJ 2024;385:e078378, table of items
ONLY_AUTHORS_KNOW = ("2", "3a", "3b", "3c", "5b", "6a", "6b", "17", "18a", "18b", "18d", "19")


@pytest.fixture(scope="module")
def written(golden_run: StudyResults) -> dict[str, str]:
    study = look_over(golden_run)
    return {name: write(study) for name, write in DOCUMENTS.items()}


def test_all_27_items_are_there_in_their_order(written: dict[str, str]) -> None:
    rows = re.findall(r"^\| (\d+)([a-g]?) \|", written["tripod.md"], re.MULTILINE)
    numbers = list(dict.fromkeys(int(number) for number, _ in rows))
    assert numbers == list(range(1, N_ITEMS + 1))
    for number in numbers:
        letters = "".join(letter for n, letter in rows if int(n) == number)
        assert letters == "abcdefg"[: len(letters)], f"item {number}: {letters}"


def test_every_answer_belongs_to_an_item(golden_run: StudyResults) -> None:
    assert set(answers(look_over(golden_run))) <= set(ITEMS)


def test_what_a_run_cannot_know_is_left_to_the_authors(written: dict[str, str]) -> None:
    for item in ONLY_AUTHORS_KNOW:
        assert re.search(rf"^\| {item} \|.*\| {TO_WRITE}", written["tripod.md"], re.MULTILINE), item


def test_places_are_sections_of_the_report(written: dict[str, str]) -> None:
    titles = {SECTIONS[name].title for name in SECTIONS}
    assert set(re.findall(r"“([^”]+)”", written["tripod.md"])) <= titles


def test_the_card_says_research_only_simulated_and_every_model(
    written: dict[str, str], golden_run: StudyResults
) -> None:
    card = written["model_card.md"]
    assert "Not a medical device" in card
    assert "60 simulated patients" in card
    assert all(f"| {model} |" in card for model in golden_run.run.models)
    assert all(caution in card for caution in golden_run.cautions)


def test_methods_follow_the_record(written: dict[str, str], golden_run: StudyResults) -> None:
    text = written["methods.md"]
    assert "2 repeats of 2-fold cross-validation" in text
    assert golden_run.run.command in text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_written_beside_the_report_and_has_no_nan(
    name: str, golden_run: StudyResults, written: dict[str, str], tmp_path: Path
) -> None:
    assert not re.search(r"\b(nan|None)\b", written[name])
    if name == next(iter(DOCUMENTS)):  # one report is enough
        write_report(golden_run, tmp_path)
        found = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.md")}
        assert found == written
