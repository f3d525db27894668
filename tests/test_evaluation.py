"""Corrected intervals and tests, and the tables of the protocol."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

from dyssync.evaluation.comparisons import (
    NO_MODEL,
    ONE_NUMBER,
    accuracy_above_floor,
    compare_models,
)
from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.protocol import metric_table, short_table_columns, summarise_metrics
from dyssync.evaluation.resampling import corrected_mean

VALUES = np.array([0.74, 0.81, 0.79, 0.70, 0.83, 0.77])


def test_without_overlap_the_test_is_student_s() -> None:
    found = corrected_mean(VALUES, test_share=0.0)
    expected = stats.ttest_1samp(VALUES, 0.0)
    interval = expected.confidence_interval(0.95)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_overlap_widens_the_interval_by_the_published_factor() -> None:
    # Nadeau & Bengio 2003: variance of the mean is (1/J + n_test/n_train) times that of a value
    plain, corrected = corrected_mean(VALUES, 0.0), corrected_mean(VALUES, 0.25)
    ratio = (corrected.high - corrected.low) / (plain.high - plain.low)
    assert ratio == pytest.approx(np.sqrt((1 / 6 + 0.25) / (1 / 6)))


def test_the_study_s_own_uncertainty_is_reproduced() -> None:
    # Mori 2025: 78.5 % with SD 5.5 % over ten seeds; with four patients to learn from for each that
    # is tested, the corrected interval is +/- t(9, 0.975) * sqrt(1/10 + 1/4) * 5.5 % = 7.4 %
    values = 0.785 + 0.055 * stats.zscore(np.arange(10.0), ddof=1)
    found = corrected_mean(values, 0.25)
    assert found.high - found.mean == pytest.approx(0.074, abs=5e-4)


def test_undefined_values_are_counted_not_averaged() -> None:
    found = corrected_mean(np.array([0.5, np.nan, 0.7]), 0.25)
    assert (found.mean, found.n) == (pytest.approx(0.6), 2)
    assert corrected_mean(np.array([np.nan]), 0.25).n == 0
    assert np.isnan(corrected_mean(np.array([0.7]), 0.25).low)


@pytest.mark.parametrize(("difference", "p_value"), [(0.0, 1.0), (0.1, 0.0)])
def test_differences_without_spread_are_certain(difference: float, p_value: float) -> None:
    found = corrected_mean(np.full(5, difference), 0.25)
    assert (found.sd, found.p_value) == (0.0, p_value)


def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for seed in (1, 2, 3):
        for part in ("validation", "test"):
            for i in range(20):
                y = i % 2
                rows.append(
                    ("good", seed, f"p{i}", part, y, np.clip(0.5 * y + rng.random() / 1.5, 0, 1))
                )
                rows.append(("none", seed, f"p{i}", part, y, 0.4))
    return pd.DataFrame(rows, columns=["model", "seed", "patient_id", "part", "y", "p"])


def test_tables_hold_a_row_for_each_model_fit_and_metric() -> None:
    metrics = metric_table(predictions(), 0.5)
    assert not metrics.duplicated(["model", "seed", "metric"]).any()
    for _, own in metrics.groupby(["model", "seed"]):
        assert list(own["metric"]) == list(METRICS)
    assert set(short_table_columns()) <= set(metrics["metric"])
    summary = summarise_metrics(metrics, 0.25).set_index(["model", "metric"])
    assert summary.loc[("none", "ppv"), "n_undefined"] == 3
    assert summary.loc[("none", "auroc"), "mean"] == 0.5


def test_the_threshold_is_the_one_that_was_given_and_only_the_test_part_counts() -> None:
    table = predictions()
    values = metric_table(table, 0.7).set_index(["model", "seed", "metric"])["value"]
    good = table[(table["model"] == "good") & (table["seed"] == 2) & (table["part"] == "test")]
    expected = ((good["p"] >= 0.7) == (good["y"] == 1)).mean()
    assert values["good", 2, "accuracy"] == expected


def test_an_interval_ends_where_its_metric_ends() -> None:
    values = np.array([0.9, 1.0])
    held = {"model": "m", "seed": [1, 2], "metric": "ppv"}
    row = summarise_metrics(pd.DataFrame({**held, "value": values}), 0.25).iloc[0]
    uncut = corrected_mean(values, 0.25)
    assert uncut.high > 1
    assert uncut.low > 0
    assert (row["low"], row["high"]) == (uncut.low, 1.0)


def equal_models(seed: int, n: int = 150, k: int = 6) -> pd.DataFrame:
    """Out-of-fold answers of `k` models that see the truth through equal noise, and of no model."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.4, 1.0, n)
    y = (rng.random(n) < expit(truth)).astype(np.int64)
    ids = [f"p{i}" for i in range(n)]
    tables = [pd.DataFrame({"model": NO_MODEL, "patient_id": ids, "y": y, "z": 0.0, "p": y.mean()})]
    for name in (ONE_NUMBER, *(f"m{i}" for i in range(1, k))):
        z = truth + rng.normal(0, 1.0, n)
        tables.append(
            pd.DataFrame({"model": name, "patient_id": ids, "y": y, "z": z, "p": expit(0.5 * z)})
        )
    return pd.concat(tables)


def test_equal_models_are_rarely_told_apart_and_only_named_pairs_have_a_p_value() -> None:
    apart = []
    for seed in range(100):
        found = compare_models(equal_models(seed), 0.5)
        named = found[found["kind"] == "named"]
        assert found.loc[found["kind"] == "exploratory", ["p", "p_holm"]].isna().all(axis=None)
        against = named[(named["model_b"] == ONE_NUMBER) & (named["metric"] == "auroc")]
        assert len(against) == 5
        apart.append((against["p_holm"] < 0.05).any())
    assert np.mean(apart) <= 0.06


def test_a_better_model_is_told_apart_in_the_right_direction() -> None:
    table = equal_models(0, n=400, k=3)
    better = table["model"] == "m1"
    table.loc[better, "z"] += 2.0 * table.loc[better, "y"]
    found = compare_models(table, 0.5).set_index(["metric", "model_a", "model_b"])
    row = found.loc["auroc", "m1", ONE_NUMBER]
    assert row["difference"] > 0
    assert row["p_holm"] < 0.001
    assert (found["p_holm"] >= found["p"]).loc[found["p"].notna()].all()


def test_accuracy_above_the_floor_is_that_of_the_counts() -> None:
    y = np.array([1] * 60 + [0] * 40)
    p = np.where(np.arange(100) < 90, 0.9, 0.1)  # the last ten non-responders are recognised
    difference, low, high, p_value = accuracy_above_floor(y, p, 0.5)
    assert difference == pytest.approx(0.1)
    assert low < 0.1 < high
    assert p_value < 0.05
    nothing = accuracy_above_floor(y, np.full(100, 0.9), 0.5)
    assert nothing == (0.0, 0.0, 0.0, 1.0)
