"""Corpora on disk: prepared once, whatever interrupts it; `dyssync pretrain` from end to end."""

import json
import os
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from dyssync.cli import main
from dyssync.cohort import pieces
from dyssync.cohort.shards import HEARTS, Row, write_shard
from dyssync.ecg import ECG, Source
from dyssync.errors import CohortError, ConfigError
from dyssync.learning import checkpoint
from dyssync.learning.training import Watch
from dyssync.pretraining.columns import Columns
from dyssync.pretraining.config import PretrainingConfig
from dyssync.pretraining.encoder import load_encoder
from dyssync.pretraining.material import Material
from dyssync.pretraining.preparing import prepare_material
from dyssync.pretraining.run import Asked, Told, pretrain_corpora
from dyssync.signals.filtering import resample

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("pretraining")

Toy = tuple[list[ECG], np.ndarray]
SMALL = {"height": 64, "width": 64, "passes": 3}


@pytest.fixture(scope="module")
def shards(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards with three hearts each, as a simulated corpus has them."""
    folder = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(1)
    for k in range(2):
        ecgs = [
            ECG(
                resample(e.signal, e.fs, 500.0),
                500.0,
                patient_id=f"V{k}{i}",
                source=Source(format="simulated"),
            )
            for i, e in enumerate(toy[0][3 * k : 3 * k + 3])
        ]
        hearts = rng.normal(size=(3, len(HEARTS))).astype(np.float32)
        write_shard(folder / f"shard-{k:06d}.parquet", map(Row, ecgs, hearts))
    return folder


def all_of(source: Path) -> list[ECG]:
    return [ecg for piece in pieces.pieces_of(source) for ecg, _, _ in pieces.read_piece(piece)[0]]


def assert_equal(one: Material, other: Material) -> None:
    assert one.digest == other.digest
    for a, b in zip(one.parts, other.parts, strict=True):
        for name in (held.name for held in fields(Columns)):
            if name != "signals":  # read row by row
                np.testing.assert_array_equal(getattr(a.columns, name), getattr(b.columns, name))
    for row in range(len(one)):
        np.testing.assert_array_equal(one.signal(row, "3x4"), other.signal(row, "3x4"))


def test_material_from_disk_is_that_in_memory_whatever_the_pieces_and_processes(
    toy_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = toy_cohort / "corpus"
    whole = Material.of(all_of(source))
    monkeypatch.setattr(pieces, "PIECE", 5)
    told: list[tuple[int, int]] = []
    for workers in (1, 2):
        material, problems = prepare_material(
            [source],
            tmp_path / str(workers),
            workers=workers,
            on_progress=lambda *n: told.append(n),
        )
        assert_equal(material, whole)
        assert problems == []
        assert told[-1] == (3, 3)


def test_shards_keep_what_is_known_of_hearts(shards: Path, tmp_path: Path) -> None:
    material, _ = prepare_material([shards], tmp_path)
    assert material.parts[0].simulated
    assert np.isfinite(material.hearts(np.arange(6))).all()


def test_preparing_goes_on_where_it_stopped_and_is_done_once(
    toy_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE", 5)
    source = tmp_path / "corpus"
    shutil.copytree(toy_cohort / "corpus", source)

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_material([source], tmp_path / "cache", on_progress=stop)
    told: list[int] = []
    material, _ = prepare_material(
        [source], tmp_path / "cache", on_progress=lambda done, of: told.append(done)
    )
    assert told[0] == 3  # only the last piece was to be done
    assert_equal(material, Material.of(all_of(source)))
    (made,) = (tmp_path / "cache").iterdir()
    before = made.stat().st_mtime_ns
    prepare_material([source], tmp_path / "cache")
    assert made.stat().st_mtime_ns == before
    (source / "c00.dat").write_bytes((source / "c01.dat").read_bytes())
    prepare_material([source], tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2  # another corpus now


def test_recordings_as_short_as_asked_are_taken(toy_cohort: Path, tmp_path: Path) -> None:
    longest = all_of(toy_cohort / "corpus")[0].seconds
    _, none = prepare_material([toy_cohort / "corpus"], tmp_path, seconds=longest)
    assert none == []
    with pytest.raises(CohortError, match="none of 12 recordings can be used"):
        prepare_material([toy_cohort / "corpus"], tmp_path, seconds=longest + 1)


@pytest.mark.parametrize("name", ["source.json", "signals.npy", "lengths.npy"])
def test_what_is_cut_in_the_cache_is_prepared_again(
    name: str, toy_cohort: Path, tmp_path: Path
) -> None:
    source = toy_cohort / "corpus"
    prepare_material([source], tmp_path / "cache")
    (home,) = (tmp_path / "cache").iterdir()
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    os.truncate(home / name, len(before[name]) // 2)
    prepare_material([source], tmp_path / "cache")
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


def test_what_cannot_be_used_is_told(toy_cohort: Path, tmp_path: Path) -> None:
    source = tmp_path / "corpus"
    shutil.copytree(toy_cohort / "corpus", source)
    (source / "c00.dat").write_bytes(b"")
    material, problems = prepare_material([source], tmp_path / "cache")
    assert len(material) == 11
    assert problems[0].startswith("corpus: 1 recording left out; the first: row 2 (c00): ")
    for path in source.glob("*.dat"):
        path.write_bytes(b"")
    with pytest.raises(CohortError, match="corpus: none of 12 recordings can be used"):
        prepare_material([source], tmp_path / "cache")


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.6), (1.5, -0.5)])
def test_shares_that_do_not_fit_are_refused_before_anything_is_read(
    shares: tuple[float, ...], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="share"):
        prepare_material([tmp_path / "no", tmp_path / "where"], tmp_path, shares=shares)


@pytest.mark.slow
def test_sources_are_mixed_by_share_and_only_simulated_hearts_are_asked_for(
    shards: Path, toy_cohort: Path, tmp_path: Path
) -> None:
    config = PretrainingConfig(method="hearts", **SMALL)
    asked = Asked([shards, toy_cohort / "corpus"], config, (0.75, 0.25))
    encoder, _ = pretrain_corpora(asked, tmp_path / "encoder", cache=tmp_path / "cache")
    held = [(s.recordings, s.simulated, s.share) for s in encoder.record.sources]
    assert held == [(6, True, 0.75), (12, False, 0.25)]
    assert load_encoder(tmp_path / "encoder") == encoder


class Stop(Exception):  # noqa: N818 - stands for a killed process
    pass


@pytest.mark.slow
def test_killed_and_started_again_it_leaves_the_same_bytes(
    toy_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_EVERY_S", 0.0)
    asked = Asked([toy_cohort / "corpus"], PretrainingConfig(method="measurements", **SMALL))
    out, cache = tmp_path / "encoder", tmp_path / "cache"

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise Stop

    pretrain_corpora(asked, out, cache=cache)
    whole = {path.name: path.read_bytes() for path in out.iterdir()}
    shutil.rmtree(out)
    with pytest.raises(Stop):
        pretrain_corpora(asked, out, cache=cache, told=Told(learning=Watch(stop)))
    assert (tmp_path / ".encoder.checkpoint" / checkpoint.CHECKPOINT).is_file()
    told: list[int] = []
    watch = Watch(lambda done, of: told.append(done))
    pretrain_corpora(asked, out, cache=cache, told=Told(learning=watch))
    assert told == [1, 2, 3]
    assert {path.name: path.read_bytes() for path in out.iterdir()} == whole
    assert not (tmp_path / ".encoder.checkpoint").exists()


@pytest.mark.slow
def test_the_verb_says_what_was_learnt_and_a_study_takes_the_encoder(
    shards: Path, toy_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out, on = tmp_path / "encoder", tmp_path / "on"
    size = ["--passes", "2", "--height", "64", "--width", "64"]
    first = ["pretrain", str(shards), "--method", "hearts", "--out", str(out), *size]
    assert main([*first, "--set", "measured_share=0.25", "--set", "components=4"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2
    assert "hearts, supervised by simulation, from 6 ECGs of" in told[0]
    assert load_encoder(out).record.config.settings["measured_share"] == 0.25
    corpus = str(toy_cohort / "corpus")
    assert main(["pretrain", corpus, "--from", str(out), "--out", str(on), *size]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "measurements after hearts, supervised by simulation" in told[0]
    assert f"ssl-resnet18.encoder={on}" in told[1] or f"sim-resnet18.encoder={on}" in told[1]
    assert json.loads((on / "encoder.json").read_text())["earlier"][0]["method"] == "hearts"
    assert main(["pretrain", corpus, "--out", str(on)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["pretrain", corpus, "--method", "hearts", "--out", str(tmp_path / "no")]) == 2
    assert "measurements learns from any ECG" in capsys.readouterr().err
