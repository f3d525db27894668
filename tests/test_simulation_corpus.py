"""The unlabelled corpus: shards read back what was simulated; runs resume."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dyssync.cohort.shard_rows import NEEDED
from dyssync.cohort.shards import (
    HEARTS,
    Row,
    read_shard,
    read_shards,
    shards_of,
    write_shard,
)
from dyssync.ecg import ECG
from dyssync.errors import CohortError
from dyssync.simulation import corpus as module
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.corpus import simulate_corpus
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient
from dyssync.simulation.rows import truth_row


def test_shards_read_back_what_was_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD", 3)
    simulate_corpus(7, 4, tmp_path / "c")
    ecgs = list(read_shards(tmp_path / "c"))
    assert len(list((tmp_path / "c").glob("shard-*.parquet"))) == 3
    assert len({ecg.patient_id for ecg in ecgs}) == 7
    rng = patient_rng(4, module._STREAM + 5)
    parameters = draw_patient(rng, "wide")
    expected = simulate_patient(parameters, rng)
    assert np.abs(ecgs[5].signal - expected.signal).max() < 1e-6
    assert ecgs[5].sex == parameters.clinical.sex
    assert [e.patient_id for e in read_shards(tmp_path / "c", every=3)] == [
        e.patient_id for e in ecgs[::3]
    ]
    truth = dict(truth_row("", parameters, expected))
    truth |= {
        "wall_delay_ms": truth["wall_delay_intrinsic_ms"],
        "dispersion_ms": truth["dispersion_intrinsic_ms"],
    }
    hearts = [heart for path in shards_of(tmp_path / "c") for _, heart, _ in read_shard(path)]
    np.testing.assert_allclose(hearts[5], [truth[n] for n in HEARTS], rtol=1e-4, atol=1e-4)


def test_an_interrupted_corpus_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD", 2)
    simulate_corpus(5, 4, tmp_path / "whole")

    def stop(done: int, of: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_corpus(5, 4, tmp_path / "cut", on_progress=stop)
    seen: list[tuple[int, int]] = []
    simulate_corpus(5, 4, tmp_path / "cut", on_progress=lambda *told: seen.append(told))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "cut" / path.name).read_bytes()


def test_a_shard_gives_back_what_was_written_and_is_whole_or_absent(
    tmp_path: Path, toy: tuple[list[ECG], np.ndarray]
) -> None:
    signal = np.tile(toy[0][0].signal, 2)  # 5000 samples
    ecgs = [
        ECG(signal, 500.0, patient_id="a", age=61.5, sex="F"),
        ECG(-signal, 500.0, patient_id="b"),
    ]
    hearts = np.arange(2.0 * len(HEARTS), dtype=np.float32).reshape(2, -1)
    hearts[1, 3] = np.nan
    path = tmp_path / "shard-000000.parquet"
    write_shard(path, map(Row, ecgs, hearts))
    np.testing.assert_array_equal([heart for _, heart, _ in read_shard(path)], hearts)
    back = list(read_shards(tmp_path))
    assert [(e.patient_id, e.age, e.sex, e.fs) for e in back] == [
        ("a", 61.5, "F", 500.0),
        ("b", None, None, 500.0),
    ]
    for ecg, read in zip(ecgs, back, strict=True):
        assert np.abs(ecg.signal - read.signal).max() <= 5.1e-4  # half of 1 uV

    def broken() -> Iterator[Row]:
        yield Row(ecgs[0], hearts[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(tmp_path / "shard-000001.parquet", broken())
    assert [path.name for path in tmp_path.iterdir()] == ["shard-000000.parquet"]


def test_of_a_shard_that_knows_no_hearts_they_are_not_known(tmp_path: Path) -> None:
    simulate_corpus(2, 4, tmp_path / "c")
    (path,) = shards_of(tmp_path / "c")
    whole = [ecg.signal for ecg, _, _ in read_shard(path)]
    pq.write_table(pq.read_table(path, columns=list(NEEDED)), path)
    rows = list(read_shard(path))
    np.testing.assert_array_equal([ecg.signal for ecg, _, _ in rows], whole)
    assert np.isnan([heart for _, heart, _ in rows]).all()
    pq.write_table(pq.read_table(path, columns=["patient_id", "signal"]), path)
    with pytest.raises(CohortError, match="other columns"):
        next(read_shard(path))


def test_a_folder_without_shards_or_with_a_damaged_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"no shard-\*\.parquet"):
        next(read_shards(tmp_path))
    (tmp_path / "shard-000000.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(CohortError, match=r"shard-000000\.parquet: damaged"):
        next(read_shards(tmp_path))
