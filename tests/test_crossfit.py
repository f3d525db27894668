"""From members' logits to an answer: what is deployed is what was graded, and nothing leaks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from dyssync.evaluation.calibration import calibration_slope
from dyssync.evaluation.conformal import conformal_answers
from dyssync.prediction.crossfit import CrossFit, cross_fit

MEMBERS = [f"fit-{k:02d}" for k in range(1, 11)]


def of_members(n: int, seed: int, noise: float = 1.0, scales: bool = False) -> pd.DataFrame:
    """Two repeats of five folds: each member sees the truth through noise of its own."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.4, 1.2, n)
    y = (rng.random(n) < expit(truth)).astype(np.int64)
    rows = []
    for repeat in (0, 1):
        fold = rng.permutation(n) % 5
        for i in range(n):
            member = 1 + 5 * repeat + fold[i]
            z = truth[i] + rng.normal(0, noise)
            z = (3.0 * member * z - member) if scales else z
            rows.append((member, f"P{i:04d}", y[i], z))
    return pd.DataFrame(rows, columns=["seed", "patient_id", "y", "logit"])


def test_the_answer_is_the_recalibrated_mean_of_all_members() -> None:
    fit = cross_fit(of_members(200, 0), MEMBERS, own_scale=False).fit
    logits = np.random.default_rng(1).normal(size=(7, 10))
    said = fit.answer(logits)
    np.testing.assert_allclose(said.p, expit(fit.intercept + fit.slope * logits.mean(axis=1)))
    np.testing.assert_allclose(said.members, expit(fit.intercept + fit.slope * logits))
    assert (said.venn_abers[:, 0] <= said.venn_abers[:, 1]).all()


def test_scales_of_networks_do_not_matter_and_those_of_log_odds_do() -> None:
    plain, scaled = of_members(300, 2), of_members(300, 2, scales=True)
    alike = [cross_fit(t, MEMBERS, own_scale=True).table for t in (plain, scaled)]
    np.testing.assert_allclose(alike[0]["z"], alike[1]["z"], atol=1e-9)
    np.testing.assert_allclose(alike[0]["p"], alike[1]["p"], atol=1e-6)
    other = [cross_fit(t, MEMBERS, own_scale=False).table for t in (plain, scaled)]
    assert not np.allclose(other[0]["z"], other[1]["z"])


def test_a_graded_probability_does_not_see_its_own_outcome() -> None:
    table = of_members(80, 3)
    first = cross_fit(table, MEMBERS, own_scale=False).table.set_index("patient_id")
    flipped = table.assign(y=np.where(table["patient_id"] == "P0007", 1 - table["y"], table["y"]))
    second = cross_fit(flipped, MEMBERS, own_scale=False).table.set_index("patient_id")
    # the division of the patients is by outcome, so it moves too; the answer must not follow
    gap = second.loc["P0007", "p"] - first.loc["P0007", "p"]
    assert gap * (1 - 2 * first.loc["P0007", "y"]) < 0.02


def test_the_mean_of_all_members_is_steadier_than_that_of_two_and_scaled_up() -> None:
    """On new patients the deployed slope must be near 1 although all ten members answer."""
    rng = np.random.default_rng(4)
    truth = rng.normal(0.4, 1.2, 20_000)
    y = (rng.random(len(truth)) < expit(truth)).astype(np.int64)
    logits = truth[:, None] + rng.normal(0, 2.0, (len(truth), 10))
    slopes, plain = [], []
    for seed in range(12):
        fit = cross_fit(of_members(285, 100 + seed, noise=2.0), MEMBERS, own_scale=True).fit
        slopes.append(calibration_slope(y, fit.answer(logits).p))
        z = ((logits - fit.centres) / fit.scales).mean(axis=1)
        plain.append(calibration_slope(y, expit(fit.graded_intercept + fit.graded_slope * z)))
    assert np.median(plain) > 1.5, "the setting no longer shows what is mended"
    assert 0.8 < np.median(slopes) < 1.25


