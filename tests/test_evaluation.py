"""Corrected intervals and tests, and the tables of the protocol."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dyssync.errors import ConfigError, InputError
from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.protocol import (
    metric_table,
    pairwise_tests,
    short_table_columns,
    summarise_metrics,
)
from dyssync.evaluation.resampling import corrected_mean
from dyssync.evaluation.thresholds import (
    CHOSEN,
    FIXED,
    THRESHOLD,
    chosen_thresholds,
    fixed_thresholds,
    study_thresholds,
)

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


def study_metrics(table: pd.DataFrame) -> pd.DataFrame:
    return metric_table(table, study_thresholds(table, 0.5))


def test_tables_hold_a_row_for_each_model_seed_rule_and_metric() -> None:
    metrics = study_metrics(predictions())
    assert not metrics.duplicated(["model", "seed", "threshold_rule", "metric"]).any()
    rows = {
        *((rule, name) for rule in (FIXED, CHOSEN) for name in ("threshold", *_metrics(True))),
        *(("none", name) for name in _metrics(False)),
    }
    for _, own in metrics.groupby(["model", "seed"]):
        assert set(zip(own["threshold_rule"], own["metric"], strict=True)) == rows
    ppv = metrics[(metrics["model"] == "none") & (metrics["metric"] == "ppv")]
    assert ppv[ppv["threshold_rule"] == "fixed"]["value"].isna().all()
    summary = summarise_metrics(metrics, 0.25).set_index(["model", "threshold_rule", "metric"])
    assert summary.loc[("none", "fixed", "ppv"), "n_undefined"] == 3
    assert summary.loc[("none", "none", "auroc"), "mean"] == 0.5


def _metrics(using_threshold: bool) -> list[str]:
    return [name for name in METRICS if METRICS[name].uses_threshold == using_threshold]


def test_every_column_of_the_short_table_is_a_row_of_the_metrics() -> None:
    metrics = study_metrics(predictions())
    rows = set(zip(metrics["metric"], metrics["threshold_rule"], strict=True))
    assert set(short_table_columns()) <= rows
    shown = [name for name in METRICS if METRICS[name].in_short_table]
    assert [name for name, _ in short_table_columns()] == shown


def test_thresholds_are_those_that_were_given() -> None:
    table = predictions().query("part == 'test'")
    metrics = metric_table(table, fixed_thresholds(table, 0.7))
    assert set(metrics["threshold_rule"]) == {FIXED, "none"}
    cuts = metrics[metrics["metric"] == THRESHOLD]
    assert (len(cuts), set(cuts["value"])) == (6, {0.7})
    good = table[(table["model"] == "good") & (table["seed"] == 2)]
    accuracy = metrics.set_index(["model", "seed", "metric"]).loc[("good", 2, "accuracy"), "value"]
    assert accuracy == ((good["p"] >= 0.7) == (good["y"] == 1)).mean()


def test_without_a_threshold_only_metrics_that_need_none_are_computed() -> None:
    table = predictions()
    without = fixed_thresholds(table, 0.5).query("model != 'none'")
    metrics = metric_table(table, without)
    assert set(metrics[metrics["model"] == "none"]["metric"]) == set(_metrics(False))


def test_no_threshold_is_chosen_without_a_validation_part() -> None:
    table = predictions()
    lone = table[(table["part"] == "test") | (table["seed"] == 3)]
    with pytest.raises(InputError) as refused:
        study_thresholds(lone, 0.5)
    assert str(refused.value) == (
        "predictions: no validation part of good in seed 1, none in seed 1, good in seed 2 and 1 "
        "more, and a threshold is chosen there; add that part, or use a fixed threshold"
    )


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan])
def test_a_threshold_is_a_probability(value: float) -> None:
    with pytest.raises(ConfigError, match=r"threshold is .*; 0 to 1 is needed"):
        fixed_thresholds(predictions(), value)


def test_an_interval_ends_where_its_metric_ends() -> None:
    values = np.array([0.9, 1.0])
    held = {"model": "m", "seed": [1, 2], "threshold_rule": "fixed", "metric": "ppv"}
    row = summarise_metrics(pd.DataFrame({**held, "value": values}), 0.25).iloc[0]
    uncut = corrected_mean(values, 0.25)
    assert uncut.high > 1
    assert uncut.low > 0
    assert (row["low"], row["high"]) == (uncut.low, 1.0)


def test_threshold_of_the_validation_part_never_sees_the_test_part() -> None:
    table = predictions()
    changed = table.copy()
    test = changed["part"] == "test"
    changed.loc[test, "p"] = 1 - changed.loc[test, "p"]

    def thresholds(held: pd.DataFrame) -> pd.DataFrame:
        return chosen_thresholds(held)

    pd.testing.assert_frame_equal(thresholds(table), thresholds(changed))


def test_pairwise_difference_is_that_of_the_means() -> None:
    metrics = study_metrics(predictions())
    tests = pairwise_tests(metrics, 0.25)
    row = tests[tests["metric"] == "auroc"].iloc[0]
    summary = summarise_metrics(metrics, 0.25).set_index(["model", "metric"])["mean"]
    assert row["difference"] == pytest.approx(summary["good", "auroc"] - 0.5)
    assert row["n_seeds"] == 3
    assert row["p_value"] < 0.05
