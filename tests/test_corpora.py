"""Corpora made of files: each recording once, added to, resumed, the same whoever makes them."""

import io
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from dyssync.cli import main
from dyssync.cohort import adding, gathering, stores
from dyssync.cohort.adding import Added, add_to_corpus
from dyssync.cohort.gathering import Sources
from dyssync.cohort.manifests import read_manifests
from dyssync.cohort.shards import Row, read_shard, shards_of, write_shard
from dyssync.cohort.stores import Remote, StoreError
from dyssync.ecg import ECG, Doubt
from dyssync.errors import CohortError, InputError
from dyssync.formats import list_files
from dyssync.pretraining.preparing import prepare_material
from dyssync.workers import each_for_itself


@pytest.fixture
def archive(toy_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve recordings of five seconds' pieces, one of them twice, and two that are no ECG."""
    monkeypatch.setattr(gathering, "SHARD", 5)
    folder = tmp_path / "archive"
    shutil.copytree(toy_cohort / "corpus", folder)
    shutil.copy(folder / "c03.dat", folder / "d03.dat")
    (folder / "d03.hea").write_text((folder / "c03.hea").read_text().replace("c03", "d03"))
    (folder / "a.csv").write_text("no,ecg\n1,2\n")
    (folder / "c07.dat").write_bytes(b"")
    return folder


def add(folder: Path, corpus: Path, **given: object) -> Added:
    return add_to_corpus(corpus, Sources(files=list_files(folder)), **given)  # type: ignore[arg-type]


def bytes_of(corpus: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in corpus.iterdir()}


def test_a_corpus_holds_each_recording_once_whoever_makes_it(archive: Path, tmp_path: Path) -> None:
    added = add(archive, tmp_path / "one")
    assert (added.recordings, added.duplicates, added.total) == (11, 1, 11)
    assert [line.split(":")[0].rpartition("/")[2] for line in added.problems] == [
        "a.csv",
        "c07.hea",
    ]
    assert add(archive, tmp_path / "two", workers=2) == added
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")
    ids = [row.ecg.patient_id for path in shards_of(tmp_path / "one") for row in read_shard(path)]
    assert ids == [f"c{k:02d}" for k in range(12) if k != 7]


def test_added_again_nothing_is_read_and_what_is_wrong_is_said_again(
    archive: Path, tmp_path: Path
) -> None:
    first = add(archive, tmp_path / "c")
    before = bytes_of(tmp_path / "c")
    again = add(archive, tmp_path / "c")
    assert again == replace(first, recordings=0, duplicates=0, known=12)
    assert bytes_of(tmp_path / "c") == before
    shutil.copytree(archive, tmp_path / "copy")
    moved = add(tmp_path / "copy", tmp_path / "c")  # the same recordings at another place
    assert (moved.recordings, moved.duplicates, moved.known) == (0, 12, 0)
    assert {n: d for n, d in bytes_of(tmp_path / "c").items() if n in before and n[:2] == "sh"} == {
        n: d for n, d in before.items() if n[:2] == "sh"
    }
    shutil.copy(archive / "c06.dat", archive / "c07.dat")
    os.truncate(archive / "c07.dat", (archive / "c07.dat").stat().st_size - 24 * 5)
    header = archive / "c07.hea"
    header.write_text(header.read_text().replace(" 2500", " 2495", 1))
    mended = add(archive, tmp_path / "c")
    assert mended.known == 12
    assert mended.recordings + len(mended.problems) == 2  # now read, or refused for another reason


class Stop(Exception):  # noqa: N818 - stands for a killed process
    pass


@pytest.mark.parametrize("at", [5, 10])
def test_killed_anywhere_the_same_call_leaves_the_same_bytes(
    at: int, archive: Path, tmp_path: Path
) -> None:
    add(archive, tmp_path / "whole")

    def stop(done: int, of: int) -> None:
        if done == at:
            raise Stop

    with pytest.raises(Stop):
        add(archive, tmp_path / "cut", on_progress=stop)
    left = sorted((tmp_path / "cut").glob("*.parquet"))
    # killed between a shard and its manifest, and in the middle of another
    left[-1].with_suffix(".json").unlink()
    (tmp_path / "cut" / ".adding-x").mkdir()
    told: list[int] = []
    add(archive, tmp_path / "cut", on_progress=lambda done, of: told.append(done))
    assert told[0] == {5: 0, 10: 4}[at]  # of the first five one gave nothing
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(archive: Path, tmp_path: Path) -> None:
    add(archive, tmp_path / "whole")

    killed: list[int] = []

    def kill_one(done: int, of: int) -> None:
        if done == 5:
            for found in Path("/proc/self/task").glob("*/children"):
                for pid in found.read_text().split():
                    if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        os.kill(int(pid), signal.SIGKILL)
                        killed.append(int(pid))
                        return

    add(archive, tmp_path / "hit", workers=2, on_progress=kill_one)
    assert len(killed) == 1
    assert bytes_of(tmp_path / "hit") == bytes_of(tmp_path / "whole")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_verb_reads_in_another_process_whoever_works(
    workers: str, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that ends its process ends no command."""
    asked = []

    def here(*given: object, workers: int, apart: bool) -> Iterator[object]:
        asked.append((workers, apart))
        return each_for_itself(*given, workers=1)  # type: ignore[arg-type]

    monkeypatch.setattr(adding, "each_for_itself", here)
    call = ["corpus", "add", str(archive / "c00.hea"), "--out", str(tmp_path / "c")]
    assert main([*call, "--workers", workers]) == 0
    assert asked == [(int(workers), True)]


def test_names_that_are_no_text_and_links_to_themselves_stop_nobody(
    archive: Path, tmp_path: Path
) -> None:
    named = os.fsdecode(b"caf\xe9")
    shutil.copy(archive / "c00.dat", archive / f"{named}.dat")
    header = (archive / "c00.hea").read_bytes().replace(b"c00", b"caf\xe9")
    (archive / f"{named}.hea").write_bytes(header)
    (archive / "c01.lnk").symlink_to("c01.lnk")
    files = [archive / "c01.hea", archive / f"{named}.hea"]
    first = add_to_corpus(tmp_path / "c", Sources(files=files))
    assert first.recordings + len(first.problems) == 2
    assert add_to_corpus(tmp_path / "c", Sources(files=files)).known == first.recordings


def test_a_letter_means_what_its_whole_column_says(archive: Path, tmp_path: Path) -> None:
    """M beside H is no man, also where the H stands in another batch."""
    table = archive / "people.csv"
    files = [f"c{k:02d}.hea" for k in (0, 1, 2, 4, 5, 6)]
    for sexes in (["M"] * 5 + ["H"], ["M"] * 5 + ["F"]):
        pd.DataFrame({"ecg": files, "sex": sexes}).to_csv(table, index=False)
        corpus = tmp_path / sexes[-1]
        added = add_to_corpus(corpus, Sources(tables=[table]))
        rows = (
            [row.ecg for path in shards_of(corpus) for row in read_shard(path)]
            if (added.recordings)
            else []
        )
        men = [ecg.patient_id for ecg in rows if ecg.sex == "M"]
        assert len(men) == (5 if sexes[-1] == "F" else 0)
        assert len(rows) + len(added.problems) == 6


def test_shards_that_nobody_vouches_for_are_not_removed(archive: Path, tmp_path: Path) -> None:
    far = Remote(f"fsspec+file://{tmp_path / 'far'}")
    (tmp_path / "far").mkdir()
    for name in ("shard-000000.parquet", "shard-7.parquet", "shard-mine.parquet"):
        (tmp_path / "far" / name).write_bytes(b"another's")
    before = bytes_of(tmp_path / "far")
    with pytest.raises(InputError, match="shards without a manifest"):
        add(archive, far)  # type: ignore[arg-type]
    assert bytes_of(tmp_path / "far") == before
    add(archive, tmp_path / "c")
    for name in ("shard-7.parquet", "shard-mine.parquet", "shard-000009.parquet"):
        (tmp_path / "c" / name).write_bytes(b"")
    (tmp_path / "c" / "shard-000000.json").rename(tmp_path / "kept.json")
    with pytest.raises(InputError, match="missing"):
        add(archive, tmp_path / "c")
    there = bytes_of(tmp_path / "c").keys()
    assert there >= {"shard-7.parquet", "shard-mine.parquet", "shard-000000.parquet"}
    assert "shard-000009.parquet" not in there


def test_a_store_that_fails_while_it_is_read_is_no_damage(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(archive, tmp_path / "c")
    held = (tmp_path / "c" / "shard-000000.parquet").read_bytes()

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() < len(held) // 2:  # its footer is read
                raise OSError("connection reset")
            return super().read(size)

    class Store:
        def open_input_file(self, path: str) -> io.BytesIO:
            return kind(held if kind is Failing else held[:900] + b"x" * 400 + held[1300:])

    kind: type[io.BytesIO] = Failing
    monkeypatch.setattr(stores, "_opened", lambda uri: (Store(), "path"))
    with pytest.raises(StoreError, match="connection reset"):
        list(read_shard(Remote("s3://a/shard-000000.parquet")))
    kind = io.BytesIO
    with pytest.raises(CohortError, match="damaged"):
        list(read_shard(Remote("s3://a/shard-000000.parquet")))


def test_a_row_gives_back_the_recording_its_digest_and_its_doubts(
    toy: tuple[list[ECG], np.ndarray], tmp_path: Path
) -> None:
    doubt = Doubt("limb leads", ("I", "aVR"), "I is upside down", "withhold")
    far = replace(toy[0][0], signal=toy[0][0].signal + np.float32(300.0))  # electrode offsets
    short = replace(toy[0][1], signal=toy[0][1].signal[:, :777], age=61.5, sex="F", doubts=(doubt,))
    write_shard(tmp_path / "shard-000000.parquet", [Row(far, digest="ab" * 32), Row(short)])
    back = list(read_shard(tmp_path / "shard-000000.parquet"))
    for wrote, row in zip((far, short), back, strict=True):
        np.testing.assert_allclose(row.ecg.signal, wrote.signal, atol=5.5e-4)
        assert np.isnan(row.heart).all()
    assert back[0].digest == "ab" * 32
    assert back[1].ecg.doubts == (doubt,)
    assert (back[1].ecg.age, back[1].ecg.sex, back[1].ecg.fs) == (61.5, "F", short.fs)


def test_an_encoder_knows_the_recordings_of_a_corpus_again_in_their_files(
    archive: Path, tmp_path: Path
) -> None:
    add(archive, tmp_path / "c")
    of_files, _ = prepare_material([archive], tmp_path / "cache")
    of_shards, problems = prepare_material([tmp_path / "c"], tmp_path / "cache")
    assert problems == []
    assert not of_shards.parts[0].simulated
    for column in ("patients", "recordings"):
        held = {bytes(key) for key in of_shards.keys(column)}
        assert held <= {bytes(key) for key in of_files.keys(column)}
        assert len(held) == 11
    for row in range(11):  # to the microvolt that a shard holds
        np.testing.assert_allclose(
            of_shards.signal(row, "3x4"), of_files.signal(row, "3x4"), atol=2.1e-3
        )


def test_tables_and_other_corpora_are_added_with_what_they_tell(
    archive: Path, tmp_path: Path
) -> None:
    table = archive / "people.csv"
    pd.DataFrame(
        {"ecg": ["c00.hea", "c01.hea"], "patient_id": ["007", "b"], "age": [70, 81]}
    ).to_csv(table, index=False)
    assert gathering.kind_of(table) == "tables"
    assert gathering.kind_of(archive / "a.csv") == "tables"  # it has a column ecg
    add_to_corpus(tmp_path / "people", Sources(tables=[table]))
    add(archive, tmp_path / "c")
    added = add_to_corpus(tmp_path / "c", Sources(shards=[tmp_path / "people"]))
    assert (added.recordings, added.duplicates) == (0, 2)
    fresh = add_to_corpus(tmp_path / "new", Sources(shards=[tmp_path / "people", tmp_path / "c"]))
    assert (fresh.recordings, fresh.duplicates) == (11, 2)
    rows = [row for path in shards_of(tmp_path / "new") for row in read_shard(path)]
    assert [(r.ecg.patient_id, r.ecg.age) for r in rows[:3]] == [
        ("007", 70.0),
        ("b", 81.0),
        ("c02", None),
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: (c / "shard-000000.json").unlink(),
        lambda c: (c / "shard-000001.json").write_text("{}"),
        lambda c: (c / "dyssync.json").write_text('{"made_by": "dyssync", "kind": "study"}'),
    ],
)
def test_a_damaged_corpus_or_another_folder_is_one_line(
    spoil: Callable[[Path], None], archive: Path, tmp_path: Path
) -> None:
    add(archive, tmp_path / "c")
    spoil(tmp_path / "c")
    with pytest.raises(InputError) as caught:
        add(archive, tmp_path / "c")
    assert "\n" not in str(caught.value)


def test_pandas_reads_what_the_documentation_says(archive: Path, tmp_path: Path) -> None:
    add(archive, tmp_path / "c")
    shard, manifest = tmp_path / "c" / "shard-000000.parquet", read_manifests(tmp_path / "c")[0]
    table = pd.read_parquet(shard)
    assert (
        len(table) == len(manifest.digests) == manifest.digests.index(table["digest"].iloc[-1]) + 1
    )
    signal = np.stack(table["signal"].to_list()).reshape(len(table), 12, -1)
    assert signal.dtype == np.int32
    text = (Path(__file__).parents[1] / "docs" / "corpora.md").read_text()
    for name in pq.read_schema(shard).names:
        assert f"`{name}`" in text or name.startswith("heart_")


def test_the_verb_lists_what_failed(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "c"
    assert main(["corpus", "add", str(archive), "--out", str(out), "--workers", "1"]) == 3
    told = capsys.readouterr()
    assert told.out.startswith(f"{out}: 11 ECGs, 11 of them new; 1 there already")
    assert told.err.count("error: ") == 2
    assert "11 in the corpus, 2 failed" in told.err
    assert json.loads((out / "dyssync.json").read_text())["kind"] == "ecg corpus"


def test_machines_of_a_cluster_need_a_folder_that_all_see(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["corpus", "add", str(archive), "--out", "s3://bucket/ecgs"]
    assert main([*words, "--executor", "ray", "--address", "head:6379"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: --address: ")
    assert "ecgs" in told
    assert told.count("\n") == 1
