"""An archive scored: a row an ECG, whatever is broken, killed, changed or asked again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from dyssync.cli import main
from dyssync.ecg import ECG, LEADS
from dyssync.errors import ConfigError, FormatError
from dyssync.formats import read_ecg
from dyssync.formats.wfdb import write_wfdb
from dyssync.layouts import LAYOUTS
from dyssync.prediction.bundle import Bundle, load_bundle
from dyssync.prediction.predictor import Predictor
from dyssync.rendering import render_page
from dyssync.rendering.png import encode_png
from dyssync.scoring import Asked, Scored, archive, pieces_of, score_archive
from dyssync.scoring.scorer import Item, lost
from dyssync.whole import mark
from small_bundle import make_bundle

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("scoring")


@pytest.fixture(scope="module")
def bundle(toy: tuple[list[ECG], np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(make_bundle(*toy, tmp_path_factory.mktemp("scoring")))


@pytest.fixture
def files(
    toy: tuple[list[ECG], np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An archive of 20 ECGs in two folders and two files that are none, in several pieces."""
    monkeypatch.setattr(archive, "TYPICAL", 4)
    folder = tmp_path / "ecgs"
    for k, ecg in enumerate(toy[0][:20]):
        home = folder / ("a" if k < 10 else "b")
        home.mkdir(parents=True, exist_ok=True)
        write_wfdb(replace(ecg, patient_id="SECRET-1"), home, f"rec{k:02d}")
    (folder / "a" / "notes.xml").write_text("<notes/>")
    (folder / "empty.edf").touch()
    return folder


def score(archive: Path, out: Path, bundle: Bundle, **given: object) -> Scored:
    asked = Asked(bundle, **{k: given.pop(k) for k in ("models", "id_column") if k in given})  # type: ignore[arg-type]
    return score_archive(archive, out, asked, **given)  # type: ignore[arg-type]


def table_of(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "scores.parquet").set_index("id").sort_index()


def bytes_of(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "scores.parquet").iterdir()}


def test_a_row_says_what_a_prediction_says_and_a_bad_file_why_there_is_none(
    files: Path, tmp_path: Path, bundle: Bundle
) -> None:
    done = score(files, tmp_path / "out", bundle, models=("lightgbm", "qrs-area"))
    assert (done.ecgs, done.failed) == (22, 2)
    assert done.shards > 2
    table = table_of(tmp_path / "out")
    assert len(table) == 22
    ecg = read_ecg(files / "a" / "rec03.hea")
    said = Predictor(bundle, ["lightgbm", "qrs-area"]).predict(ecg)
    row = table.loc["a/rec03.hea"]
    assert row["sha256"] == ecg.source.sha256
    assert row["probability"] == row["lightgbm_probability"]
    assert row["probability"] == said.models["lightgbm"].probability
    assert row["qrs_area_set_80"] == said.models["qrs-area"].set_80
    assert row["low"] <= row["probability"] <= row["high"]
    assert tuple(row["cautions"]) == said.cautions
    assert row["snr_db"] > 0
    bad = table[table["failure"].notna()]
    assert list(bad.index) == ["a/notes.xml", "empty.edf"]
    assert bad["probability"].isna().all()
    assert sorted(done.problems) == [f"{k}: {bad.loc[k, 'failure']}" for k in bad.index]
    assert not any(b"SECRET" in held for held in bytes_of(tmp_path / "out").values())


