"""One patient once: ids as they are written, and recordings known again by what they show."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dyssync.cohort.cohort import CohortTable, check_cohort
from dyssync.cohort.likeness import ALIKE, fingerprint
from dyssync.cohort.table import Problem, read_table
from dyssync.ecg import ECG
from dyssync.errors import CohortError
from dyssync.formats import read_ecg, write_ecg
from dyssync.inspection.page import LAYOUT, PageKind
from dyssync.rendering import PageOptions


def check(folder: Path, text: str) -> tuple[CohortTable, list[Problem]]:
    path = folder / "people.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return check_cohort(path)


def rows(ids: list[str]) -> str:
    lines = [f"{patient},rec{k:02d}.hea,{k % 2}" for k, patient in enumerate(ids)]
    return "\n".join(["patient_id,ecg,responder", *lines]) + "\n"


def test_words_for_nothing_are_ids_in_quotes_and_nothing_without(toy_cohort: Path) -> None:
    ids = ['"NA"', '"null"', '"None"', "007", "1e5", "b", "c", "NA"]
    found, problems = check(toy_cohort, rows(ids))
    assert [(p.row, p.text) for p in problems] == [(9, "column patient_id is empty")]
    assert found.table["patient_id"].tolist() == ["NA", "null", "None", "007", "1e5", "b", "c"]


@pytest.mark.parametrize(
    "patient", ["P\r1", "P\n1", "P\x001", "P\x1b[31m1", "P\u202e1", "P\u200b1"]
)
def test_an_id_that_cannot_be_seen_whole_is_a_problem(toy_cohort: Path, patient: str) -> None:
    ids = [f"p{k}" for k in range(8)]
    ids[3] = f'"{patient}"'
    found, problems = check(toy_cohort, rows(ids))
    (problem,) = problems
    assert problem.row == 5
    assert "cannot be seen" in problem.text
    assert str(problem).isprintable()
    assert len(found.table) == 7


def test_ids_that_differ_in_case_width_or_blanks_are_problems(toy_cohort: Path) -> None:
    found, problems = check(
        toy_cohort, rows(["p1", "P1", "a b", "ab", "ｐ１", "q1", "q2", "q3", "q4", "q5", "q6"])
    )
    assert [p.row for p in problems] == [3, 5, 6]
    assert all("one spelling a patient is needed" in p.text for p in problems)
    assert "p1 (row 2)" in problems[0].text
    assert len(found.table) == 8


def rounded(ecg: ECG) -> ECG:
    return replace(ecg, signal=np.round(ecg.signal / 0.005) * 0.005)


def halved(ecg: ECG) -> ECG:
    return ECG((ecg.signal[:, ::2] + ecg.signal[:, 1::2]) / 2, ecg.fs / 2)


def scaled(ecg: ECG) -> ECG:
    return replace(ecg, signal=ecg.signal * np.float32(0.5))


@pytest.mark.parametrize("change", [replace, rounded, halved, scaled])
@pytest.mark.parametrize("format", ["edf", "csv"])
def test_one_recording_under_two_patients_is_found_by_its_samples(
    toy_cohort: Path, tmp_path: Path, change: Callable[[ECG], ECG], format: str
) -> None:
    for path in toy_cohort.glob("rec*"):
        shutil.copy(path, tmp_path / path.name)
    again = change(read_ecg(tmp_path / "rec02.hea"))
    other = write_ecg(again, tmp_path, "other", format)
    text = rows([f"p{k}" for k in range(8)]).replace("rec05.hea", other.name)
    _, (problem,) = check(tmp_path, text)
    assert (problem.row, problem.patient_id) == (7, "p5")
    assert "the recording is also that of patient p2 (row 4)" in problem.text


def test_no_two_people_have_recordings_that_are_alike(toy: tuple[list[ECG], np.ndarray]) -> None:
    prints = np.array([fingerprint(ecg) for ecg in toy[0]], dtype=np.float32)
    alike = prints @ prints.T
    np.testing.assert_allclose(np.diag(alike), 1, atol=1e-2)
    assert alike[~np.eye(len(prints), dtype=bool)].max() < ALIKE


def test_one_picture_under_two_names_is_found_by_its_pixels(
    toy: tuple[list[ECG], np.ndarray], tmp_path: Path
) -> None:
    from PIL import Image

    page = PageKind(LAYOUT, kind="png").draw(toy[0][0], PageOptions())
    (tmp_path / "a.png").write_bytes(page)
    Image.open(tmp_path / "a.png").convert("RGB").save(tmp_path / "b.bmp")
    text = "patient_id,ecg,responder\np1,a.png,1\np2,b.bmp,0\n"
    _, problems = check(tmp_path, text)
    assert "also that of patient p1 (row 2)" in next(p.text for p in problems if p.row == 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"patient_id,ecg" + b",x" * 300_000 + b"\n", "300002 columns; at most 2000 are read"),
        (b"patient_id,ecg,x,y,z\n" + b",,,,\n" * 1_000_001, "1000001 rows of 5 columns|1000002"),
        (b"patient_id,ecg\na,b\n\xff\xfe,c\n", "no text in UTF-8"),
        (b"patient_id,ecg\na,b,c\n", "more cells than the header|line 2 has 3 cells"),
        (b"patient_id,ecg\na,b\na,b,c,d\n", "line 3 has 4 cells, the header 2|more cells"),
        (b'patient_id,ecg\n"a,b\n', "no readable table"),
        (b"", "the file is empty"),
        (b"\n\n\n", "empty|no rows"),
    ],
)
def test_a_table_that_is_none_is_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(CohortError, match=message) as refused:
        read_table(path)
    assert str(refused.value).isprintable()


def test_a_table_of_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(3_000_000_000)
        with pytest.raises(CohortError, match="3000 MB; at most 100 MB are read"):
            read_table(tmp_path / name)


def test_wide_and_damaged_parquet_tables_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame(np.zeros((1, 2001))).rename(columns=str).to_parquet(path)
    with pytest.raises(CohortError, match="2001 columns; at most 2000"):
        read_table(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CohortError, match="no readable table"):
        read_table(path)
