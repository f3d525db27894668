"""The cohort table: the 15 % rule, all problems at once, splits by patient."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.cohort import pieces
from dyssync.cohort.cohort import check_cohort, read_cohort
from dyssync.cohort.corpus import check_corpus
from dyssync.cohort.digests import digest_of
from dyssync.cohort.pieces import pieces_of, read_piece
from dyssync.cohort.recordings import read_recordings
from dyssync.cohort.splits import (
    PARTS,
    Split,
    fold_patients,
    ratio_of_parts,
    split_patients,
    split_table,
)
from dyssync.cohort.table import fall_of_lvesv, is_responder
from dyssync.cohort.usable import refuse_unusable
from dyssync.ecg import ECG, Source
from dyssync.errors import CohortError


def table_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "cohort.csv")


def write(folder: Path, table: pd.DataFrame, name: str) -> Path:
    path = folder / name
    table.to_csv(path, index=False)
    return path


def test_response_is_a_fall_of_at_least_15_percent() -> None:
    assert is_responder(100, 85) == is_responder(180, 153) == 1
    assert is_responder(100, 85.1) == is_responder(100, 120) == 0


def test_read_cohort_makes_labels_from_volumes_and_keeps_other_columns(toy_cohort: Path) -> None:
    cohort = read_cohort(toy_cohort / "cohort.csv")
    assert len(cohort.inputs) == 48
    assert cohort.table["responder"].tolist() == [0, 1] * 24
    assert set(cohort.table["centre"]) == {"A"}
    assert [e.patient_id for e in cohort.inputs] == cohort.table["patient_id"].tolist()
    assert cohort.table["sha256"].str.len().eq(64).all()


def test_parquet_reads_as_csv_does(toy_cohort: Path) -> None:
    table_of(toy_cohort).to_parquet(toy_cohort / "cohort.parquet")
    as_parquet = read_cohort(toy_cohort / "cohort.parquet").table
    pd.testing.assert_frame_equal(as_parquet, read_cohort(toy_cohort / "cohort.csv").table)


def test_all_problems_are_found_at_once(toy_cohort: Path) -> None:
    table = table_of(toy_cohort).astype({"lvesv_baseline_ml": object})
    table.loc[0, "lvesv_baseline_ml"] = 0
    table.loc[1, "lvesv_followup_ml"] = np.nan
    table.loc[2, "ecg"] = "absent.hea"
    table.loc[3, "ecg"] = table.loc[4, "ecg"]
    table.loc[5, "patient_id"] = table.loc[6, "patient_id"]
    _, problems = check_cohort(write(toy_cohort, table, "broken.csv"))
    text = "\n".join(str(p) for p in problems)
    assert "row 2 (P00): lvesv_baseline_ml 0" in text
    assert "row 3 (P01): lvesv_baseline_ml 200.0, lvesv_followup_ml nan" in text
    assert "absent.hea" in text
    assert "row 6 (P04): the recording is also that of patient P03" in text
    assert "1 patients are in both classes (P06)" in text
    with pytest.raises(CohortError, match=r"broken\.csv: 5 problems"):
        read_cohort(toy_cohort / "broken.csv")


@pytest.mark.slow
def test_two_workers_find_what_one_does_in_the_same_order(toy_cohort: Path) -> None:
    table = table_of(toy_cohort)
    table.loc[2, "ecg"], table.loc[9, "ecg"] = "absent.hea", "gone.hea"
    path = write(toy_cohort, table, "two-bad.csv")
    told: list[tuple[int, int]] = []
    one, problems = check_cohort(path)
    two, same = check_cohort(path, workers=2, on_progress=lambda *n: told.append(n))
    assert problems == same
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.excluded, two.excluded)
    assert told == [(n, 48) for n in range(1, 49)]
    cohort = read_cohort(path, exclude_problems=True)
    twice = read_cohort(path, exclude_problems=True, workers=2)
    assert digest_of(cohort.inputs) == digest_of(twice.inputs)
    assert not any(ecg.signal.flags.writeable for ecg in twice.signals)


def test_a_check_keeps_no_recording(toy_cohort: Path) -> None:
    table = table_of(toy_cohort)
    rows = read_recordings(table, toy_cohort, seconds=10.0, keep=False)
    assert [row.recording for row in rows] == [None] * 48
    assert [row.fs for row in rows] == [250.0] * 48


def test_bad_rows_can_be_left_out_but_not_a_torn_patient(toy_cohort: Path) -> None:
    table = table_of(toy_cohort)
    table.loc[2, "ecg"] = "absent.hea"
    path = write(toy_cohort, table, "one-bad.csv")
    cohort = read_cohort(path, exclude_problems=True)
    assert len(cohort.inputs) == 47
    assert cohort.excluded["row"].tolist() == [4]
    table.loc[5, "patient_id"] = table.loc[6, "patient_id"]
    with pytest.raises(CohortError, match="both classes"):
        read_cohort(write(toy_cohort, table, "torn.csv"), exclude_problems=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="ecg"), "column ecg is missing"),
        (lambda t: t.drop(columns="lvesv_followup_ml"), "found lvesv_baseline_ml; needed are"),
        (lambda t: t.assign(lvesv_followup_ml=100.0), "48 responders and 0 non-responders"),
        (lambda t: t.iloc[:0], "no rows"),
    ],
)
def test_unusable_tables_are_refused(toy_cohort: Path, change: object, message: str) -> None:
    path = write(toy_cohort, change(table_of(toy_cohort)), "unusable.csv")  # type: ignore[operator]
    with pytest.raises(CohortError, match=message):
        read_cohort(path)


def test_responder_column_that_contradicts_the_volumes_is_refused(toy_cohort: Path) -> None:
    table = table_of(toy_cohort).assign(responder=1)
    with pytest.raises(CohortError, match="the volumes say 0"):
        read_cohort(write(toy_cohort, table, "contradiction.csv"))


@pytest.mark.parametrize(("no", "yes"), [("0", "1"), ("0.0", "1.0"), ("False", "True")])
def test_declared_response_is_read_however_a_spreadsheet_writes_it(
    toy_cohort: Path, no: str, yes: str
) -> None:
    table = table_of(toy_cohort).drop(columns=["lvesv_baseline_ml", "lvesv_followup_ml"])
    declared = table.assign(responder=[no, yes] * 24)
    cohort = read_cohort(write(toy_cohort, declared, f"declared-{yes}.csv"))
    assert cohort.table["responder"].tolist() == [0, 1] * 24


def test_short_recordings_are_refused(toy_cohort: Path) -> None:
    with pytest.raises(CohortError, match=r"10\.0 s of signal, 12 s needed"):
        read_cohort(toy_cohort / "cohort.csv", seconds=12.0)


def test_recordings_that_no_model_can_use_are_refused_with_all_reasons(
    toy: tuple[list[ECG], np.ndarray],
) -> None:
    signal = toy[0][0].signal.copy()
    signal[7] = 0
    ecg = ECG(signal[:, :2000], 250.0, source=Source("x.hea"))
    with pytest.raises(CohortError) as caught:
        refuse_unusable(ecg, seconds=10.0)
    assert str(caught.value) == (
        "x.hea: flat leads V2; a signal in all 12 is needed; 8.0 s of signal, 10 s needed"
    )
    short = ECG(toy[0][0].signal[:, :2499], 250.0)
    refuse_unusable(short, seconds=10.0)  # a sample short is ten seconds to every vendor


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 60), st.integers(3, 60), st.integers(0, 10_000))
def test_splits_are_disjoint_complete_and_stratified(ones: int, zeros: int, seed: int) -> None:
    labels = [1] * ones + [0] * zeros
    responses = pd.Series(labels, index=[f"p{i}" for i in range(len(labels))])
    split = split_patients(responses, seed)
    parts = {part: set(split.part(part)) for part in PARTS}
    assert sum(len(p) for p in parts.values()) == len(responses)
    assert set.union(*parts.values()) == set(responses.index)
    for part, share in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
        for label, n in ((1, ones), (0, zeros)):
            here = sum(responses[p] == label for p in parts[part])
            assert here >= 1
            assert abs(here - share * n) <= 1.5


@settings(max_examples=50, deadline=None)
@given(st.integers(5, 60), st.integers(5, 60), st.integers(1, 3), st.integers(2, 5))
def test_folds_test_everybody_once_a_repeat(ones: int, zeros: int, repeats: int, k: int) -> None:
    labels = [1] * ones + [0] * zeros
    responses = pd.Series(labels, index=[f"p{i}" for i in range(len(labels))])
    splits = fold_patients(responses, repeats, k)
    assert [s.seed for s in splits] == list(range(1, repeats * k + 1))
    for r in range(repeats):
        folds = splits[r * k : (r + 1) * k]
        assert sorted(p for s in folds for p in s.test) == sorted(responses.index)
        assert len({len(s.test) for s in folds}) <= 2
        assert max(len(s.test) for s in folds) - min(len(s.test) for s in folds) <= 1
        for split in folds:
            assert set(split.train) == set(responses.index) - set(split.test)
            assert split.validation == ()
            assert abs(sum(responses[p] for p in split.test) - ones / k) < 1
    assert splits == fold_patients(responses[::-1], repeats, k)


def test_repeats_deal_the_folds_anew_and_a_small_class_is_refused() -> None:
    responses = pd.Series([0, 1] * 20, index=[f"p{i}" for i in range(40)])
    splits = fold_patients(responses, 2, 5)
    assert {s.test for s in splits[:5]}.isdisjoint({s.test for s in splits[5:]})
    with pytest.raises(CohortError, match="a class has 4 patients; at least 5 are needed"):
        fold_patients(responses.iloc[:8], 1, 5)


def test_who_died_or_was_lost_is_counted_and_not_refused(toy_cohort: Path) -> None:
    table = table_of(toy_cohort).assign(followup="echo", age=70.0, lvef=25.0)
    table["lvesv_followup_ml"] = table["lvesv_followup_ml"].astype(object)
    for row, word in ((3, "died"), (4, " Lost"), (5, "died")):
        table.loc[row, ["followup", "lvesv_followup_ml"]] = word, None
    cohort = read_cohort(write(toy_cohort, table, "gone.csv"))
    assert len(cohort.responses) == 45
    gone = cohort.without_outcome
    assert gone["patient_id"].tolist() == ["P03", "P04", "P05"]
    assert gone["age"].tolist() == [70.0] * 3
    assert gone["nyha"].isna().all()  # the table does not say
    assert sorted(cohort.excluded["row"]) == [5, 6, 7]
    # a death that the table itself counts is no gap
    table["responder"] = None
    table.loc[3, "responder"] = "0"
    assert read_cohort(write(toy_cohort, table, "gone.csv")).responses["P03"] == 0
    table.loc[6, "followup"] = "moved"
    with pytest.raises(CohortError, match=r"row 8 \(P06\): followup is moved; echo, died, lost"):
        read_cohort(write(toy_cohort, table, "gone.csv"))


def test_a_fall_is_known_where_both_volumes_are() -> None:
    table = pd.DataFrame(
        {
            "lvesv_baseline_ml": [200, 200, None, 0, "n/a"],
            "lvesv_followup_ml": [150, None, 150, 150, 1],
        }
    )
    found = fall_of_lvesv(table)
    assert found[0] == 25.0
    assert np.isnan(found[1:]).all()
    assert np.isnan(fall_of_lvesv(table[["lvesv_baseline_ml"]])).all()


@pytest.mark.parametrize(("folds", "expected"), [(2, 1.0), (5, 0.25), (10, 1 / 9)])
def test_more_folds_test_fewer_for_each_that_they_learn_from(folds: int, expected: float) -> None:
    responses = pd.Series([0, 1, 1] * 19, index=[f"P{k}" for k in range(57)])
    table = split_table(responses, fold_patients(responses, 3, folds))
    assert ratio_of_parts(table) == pytest.approx(expected, abs=1e-15)
    table = split_table(responses, [split_patients(responses, 1)])
    assert ratio_of_parts(table) == pytest.approx(12 / 34, abs=0.03)


def test_a_class_too_small_for_its_shares_is_still_split_whole() -> None:
    responses = pd.Series([0, 1] * 5, index=[f"p{i}" for i in range(10)])
    split = split_patients(responses, 1, (0.8, 0.1, 0.1))
    assert [len(split.part(part)) for part in PARTS] == [6, 2, 2]  # 4 + 0.5 + 0.5 of each class


def test_split_depends_on_seed_not_on_row_order() -> None:
    responses = pd.Series([0, 1] * 20, index=[f"p{i}" for i in range(40)])
    assert split_patients(responses, 1) == split_patients(responses[::-1], 1)
    assert split_patients(responses, 1) != split_patients(responses, 2)


def test_split_with_a_patient_in_two_parts_cannot_be_made() -> None:
    with pytest.raises(CohortError, match="two parts"):
        Split(1, ("a", "b"), ("c",), ("a",))


def test_all_recordings_of_a_patient_stay_on_one_side(toy_cohort: Path) -> None:
    table = table_of(toy_cohort)
    table["patient_id"] = [f"P{2 * (i // 4) + i % 2}" for i in range(48)]  # two recordings each
    cohort = read_cohort(write(toy_cohort, table, "double.csv"))
    split = split_patients(cohort.responses, 1)
    rows = [set(cohort.rows_of(split.part(part))) for part in PARTS]
    assert sum(map(len, rows)) == 48
    assert len(split_table(cohort.responses, [split])) == 24


def test_corpus_that_is_not_there_is_told_as_such_before_anything_is_read(
    toy_cohort: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.csv").write_text("note\nhello\n")
    for name, message in [
        ("nonexist", "nonexist: no such file or folder; a table or a folder"),
        ("absent.csv", r"absent\.csv: no such file or folder"),
        ("empty", "empty: the folder is empty"),
        ("notes.csv", r"notes\.csv: column ecg is missing"),
    ]:
        for refuse in (check_corpus, pieces_of):
            with pytest.raises(CohortError, match=message):
                refuse(tmp_path / name)
    for name in ("corpus", "cohort.csv"):
        check_corpus(toy_cohort / name)


def test_real_cohort_is_read_whole(shared_data: Path) -> None:
    cohort = read_cohort(shared_data / "ludb" / "cohort_lvh.csv")
    assert len(cohort.inputs) == 160
    assert cohort.responses.sum() == 89
    assert cohort.inputs[0].sex == "F"


def followed_up(folder: Path) -> pd.DataFrame:
    """Return the toy table with one patient who died, whose LVEF is known."""
    table = table_of(folder).assign(followup="echo", lvef=25.0)
    table.loc[2, "followup"], table.loc[2, "lvesv_followup_ml"] = "Died ", np.nan
    return table


def test_a_patient_with_an_outcome_in_one_row_cannot_have_died_in_another(toy_cohort: Path) -> None:
    table = followed_up(toy_cohort)
    table.loc[2, "patient_id"] = table.loc[4, "patient_id"]
    path = write(toy_cohort, table, "torn.csv")
    with pytest.raises(CohortError, match=r"1 patients have rows that differ in followup \(P04\)"):
        read_cohort(path, exclude_problems=True)


def test_a_fact_of_the_dead_that_cannot_be_is_told_and_never_counted(toy_cohort: Path) -> None:
    table = followed_up(toy_cohort)
    table.loc[2, "lvef"] = 3.0
    path = write(toy_cohort, table, "dead.csv")
    with pytest.raises(CohortError, match=r"row 4 \(P02\): lvef is 3.0; 5 to 80 % is needed"):
        read_cohort(path)
    cohort = read_cohort(path, exclude_problems=True)
    assert cohort.without_outcome["patient_id"].tolist() == ["P02"]
    assert cohort.without_outcome["lvef"].isna().all()
    assert cohort.excluded["reason"].tolist() == ["died before the echo at follow-up"]


def test_a_row_with_two_problems_is_left_out_once_with_both_reasons(toy_cohort: Path) -> None:
    table = table_of(toy_cohort).astype({"lvesv_baseline_ml": object})
    table.loc[0, ["lvesv_baseline_ml", "ecg"]] = 0, "absent.hea"
    cohort = read_cohort(write(toy_cohort, table, "twice.csv"), exclude_problems=True)
    assert len(cohort.excluded) == 1
    assert cohort.excluded["reason"].str.contains("volumes.*; .*absent.hea").all()
    assert len(cohort.table) + len(cohort.excluded) == len(table)


def test_what_one_row_tells_of_a_patient_holds_for_all_of_his_rows(toy_cohort: Path) -> None:
    table = table_of(toy_cohort).assign(lvef=[20.0] + [np.nan] * 47, responder=[0, 1] * 24)
    table.loc[2, "patient_id"] = table.loc[0, "patient_id"]
    table.loc[2, "lvesv_followup_ml"] = np.nan
    cohort = read_cohort(write(toy_cohort, table, "facts.csv"))
    assert [ecg.clinical.get("lvef") for ecg in cohort.signals[:4]] == [20.0, None, 20.0, None]
    assert cohort.falls[2] == cohort.falls[0]
    assert np.isfinite(cohort.falls).all()


def test_the_facts_of_a_corpus_are_read_as_strictly_as_those_of_a_cohort(
    toy_cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted(path.name for path in (toy_cohort / "corpus").glob("*.hea"))[:4]
    table = pd.DataFrame(
        {"ecg": files, "sex": ["H", "M", "", "Mujer"], "age": [61, 70, "old", ">89"]}
    )
    path = toy_cohort / "corpus" / "facts.csv"
    table.to_csv(path, index=False)
    try:
        for size in (256, 1):  # "M" may be a woman beside "H" (hombre), also in another piece
            monkeypatch.setattr(pieces, "PIECE", size)
            read = [read_piece(piece) for piece in pieces_of(path)]
            ecgs = [row.ecg for rows, _ in read for row in rows]
            problems = [problem for _, found in read for problem in found]
            told = {problem.row for problem in problems}
            assert told == {2, 3, 4}, problems
            assert [(ecg.sex, ecg.age) for ecg in ecgs] == [("F", 90.0)]
    finally:
        path.unlink()