@pytest.mark.parametrize("own_scale", [True, False])
def test_where_nothing_can_be_said_the_answer_is_the_base_rate(own_scale: bool) -> None:
    table = of_members(100, 5)
    table.loc[table["patient_id"] == "P0003", "logit"] = np.nan
    found = cross_fit(table, MEMBERS, own_scale=own_scale)
    graded = found.table.set_index("patient_id").loc["P0003"]
    assert graded["silent"]
    assert graded["p"] == found.fit.base_rate
    said = found.fit.answer(np.full((1, 10), np.nan))
    assert said.p[0] == pytest.approx(found.fit.base_rate, abs=1e-12)
    assert np.isnan(said.venn_abers).all()
    assert conformal_answers(said.p_values, 0.8) == ("defer",)


def test_a_model_that_never_says_anything_gives_everybody_the_base_rate() -> None:
    table = of_members(60, 6).assign(logit=np.nan)
    found = cross_fit(table, MEMBERS, own_scale=False)
    assert (found.table["p"] == found.fit.base_rate).all()
    assert found.fit.answer(np.full((2, 10), np.nan)).p.tolist() == [found.fit.base_rate] * 2


def test_noise_is_not_turned_into_confidence() -> None:
    rng = np.random.default_rng(7)
    slopes, aurocs = [], []
    for seed in range(20):
        table = of_members(120, 200 + seed)
        people = table.groupby("patient_id")["y"].first()
        dealt = dict(zip(people.index, rng.permutation(people), strict=True))
        found = cross_fit(table.assign(y=table["patient_id"].map(dealt)), MEMBERS, own_scale=True)
        slopes.append(found.fit.slope)
        aurocs.append(roc_auc_score(found.table["y"], found.table["z"]))
    assert np.mean(aurocs) == pytest.approx(0.5, abs=0.03)
    assert np.median(slopes) < 0.2


def test_how_it_answers_survives_its_file_and_names_nobody() -> None:
    fit = cross_fit(of_members(50, 8), MEMBERS, own_scale=True).fit
    again = CrossFit.from_json(fit.to_json(), "answer")
    assert again == fit
    assert "P00" not in fit.to_json()
    logits = np.random.default_rng(9).normal(size=(3, 10))
    np.testing.assert_array_equal(again.answer(logits).p, fit.answer(logits).p)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(12, 60))
def test_whoever_is_tested_how_often_a_probability_comes_out(seed: int, n: int) -> None:
    """Independent splits test some patients never and others often."""
    table = of_members(n, seed)
    kept = table[np.random.default_rng(seed).random(len(table)) < 0.7]
    if kept["y"].nunique() < 2:
        return
    found = cross_fit(kept, MEMBERS, own_scale=False)
    assert found.table["p"].between(0, 1).all()
    assert (found.table["times"] >= 1).all()
    said = found.fit.answer(np.zeros((1, 10)))
    assert 0 <= said.p[0] <= 1
    assert logit(found.fit.base_rate) == pytest.approx(logit(found.table["y"].mean()))


def test_of_whom_nothing_is_known_the_whole_cohort_s_share_is_said() -> None:
    # independent splits test a part of the patients, whose share of responders is another
    table = of_members(60, 4)
    table.loc[table["patient_id"] == "P0003", "logit"] = np.nan
    found = cross_fit(table, MEMBERS, own_scale=False, base_rate=0.3)
    silent = found.table.set_index("patient_id").loc["P0003"]
    assert silent["silent"]
    assert silent["p"] == 0.3
    assert found.fit.answer(np.full((1, 10), np.nan)).p[0] == 0.3
    assert found.fit.slope == cross_fit(table, MEMBERS, own_scale=False).fit.slope


def test_logits_that_are_too_small_on_purpose_are_less_held_back_by_the_prior() -> None:
    table = of_members(285, 11).assign(logit=lambda t: t["logit"] / 4)
    slopes = {
        shrunken: cross_fit(table, MEMBERS, own_scale=False, shrunken=shrunken).fit.graded_slope
        for shrunken in (False, True)
    }
    assert slopes[True] > 1.3 * slopes[False]