def test_a_page_is_read_off_before_it_is_asked_who_answers(
    toy: tuple[list[ECG], np.ndarray], tmp_path: Path, bundle: Bundle
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    page = render_page(toy[0][0].signal, toy[0][0].fs, LAYOUTS["3x4"])
    (folder / "page.png").write_bytes(encode_png(page))
    noise = np.random.default_rng(0).integers(0, 255, (400, 600, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    for name, models in (("one", ()), ("own", ("lightgbm", "qrs-area"))):
        score(folder, tmp_path / name, bundle, models=models)
        table = table_of(tmp_path / name)
        assert table["probability"].notna().to_dict() == {"noise.png": False, "page.png": True}
        assert (table["probability"].isna() == table["failure"].notna()).all()
        assert (table["model"].notna() == table["probability"].notna()).all()


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_number_of_workers(
    files: Path, tmp_path: Path, bundle: Bundle
) -> None:
    for workers in (1, 2):
        score(files, tmp_path / str(workers), bundle, workers=workers)
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "2")


def test_what_was_interrupted_goes_on_with_the_same_bytes(
    files: Path, tmp_path: Path, bundle: Bundle
) -> None:
    def interrupt(done: int, seen: int) -> None:
        if done > 8:
            raise KeyboardInterrupt

    whole = score(files, tmp_path / "whole", bundle)
    with pytest.raises(KeyboardInterrupt):
        score(files, tmp_path / "broken", bundle, on_progress=interrupt)
    shards = tmp_path / "broken" / "scores.parquet"
    (shards / ".x.dyssync-4194304-1.part").touch()  # of a killed one
    first = next(shards.glob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-40])  # the power failed
    done = score(files, tmp_path / "broken", bundle)
    assert 0 < done.kept < done.shards
    assert (done.ecgs, done.failed) == (whole.ecgs, whole.failed)
    assert bytes_of(tmp_path / "broken") == bytes_of(tmp_path / "whole")


def test_only_what_has_changed_is_scored_again(
    files: Path, tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = score(files, out, bundle)
    before = bytes_of(out)
    asked: list[str] = []
    predict = Predictor.predict

    def counted(self: Predictor, ecg: ECG, names: list[str] | None = None) -> object:
        asked.append(ecg.source.name)
        return predict(self, ecg, names)

    monkeypatch.setattr(Predictor, "predict", counted)
    assert score(files, out, bundle) == replace(first, kept=first.shards)
    (files / "b" / "rec13.dat").touch()  # another time, the same content
    assert score(files, out, bundle).kept == first.shards - 1
    assert asked == []
    assert bytes_of(out) == before
    starts = {piece.entries[0].id for piece in pieces_of(files)}
    gone = next(name for name in table_of(out).index if ".hea" in name and name not in starts)
    (files / gone).unlink()
    (files / gone).with_suffix(".dat").unlink()
    write_wfdb(read_ecg(files / "b" / "rec19.hea"), files / "a", "rec00b")  # it starts no piece
    score(files, out, bundle)
    assert asked == ["rec00b.hea"]
    assert set(table_of(out).index) & {gone, "a/rec00b.hea"} == {"a/rec00b.hea"}
    assert any(before.get(name) == held for name, held in bytes_of(out).items())
    score(files, tmp_path / "anew", bundle)
    assert bytes_of(out) == bytes_of(tmp_path / "anew")


def test_an_altered_score_is_made_anew_and_not_vouched_for(
    files: Path, tmp_path: Path, bundle: Bundle
) -> None:
    out = tmp_path / "out"
    score(files, out, bundle)
    before = bytes_of(out)
    shard = max((out / "scores.parquet").glob("*.parquet"), key=lambda p: pq.read_table(p).num_rows)
    rows = pq.read_table(shard)
    forged = [None if p is None else 1 - p for p in rows["probability"].to_pylist()]
    at = rows.schema.get_field_index("probability")
    pq.write_table(rows.set_column(at, "probability", pa.array(forged, pa.float64())), shard)
    assert bytes_of(out) != before
    score(files, out, bundle)
    assert bytes_of(out) == before


def test_every_file_stands_in_one_piece_and_one_more_changes_no_other(files: Path) -> None:
    before = {piece.name: piece for piece in pieces_of(files)}
    ids = [entry.id for piece in before.values() for entry in piece.entries]
    assert len(set(ids)) == len(ids) == 22
    write_wfdb(read_ecg(files / "a" / "rec00.hea"), files / "a", "rec00b")
    after = {piece.name: piece for piece in pieces_of(files)}
    assert len(set(before.values()) - set(after.values())) == 1


@pytest.fixture
def shards(toy: tuple[list[ECG], np.ndarray], tmp_path: Path) -> Path:
    """Two Parquet shards of 5 rows each, the second with rows that cannot be used."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for k in range(2):
        ecgs = toy[0][5 * k : 5 * k + 5]
        rows = [np.rint(e.signal * 1000).astype(np.int32).ravel().tolist() for e in ecgs]
        if k:
            rows[1], rows[2] = None, rows[2][:-1]  # type: ignore[call-overload]
        columns = {
            "study": [f"S{k}{i}" for i in range(5)],
            "patient_id": ["SECRET"] * 5,
            "age": [60.0, 71.0, None, 999.0 if k else 55.0, 64.0],
            "fs": [e.fs for e in ecgs],
            "signal": rows,
        }
        table = pa.table(columns, metadata={"unit": "uV", "leads": " ".join(LEADS)})
        pq.write_table(table, folder / f"shard-{k}.parquet", row_group_size=3)
    return folder


def test_rows_of_shards_are_scored_as_files_are(
    shards: Path, tmp_path: Path, bundle: Bundle, toy: tuple[list[ECG], np.ndarray]
) -> None:
    done = score(shards, tmp_path / "out", bundle, id_column="study")
    table = table_of(tmp_path / "out")
    assert list(table.index) == [f"S{k}{i}" for k in range(2) for i in range(5)]
    assert list(table.index[table["failure"].notna()]) == ["S11", "S12", "S13"]
    assert (done.ecgs, done.failed) == (10, 3)
    assert "age" in table.loc["S13", "failure"]
    write_wfdb(toy[0][9], tmp_path, "same")  # rounded to the same microvolts
    same = Predictor(bundle).predict(read_ecg(tmp_path / "same.hea"))
    found = table.loc["S14"]
    assert found["probability"] == pytest.approx(same.models[found["model"]].probability, abs=0.02)
    assert not any(b"SECRET" in held for held in bytes_of(tmp_path / "out").values())


@pytest.mark.parametrize(("last", "failed"), [("H", 4), ("F", 0)])
def test_a_letter_means_what_the_whole_column_of_a_shard_says(
    last: str, failed: int, shards: Path, tmp_path: Path, bundle: Bundle
) -> None:
    """M beside H is no man, also where the H stands in another row group."""
    (shards / "shard-1.parquet").unlink()
    table = pq.read_table(shards / "shard-0.parquet")
    column = pa.array(["M"] * 4 + [last])
    pq.write_table(table.append_column("sex", column), shards / "shard-0.parquet", row_group_size=3)
    score(shards, tmp_path / "out", bundle)
    found = table_of(tmp_path / "out")["failure"]
    assert found.iloc[:4].notna().sum() == failed


def test_beside_the_mark_of_a_corpus_only_its_shards_are_read(shards: Path) -> None:
    mark(shards, "corpus", finished=True)
    (shards / "README.md").write_text("about the shards")
    found = {entry.id for piece in pieces_of(shards) for entry in piece.entries}
    assert found == {"shard-0.parquet", "shard-1.parquet"}


def test_without_an_id_column_a_row_is_called_by_its_file_and_place(
    shards: Path, tmp_path: Path, bundle: Bundle
) -> None:
    score(shards, tmp_path / "out", bundle)
    assert list(table_of(tmp_path / "out").index)[3:6] == [
        "shard-0.parquet:3",
        "shard-0.parquet:4",
        "shard-1.parquet:0",
    ]
    score(shards, tmp_path / "other", bundle, id_column="nobody")
    failures = table_of(tmp_path / "other")["failure"]
    assert len(failures) == 10
    assert failures.str.startswith("no column nobody; it has").all()


def test_a_process_that_ends_is_a_failure_of_what_it_had_in_hand(shards: Path) -> None:
    entries = [entry for piece in pieces_of(shards) for entry in piece.entries]
    found = [row["id"] for entry in entries for row in lost(Item(7, entry, {}))[1]]
    assert found == [f"shard-{k}.parquet:{i}" for k in range(2) for i in range(5)]


def test_a_place_of_something_else_is_refused_and_other_scores_only_replaced_when_forced(
    files: Path, tmp_path: Path, bundle: Bundle
) -> None:
    with pytest.raises(ConfigError, match="lies in the archive"):
        score(files, files / "scores", bundle)
    with pytest.raises(ConfigError, match="holds something else"):
        score(files, tmp_path, bundle)
    with pytest.raises(FormatError, match="no such folder"):
        score(tmp_path / "nowhere", tmp_path / "out", bundle)
    out = tmp_path / "out"
    score(files / "a", out, bundle)
    with pytest.raises(ConfigError, match="another bundle, or other options"):
        score(files / "a", out, bundle, models=("ridge",))
    score(files / "a", out, bundle, models=("ridge",), force=True)
    assert "ridge_probability" in table_of(out)


def test_the_command_line_scores_an_archive(
    files: Path, tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["predict", str(bundle.folder), str(files)]
    assert main([*call, "--out", str(tmp_path / "out"), "--workers", "1"]) == 3
    told = capsys.readouterr()
    assert "20 scored, 2 failed; all: column failure" in told.err
    assert "22 ECGs in" in told.out
    for wrong in (["--id", "x"], ["--workers", "2"], ["--executor", "ray"]):
        assert main([*call, *wrong]) == 2
        assert "of an archive, which --out scores" in capsys.readouterr().err
    assert main([*call, str(files), "--out", str(tmp_path / "two")]) == 2
    assert "one archive at a time" in capsys.readouterr().err
