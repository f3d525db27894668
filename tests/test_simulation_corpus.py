"""The unlabelled corpus: shards read back what was simulated; runs resume."""

from pathlib import Path

import numpy as np
import pytest

from dyssync.cohort.shards import read_shards
from dyssync.errors import CohortError
from dyssync.simulation import corpus as module
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.corpus import simulate_corpus
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient


def test_shards_read_back_what_was_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD", 3)
    simulate_corpus(7, 4, tmp_path / "c")
    ecgs = list(read_shards(tmp_path / "c"))
    assert len(list((tmp_path / "c").glob("shard-*.parquet"))) == 3
    assert len({ecg.patient_id for ecg in ecgs}) == 7
    rng = patient_rng(4, module._STREAM + 5)
    parameters = draw_patient(rng, "archive")
    expected = simulate_patient(parameters, rng, with_response=False).signal
    assert np.abs(ecgs[5].signal - expected).max() < 1e-6
    assert ecgs[5].sex == parameters.clinical.sex
    assert [e.patient_id for e in read_shards(tmp_path / "c", every=3)] == [
        e.patient_id for e in ecgs[::3]
    ]


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


def test_a_folder_without_shards_or_with_a_damaged_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"no shard-\*\.parquet"):
        next(read_shards(tmp_path))
    (tmp_path / "shard-000000.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(CohortError, match=r"shard-000000\.parquet: damaged"):
        next(read_shards(tmp_path))
