"""The table behind the learning curves: goes on where it stopped, and says what happened."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dyssync.cohort.cohort import CohortTable
from dyssync.errors import ConfigError, InputError
from dyssync.workers import using
from dyssync.workers.processes import Processes
from fit_table import Fit, Score, Work, go_through, read_scores
from learners import learners
from learning_tables import BEGIN, END, results_of, with_tables
from real_learning import real_work
from variance_ratio import variance_ratio
from virtual_learning import SHUFFLED, Draws, virtual_work
from virtual_people import People

FITS = [
    Fit("crt", "own", model, encoder, digest, n, draw)
    for model, encoder, digest in (("ridge", "", ""), ("ssl", "shipped", "ab"))
    for n in (70, 1140)
    for draw in range(3)
]


def stub(fit: Fit) -> Score:
    """A fit of no cost whose figures need all their digits; nobody gets a yes from one."""
    value = (fit.patients + fit.draw) / 3000
    return Score(4000, value, 1 / 3, float("nan") if fit.draw == 2 else value / 7)


def test_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    whole, torn, forked = (tmp_path / f"{name}.csv" for name in ("whole", "torn", "forked"))
    go_through(FITS, lambda: stub, whole)

    def killed(fit: Fit) -> Score:
        if fit == FITS[-2]:
            raise KeyboardInterrupt
        return stub(fit)

    with pytest.raises(KeyboardInterrupt):
        go_through(FITS[::-1], lambda: killed, torn)
    torn.write_bytes(torn.read_bytes() + b"crt,own,ridge,,,70,0,4000,0.0233")  # half a line
    assert set(read_scores(torn)) == {FITS[-1]}

    asked: list[Fit] = []

    def watched(fit: Fit) -> Score:
        asked.append(fit)
        return stub(fit)

    go_through(FITS, lambda: watched, torn)
    assert FITS[-1] not in asked
    assert len(asked) == len(FITS) - 1
    go_through(FITS, lambda: stub, forked, workers=2)
    assert whole.read_bytes() == torn.read_bytes() == forked.read_bytes()


class Elsewhere(Processes):
    """An engine that shares nothing with this process, as Ray on another machine."""

    elsewhere = True


def made() -> Work:
    """What a worker elsewhere makes for itself."""
    return stub


def test_another_engine_leaves_the_same_table(tmp_path: Path) -> None:
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    go_through(FITS, made, here)
    with using(Elsewhere()):
        go_through(FITS, made, there, workers=2)
    assert there.read_bytes() == here.read_bytes()


def test_rows_of_other_weights_under_the_same_name_are_measured_again(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    go_through(FITS, lambda: stub, table)
    again = [Fit("crt", "own", "ssl", "shipped", "cd", 70, 0)]
    go_through(again, lambda: stub, table)
    kept = set(read_scores(table))
    assert again[0] in kept
    assert Fit("crt", "own", "ssl", "shipped", "ab", 70, 0) not in kept
    assert Fit("crt", "own", "ssl", "shipped", "ab", 70, 1) in kept  # not asked for


def test_another_table_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "cohort.csv"
    other.write_text("patient_id,ecg\n")
    with pytest.raises(InputError, match="no table of fits"):
        go_through(FITS, lambda: stub, other)
    assert other.read_text() == "patient_id,ecg\n"


class Knows:
    """A learner whose logit is what is written on the recording; remembers who taught it."""

    def make(self, name: str) -> "Knows":
        return self

    def fit(self, x: list[str], y: np.ndarray, **other: object) -> "Knows":
        self.taught = (tuple(x), tuple(y))
        return self

    def response_probability(self, x: list[str]) -> np.ndarray:
        assert not set(x) & set(self.taught[0]), "a patient teaches and is tested"
        return np.array([float(str(recording)[0]) for recording in x])


def virtual(n: int, name: str = "") -> People:
    y = np.arange(n) % 2
    hearts = np.random.default_rng(n).normal(size=(n, 14))
    hearts[:, 3] += 9.0 * y
    recordings = tuple(f"{v}{name}{i}" for i, v in enumerate(y))
    return People(recordings, y, 30.0 * y, 0.2 + 0.6 * y, hearts)


def test_draws_grow_and_are_tested_on_the_same_others() -> None:
    draws = Draws(people=400, pool=200, limit=300)
    learner = Knows()
    more = virtual(300, "more")
    work = virtual_work(draws, learner, virtual(400), more)
    taught = {}
    for n in (20, 60):
        assert work(Fit("crt", "own", "ridge", "", "", n, 3)) == Score(200, 1.0, 1.0, 1.0)
        taught[n] = learner.taught[0]
    assert taught[60][:20] == taught[20]
    assert work(Fit("crt", "own", "ridge", "", "", 300, 0)).auroc == 1.0
    assert learner.taught[0] == more.ecgs
    assert work(Fit("crt", "own", "bayes", "", "", 0, 0)).auroc == 1.0
    assert work(Fit("crt", "own", "told-hearts", "", "", 60, 3)).auroc > 0.95


def test_shuffled_labels_tell_nothing_even_to_who_knows() -> None:
    draws = Draws(people=400, pool=200)
    learner = Knows()
    work = virtual_work(draws, learner, virtual(400), None)
    found = [work(Fit("crt", SHUFFLED, "ridge", "", "", 60, draw)).auroc for draw in range(20)]
    assert np.mean(found) == pytest.approx(0.5, abs=3 * np.std(found) / np.sqrt(20))
    own = [recording[0] for recording in learner.taught[0]]
    assert own != [str(label) for label in learner.taught[1]]  # who teaches is dealt anew, too


@pytest.mark.parametrize("shuffle", [False, True])
def test_splits_of_real_patients_are_the_same_for_all_models(shuffle: bool) -> None:
    y = np.arange(50) % 2
    patients = np.repeat([f"P{i}" for i in range(50)], 2)  # two recordings each
    table = pd.DataFrame({"patient_id": patients, "responder": np.repeat(y, 2)})
    cohort = CohortTable("c.csv", table, pd.DataFrame(), pd.DataFrame())
    inputs = tuple(f"{v}-{p}-{k % 2}" for k, (p, v) in enumerate(table.to_numpy()))
    tested = set()
    for draw in range(5):  # a repeat
        taught = []
        for model in ("ridge", "logistic"):
            learner = Knows()
            found = real_work(learner, cohort, inputs, shuffle)(
                Fit("c", "own", model, "", "", 40, draw)
            )
            assert found.tested == 20
            assert shuffle or found.auroc == 1.0
            taught.append(learner.taught)
        assert taught[0] == taught[1]
        assert sum(taught[0][1]) == 40
        who = {name.split("-")[1] for name in taught[0][0]}
        assert len(who) == 40  # both recordings of a patient, or none
        tested |= set(patients) - who
    assert shuffle or tested == set(patients)


def test_facts_are_in_the_name_and_unknown_names_are_refused() -> None:
    names = ("ridge", "ridge+facts", "logistic")
    made = {name: learners(names).make(name).get_params() for name in names}
    assert [made[name]["clinical"] for name in names[:2]] == [False, True]
    with pytest.raises(ConfigError, match="logistic\\+facts"):
        learners(("logistic+facts",))


def test_variance_ratio_is_the_f_test_and_turns_over() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.75, 0.01, 20), rng.normal(0.7, 0.03, 5)
    found, turned = variance_ratio(a, b), variance_ratio(b, a)
    assert found.ratio == pytest.approx(np.var(a, ddof=1) / np.var(b, ddof=1))
    # the interval ends at the true ratios that a two-sided F test at 5 % just does not refuse
    refused = [stats.f.cdf(found.ratio / end, 19, 4) for end in found.f_interval]
    assert refused == pytest.approx([0.975, 0.025])
    assert [1 / end for end in turned.f_interval] == pytest.approx(list(found.f_interval[::-1]))
    assert found.bootstrap[0] < found.ratio < found.bootstrap[1]


def test_page_gets_its_tables_and_keeps_its_text(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    fits = [
        Fit("crt", "own", model, "", "", 228, draw)
        for model, k in (("qrs-area", 1), ("ridge", 1), ("bayes", 1))
        for draw in range(k * 3)
    ]
    aurocs = {"qrs-area": 0.70, "ridge": 0.69, "bayes": 0.8}
    go_through(
        fits, lambda: lambda fit: Score(9, aurocs[fit.model] + 0.02 * fit.draw, 0.5, 0.5), table
    )
    names = ("curves", "a study of 285", "stability", "real labels", "negative control")
    page = "# Title\n" + "".join(f"{BEGIN.format(n)}stale\n{END.format(n)}words\n" for n in names)
    told = with_tables(page, results_of(table))
    assert "stale" not in told
    assert told.count("words") == len(names)
    assert "| ridge | 228 | 3 | 0.710 (0.020) | 0.500 (0.000) | 0.500 (0.000) | 0 % | 0 % |" in told
    assert with_tables(told, results_of(table)) == told
