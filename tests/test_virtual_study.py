"""The cohort that a study without a cohort runs on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from dyssync.cohort.cohort import read_cohort
from dyssync.study import virtual
from dyssync.study.config import StudyConfig
from dyssync.study.plan import Task
from dyssync.workers import OnProgress, unwatched

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("virtual")


class Silent:
    """Remembers what was said."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def say(self, text: str) -> None:
        self.told.append(text)

    def progress(self, what: str) -> OnProgress:
        return unwatched

    def working(self, tasks: list[Task]) -> Callable[[str], OnProgress]:
        return lambda key: unwatched


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyConfig, Path]:
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(virtual, "PATIENTS", 24)
        config = StudyConfig(preset="quick", models=("ssl-resnet18",))
        found = virtual.builtin_cohort(config, cache, Silent(), 1)
        again = Silent()
        assert virtual.builtin_cohort(config, cache, again, 1) == found
        assert again.told == [], "what is in the cache is not simulated again"
    return found, cache


@pytest.mark.slow
def test_builtin_cohort_reads_like_any_user_s(made: tuple[StudyConfig, Path]) -> None:
    config, _ = made
    assert config.cohort is not None
    cohort = read_cohort(config.cohort)
    assert len(cohort.inputs) == 24
    assert set(cohort.responses) == {0, 1}
    assert "p_response" not in cohort.table.columns
    assert config.corpus is None, "the encoders that ship need none"


def test_quick_is_shortened_for_the_builtin_cohort_but_never_the_user_s_numbers(
    tmp_path: Path,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(virtual, "PATIENTS", 2)
        given = {"resnet18": {"epochs": 12}}
        for preset, epochs in (("quick", 4), ("paper", 40)):
            config = StudyConfig(preset=preset, models=("resnet18", "prevalence"))
            found = virtual.builtin_cohort(config, tmp_path, Silent(), 1)
            assert found.parameters_of("resnet18")["epochs"] == epochs
            own = StudyConfig(preset=preset, models=("resnet18",), parameters=given)
            found = virtual.builtin_cohort(own, tmp_path, Silent(), 1)
            assert found.parameters_of("resnet18")["epochs"] == 12


@pytest.mark.slow
def test_bayes_auroc_is_that_of_the_truth(made: tuple[StudyConfig, Path], tmp_path: Path) -> None:
    config, _ = made
    assert config.cohort is not None
    cohort = read_cohort(config.cohort)
    truth = pd.read_csv(config.cohort.parent / "truth.csv").set_index("patient_id")
    known = truth["p_response"].loc[cohort.responses.index].to_numpy(np.float64)
    expected = roc_auc_score(cohort.responses, known)
    assert virtual.bayes_auroc(config.cohort, cohort) == pytest.approx(expected)
    assert virtual.bayes_auroc(tmp_path / "cohort.csv", cohort) is None
