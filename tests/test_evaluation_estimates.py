"""The tables of out-of-fold answers: complete, honest about gaps, right by Bayes."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from dyssync.errors import InputError
from dyssync.evaluation.delong import auroc_interval
from dyssync.evaluation.estimates import BOOTSTRAP, COLUMNS, DELONG, estimates
from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.predictive_values import called_counts, predictive_values

THRESHOLDS = (0.5, 0.6)


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    y = (rng.random(120) < 0.6).astype(int)
    z = rng.normal(size=120) + y
    ids = [f"P{i}" for i in range(120)]
    good = pd.DataFrame({"patient_id": ids, "y": y, "z": z, "p": expit(z - 0.1)})
    base = good.assign(z=0.0, p=0.6)
    return pd.concat([good.assign(model="good"), base.assign(model="base rate")], ignore_index=True)


def test_every_metric_has_one_row_a_model_and_threshold(answers: pd.DataFrame) -> None:
    table = estimates(answers, THRESHOLDS, seed=1)
    assert tuple(table.columns) == COLUMNS
    assert not table.duplicated(["model", "metric", "threshold"]).any()
    for name in METRICS:
        metric = METRICS[name]
        own = table[(table["metric"] == name) & (table["model"] == "good")]
        cuts = THRESHOLDS if metric.uses_threshold else (np.nan,)
        assert own["threshold"].tolist() == pytest.approx(list(cuts), nan_ok=True)
        y, p = (answers.loc[:119, c].to_numpy() for c in ("y", "p"))
        assert own["value"].tolist() == pytest.approx([metric.compute(y, p, t) for t in cuts])
        assert (own["low"] <= own["value"]).all(), name
        assert (own["value"] <= own["high"]).all(), name
        assert set(own["method"]) == {DELONG if name == "auroc" else BOOTSTRAP}
    assert set(table["n"]) == {120}
    again = estimates(answers, THRESHOLDS, seed=1)
    pd.testing.assert_frame_equal(table, again)


def test_auroc_ranks_by_the_logit(answers: pd.DataFrame) -> None:
    # recalibration without the patient's own outcome changes a few ranks; the model did not
    table = estimates(answers.assign(p=0.5), THRESHOLDS, seed=1).set_index(["model", "metric"])
    expected = auroc_interval(answers.loc[:119, "y"].to_numpy(), answers.loc[:119, "z"].to_numpy())
    found = table.loc[("good", "auroc")]
    assert (found["value"], found["low"]) == (expected.auroc, expected.low)


def test_the_base_rate_has_no_slope_and_gains_nothing(answers: pd.DataFrame) -> None:
    table = estimates(answers, (0.5,), seed=1).set_index(["model", "metric"]).loc["base rate"]
    assert table.loc["calibration_slope", ["value", "low", "high"]].isna().all()
    assert table.loc["npv", ["value", "low", "high"]].isna().all()  # nobody is called so
    assert table.loc["accuracy_gain", ["value", "high"]].tolist() == [0.0, 0.0]
    assert table.loc["auroc", "value"] == 0.5


def test_what_is_not_known_does_not_count(answers: pd.DataFrame) -> None:
    unknown = answers.copy()
    unknown.loc[[3, 5], "p"] = np.nan
    unknown.loc[unknown["model"] == "base rate", "z"] = np.nan
    table = estimates(unknown, (0.5,), seed=2)
    kept = answers.drop(index=[3, 5]).query("model == 'good'")
    good = table[table["model"] == "good"].reset_index(drop=True)
    pd.testing.assert_frame_equal(good, estimates(kept, (0.5,), seed=2))
    nobody = table[table["model"] == "base rate"]
    assert (nobody["n"] == 0).all()
    assert nobody["value"].isna().all()


def test_two_rows_of_a_patient_are_refused(answers: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="good has two rows of patient P0"):
        estimates(pd.concat([answers, answers.head(1)]), (0.5,), seed=1)


def test_counts_give_ppv_and_npv(answers: pd.DataFrame) -> None:
    counts = called_counts(answers, THRESHOLDS).query("model == 'good'")
    table = estimates(answers, THRESHOLDS, seed=1).query("model == 'good'")
    assert (counts["called"] + counts["not_called"] == counts["n"]).all()
    for metric, kind in (("ppv", "called"), ("npv", "not_called")):
        shares = (counts[f"{kind}_right"] / counts[kind]).to_numpy()
        assert table.loc[table["metric"] == metric, "value"].to_numpy() == pytest.approx(shares)


def test_at_the_cohort_s_own_share_bayes_gives_its_own_values(answers: pd.DataFrame) -> None:
    share = answers["y"].mean()
    found = predictive_values(answers, THRESHOLDS, seed=1, shares=(0.3, share))
    own = found[(found["model"] == "good") & (found["share"] == share)]
    table = estimates(answers, THRESHOLDS, seed=1).query("model == 'good'")
    for metric in ("ppv", "npv"):
        expected = table.loc[table["metric"] == metric, "value"].to_numpy()
        assert own.loc[own["metric"] == metric, "value"].to_numpy() == pytest.approx(expected)
    ppv = found[(found["model"] == "good") & (found["metric"] == "ppv")]
    assert (ppv.groupby("threshold")["value"].diff().dropna() > 0).all()  # more responders
    assert (ppv["low"] < ppv["high"]).all()
